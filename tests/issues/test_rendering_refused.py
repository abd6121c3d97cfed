"""What is wrong with an issue is told all at once, in sentences its editor can act on."""

from dataclasses import replace
from time import process_time

import pytest

from newsletter.issues.layout import Footer
from newsletter.issues.limits import InvalidIssue
from newsletter.issues.rendering import compile_issue

FOOTER = Footer(
    "Example AS", "999 888 777", "Storgata 1", "post@example.com", "https://example.com/data", "https://example.com/my"
)


def problems(body: str = "Hello", subject: str = "Hello", footer: Footer = FOOTER) -> tuple[str, ...]:
    try:
        compile_issue(subject=subject, body=body, newsletter_name="N", language="en", footer=footer)
    except InvalidIssue as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "{{ given_nmae }}",
            "There is no placeholder {{ given_nmae }}; did you mean given_name? You can "
            "use one of given_name, family_name, title, employer.",
        ),
        ("{% if nope %}x{% endif %}", "There is no placeholder {{ nope }}; use one of given_name, family_"),
        ("{{ given_name.size }}", "There is no placeholder {{ given_name.size }}; did you mean given_name?"),
        ("{{ title | upcse }}", "There is no filter “upcse” ({{ title | upcse }}); did you mean upcase?"),
        ("{{ title | append: 'x' }}", "There is no filter “append”"),
        ("{% for x in title %}", "There is no tag {% for x in title %}; use one of if, unless, elsif, else"),
        ("{% iff title %}x{% endif %}", "There is no tag {% iff title %}; did you mean if?"),
        ("{% raw %}", "There is no tag {% raw %}"),
        ("{% %}", "{% %} names no tag; use one of if,"),
        ("{{ }}", "{{ }} can't be read: "),
        ("{{ title | }}", "{{ title | }} can't be read: "),
        ("{{ title | upcase: 'x' }}", "{{ title | upcase: 'x' }} can't be read: "),
        ("{% if %}x{% endif %}", "{% if %} can't be read: "),
        ("{% if title %}a{% elsif == %}b{% endif %}", "{% elsif == %} can't be read: "),
        ("{% if title > employer %}x{% endif %}", "{% if title > employer %} may use only placeholders"),
        ("{{ 12 }}", "{{ 12 }} may use only placeholders"),
        (
            "{% if title %}x{% else title %}y{% endif %}",
            "{% else title %} takes nothing more: write {% else %}.",
        ),
        ("Hello {{ title", "“{{ title” opens with {{ but is never closed with }}."),
        ("Hello {% if title", "“{% if title” opens with {% but is never closed with %}."),
        ("{% if title %}", "{% if title %} has no {% endif %}."),
        ("{% endif %}", "{% endif %} stands without an {% if %} before it."),
        ("{% else %}", "{% else %} stands without an {% if %} before it."),
        ("{% if title %}x{% endunless %}", "{% if title %} must end with {% endif %}, not {% endunless %}."),
        (
            "{% if title %}{% else %}{% else %}{% endif %}",
            "{% else %} comes after the {% else %} of {% if title %}.",
        ),
        ("**{% if title %}a** b{% endif %}", "{% if title %} and {% endif %} must stand in the same"),
        ("a {% if title %} b\n\nc {% endif %}", "{% if title %} and {% endif %} must stand in the same"),
        ("`{% if title %}` {% endif %}", "{% if title %} and {% endif %} must stand in the same"),
        ("- {% if title %}a\n- b{% endif %}", "{% if title %} and {% endif %} must stand in the same"),
        (
            "{% if title %}" * 31 + "x" + "{% endif %}" * 31,
            "The placeholders and tags don't fit together: block",
        ),
        (
            "[a](https://example.com/{{ title }})",
            "The link https://example.com/{{ title }} holds a placeholder",
        ),
        (
            "[a](https://example.com/{% if title %}x{% endif %})",
            "The link https://example.com/{% if title %}x{% endif",
        ),
        ("<https://example.com/{{title}}>", "The link https://example.com/{{title}} holds a placeholder"),
        (
            "{% if title %}[a](https://example.com){% endif %}",
            "The link https://example.com stands inside {% if title %}",
        ),
        ("[a](https://x.example 'T {{ title }}')", "{{ title }} stands where nothing can be filled in"),
        ("[a]\n\n[a]: https://x.example '{{ title }}'", "{{ title }} stands where nothing can be filled in"),
        ("[a](javascript:x)", "The link “javascript:x” must begin with https://, http:// or mailto:."),
        ("[a](/page)", "The link “/page” must begin with https://"),
        ("[a](//example.com)", "The link “//example.com” must begin with https://"),
        ("[a](https://)", "The link “https://” must begin with https://"),
        ("[a](http://?x)", "The link “http://?x” must begin with https://"),
        ("[a](mailto:)", "The link “mailto:” must begin with https://"),
        (
            "![x](https://example.com/{{ title }}.png)",
            "The picture “https://example.com/{{ title }}.png” can't be used",
        ),
        ("> " * 19 + "*a " * 59 + "*a" + "*" * 60, "The text is nested too deeply"),
        ("{{ title }}" * 4_000, "The issue is too large once it is laid out; shorten it."),
        (" \n", "The issue has no text."),
        ("x" * 200_001, "The text has 200001 characters; at most 200000 are possible."),
    ],
)
def test_a_body_is_refused_with_the_reason(body: str, problem: str) -> None:
    assert any(each.startswith(problem) for each in problems(body)), problems(body)


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("", "The issue has no subject."),
        (" ", "The issue has no subject."),
        ("x" * 201, "The subject has 201 characters; at most 200 are possible."),
        ("{{ nmae }}", "There is no placeholder {{ nmae }}"),
        ("{% if title %}x", "The placeholders and tags don't fit together: "),
        ("{{ given_name }}", "The subject is empty for a reader who gave no name; add words, or a default."),
    ],
)
def test_a_subject_is_refused_with_the_reason(subject: str, problem: str) -> None:
    (only,) = problems(subject=subject)
    assert only.startswith(problem)


@pytest.mark.parametrize("field", ["organisation", "contact", "privacy_url"])
def test_no_issue_goes_out_without_its_sender(field: str) -> None:
    (only,) = problems(footer=replace(FOOTER, **{field: " "}))
    assert "is missing; it must stand in every issue" in only


def test_all_problems_are_told_at_once_and_each_once() -> None:
    told = problems("{{ a }} {{ a }} ![x](y.png) [z](ftp://x) {% if title %}", subject="{{ b }}")
    assert [each.split(";")[0] for each in told] == [
        "There is no placeholder {{ b }}",
        "There is no placeholder {{ a }}",
        "The picture “y.png” can't be used: an issue loads nothing from outside.",
        "The link “ftp://x” must begin with https://, http:// or mailto:.",
        "{% if title %} has no {% endif %}.",
    ]


def test_the_error_says_all_of_it_in_one_sentence_too() -> None:
    with pytest.raises(InvalidIssue, match=r"^The issue has no subject\. The issue has no text\.$"):
        compile_issue(subject="", body="", newsletter_name="N", language="en", footer=FOOTER)


def test_unclosed_braces_by_the_thousand_are_answered_soon() -> None:
    before = process_time()
    assert problems("{{" * 99_999)
    assert process_time() - before < 20


def test_control_characters_and_lone_surrogates_are_dropped() -> None:
    assert problems("a\x00\x01b\ud800c\r\nd\re", subject="a\x01\ud800b") == ()
