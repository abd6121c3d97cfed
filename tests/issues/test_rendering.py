"""An issue is compiled once, and each reader gets a copy of their own."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.layout import Footer
from newsletter.issues.limits import PLACEHOLDERS
from newsletter.issues.rendering import CompiledIssue, Rendered, compile_issue

FOOTER = Footer(
    "Example <AS>",
    "999 888 777",
    "Storgata 1\n0155 Oslo",
    "post@example.com",
    "https://example.com/data",
    "https://example.com/my",
)
WAY_OUT = "https://news.example.com/unsubscribe/t?a=1&b=2"


def compiled(body: str, subject: str = "Hello", language: str = "en", name: str = "Monthly & more") -> CompiledIssue:
    return compile_issue(subject=subject, body=body, newsletter_name=name, language=language, footer=FOOTER)


def copy_of(issue: CompiledIssue, pixel: str | None = None, **values: str | None) -> Rendered:
    return issue.render(values, link=lambda i: f"https://t.example/{i}?x&y", unsubscribe_url=WAY_OUT, pixel_url=pixel)


def shown(html: str) -> str:
    """Give the words of the HTML part, as a reader sees them."""
    return unescape(re.sub(r"<(?:style|title|head).*?</(?:style|title|head)>|<[^>]*>", "", html, flags=re.DOTALL))


def test_placeholders_are_filled_in_everywhere() -> None:
    issue = compiled("Dear **{{ given_name }}** of {{employer|upcase}}", "For {{ given_name | default: 'you' }}")
    kari = copy_of(issue, given_name="Kåre", employer="Æ")
    assert kari.subject == "For Kåre"
    assert "Dear *Kåre* of Æ" in kari.text
    assert "Dear <strong>Kåre</strong> of Æ" in kari.html
    assert copy_of(issue, given_name=" \r\n ").subject == "For you"
    assert "Dear ** of \n" in copy_of(issue).text


def test_a_condition_governs_words_and_whole_paragraphs() -> None:
    issue = compiled(
        "You{% if title %}, {{ title }},{% elsif employer == 'X' %} at X{% endif %} know.\n"
        "{% unless employer %}\nNo **employer**.\n\n- one\n{% else %}\n## At {{ employer }}\n"
        "{% endunless %}\nEnd."
    )
    plain = copy_of(issue)
    assert "You know.\n\nNo *employer*.\n\n- one\n\nEnd.\n" in plain.text
    assert "At " not in plain.html
    asked = copy_of(issue, employer="X", title="Dr")
    assert "You, Dr, know.\n\nAt X\n" in asked.text
    assert "\n\nEnd.\n" in asked.text
    assert "employer" not in asked.html
    assert "You at X know." in copy_of(issue, employer="X").text
    assert "<p style" in asked.html
    assert not re.search(r"<p[^>]*>\s*</p>", asked.html)


def test_links_are_named_once_and_replaced_in_both_parts() -> None:
    issue = compiled(
        "[a](https://example.com/?a=1&b=2 'x') <https://example.org/> [again](https://example.com/?a=1&b=2)\n\n"
        "[write](mailto:post@example.com) <post@example.com>"
    )
    assert issue.links == ("https://example.com/?a=1&b=2", "https://example.org/")
    copy = copy_of(issue)
    assert "a <https://t.example/0?x&y> <https://t.example/1?x&y> again <https://t.example/0?x&y>" in copy.text
    assert "write <post@example.com> post@example.com" in copy.text
    assert copy.html.count('href="https://t.example/0?x&amp;y"') == 2
    assert 'href="mailto:post@example.com"' in copy.html
    assert "example.com/?a" not in copy.text + copy.html


def test_a_mailto_link_may_depend_on_the_reader_and_link_words_may_too() -> None:
    issue = compiled(
        "{% if title %}<a@example.com>{% endif %} [{% if title %}A{% else %}B{% endif %}](https://x.example)"
    )
    assert "B <https://t.example/0?x&y>" in copy_of(issue).text


def test_the_pixel_stands_only_where_one_is_given() -> None:
    issue = compiled("Hello")
    assert '<img src="https://t.example/p?a&amp;b" width="1"' in copy_of(issue, pixel="https://t.example/p?a&b").html
    assert "<img" not in copy_of(issue).html
    assert "https://t.example/p" not in copy_of(issue, pixel="https://t.example/p").text


@pytest.mark.parametrize(
    ("language", "reason", "way_out"),
    [
        ("nb", "du abonnerer på", "Meld deg av"),
        ("no", "du abonnerer på", "Meld deg av"),
        ("nn-NO", "handsamar vi opplysningane", "Meld deg av"),
        ("en", "because you subscribe to", "Unsubscribe"),
        ("de", "because you subscribe to", "Unsubscribe"),
    ],
)
def test_sender_reason_and_way_out_stand_in_both_parts(language: str, reason: str, way_out: str) -> None:
    copy = copy_of(compiled("Hello", language=language))
    for part in (copy.text, shown(copy.html)):
        for words in (
            "Monthly & more",
            "Example <AS>",
            "999 888 777",
            "Storgata 1",
            "0155 Oslo",
            "post@example.com",
        ):
            assert words in part
        assert reason in part
        assert way_out in part
    assert f"{way_out}: {WAY_OUT}\n" in copy.text
    assert f'href="{WAY_OUT.replace("&", "&amp;")}"' in copy.html
    assert copy.html.startswith(f'<!DOCTYPE html><html lang="{language}"')


def test_the_page_loads_nothing_and_suits_dark_and_phone() -> None:
    html = copy_of(compiled("# Hello\n\n[a](https://example.com)")).html
    assert not re.search(r"<(?:img|link|script|iframe)|@import|url\(|googleapis", html)
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html


def test_every_kind_of_block_has_a_readable_text() -> None:
    body = (
        "# One\n\nTwo  \nlines\n\n- a\n  - b\n- c\n\n3. x\n\n   y\n4. ~~z~~ _e_ `c`\n\n> quote\n>\n> more\n\n"
        "| A | B |\n|--:|---|\n| 1 | {{ title | default: '|' }} |\n\n"
        "```\ncode\n  too\n```\n\n***\n\n-\n\n<b>raw</b>"
    )
    copy = copy_of(compiled(body))
    assert copy.text.split("\n", 3)[3].partition("\n\n-------")[0] == (
        "One\n===\n\nTwo\nlines\n\n- a\n  - b\n- c\n\n3. x\n\n   y\n\n4. ~z~ _e_ c\n\n> quote\n>\n> more\n\n"
        "A | B\n-----\n1 | |\n\n    code\n      too"
    )
    assert "-" * 40 + "\n\n-\n\n<b>raw</b>\n" in copy.text
    assert "&lt;b&gt;raw" in copy.html
    assert "text-align: right" in copy.html
    assert '<ol start="3"' in copy.html


def test_braces_that_are_merely_text_stay_text() -> None:
    body = "\\{\\{ title }} &#123;&#123; nmae }} \\{\\% x %} {{ '{{' }} &#123;{{ title }}} a { b"
    copy = copy_of(compiled(body, name="{{ name }}"), title="T")
    assert "{{ title }} {{ nmae }} {% x %} {{ {T} a { b" in copy.text
    assert "{{ title }} {{ nmae }} {% x %} {{ {T} a { b" in shown(copy.html)
    assert copy.text.startswith("{{ name }}\n")


def test_a_string_in_a_placeholder_brings_in_no_html() -> None:
    copy = copy_of(compiled("{{ title | default: '<script>x</script>' }}"))
    assert "<script>" not in copy.html
    assert "&lt;script&gt;" in copy.html


def test_no_entity_conjures_up_a_marker() -> None:
    copy = copy_of(
        compiled("{{ title }} &#122;qp0z zqqp0z <https://example.com/%7Aqqqp0z> https://&#122;ql0z"),
        title="T",
    )
    assert "T zqp0z zqqp0z <https://t.example/0?x&y> https://zql0z" in copy.text


@given(st.text(max_size=60) | st.sampled_from(["{{ title }}", "{% if x %}", "<b>", "**b**", "\x010\x01", "[a](b)"]))
def test_a_value_is_never_read_as_anything_but_words(value: str) -> None:
    copy = copy_of(compiled("[{{ title }}](https://example.com) {{ title }}.", "For {{ title }}!"), title=value)
    words = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", value).split())
    assert copy.subject == " ".join(f"For {words}!".split())
    assert f"{words} <https://t.example/0?x&y> {words}.\n" in copy.text
    assert f"{words} {words}." in shown(copy.html)
    assert copy.html.count("<a ") == 5


@given(st.fixed_dictionaries({name: st.none() | st.sampled_from(["", "X", "ΐ" * 64]) for name in PLACEHOLDERS}))
def test_what_compiles_can_be_filled_in_for_anyone(values: dict[str, str | None]) -> None:
    issue = compiled(
        "{% if title == 'X' and employer contains title or given_name != blank %}"
        "{{ title | upcase | capitalize }}"
        "{% elsif family_name == empty %}{{ employer | downcase | strip | default: given_name }}{% endif %}"
    )
    assert copy_of(issue, **values).html
