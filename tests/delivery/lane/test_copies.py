"""A copy put together from bytes reads exactly as one that was rendered and encoded as a whole (RULES G1, G2)."""

from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.lane.copies import Copies
from newsletter.issues import limits
from tests.delivery.lane.copying import NOBODY, SENDER, addresses, both, compiled, read

WORDS = ["the", "fjord", "æøå", "“quoted”", ".", "From ", "=", "😀", "x" * 90, "\n\n", "\n", " ", "- ", "## ", "> "]
PIECES = [
    "{{ given_name }}",
    "{{ title | default: 'leser' }}",
    "{{ employer | upcase }}",
    "[les](https://example.com/a?b=1&c=2)",
    "[mer](https://example.com/b)",
    "\\{\\{ not a placeholder",
    "\n\n{% if employer %}Til {{ employer }}.{% else %}.punktum{% endif %}\n\n",
    "\n\n{% unless title == 'Redaktør' %}From oss{% elsif given_name %}Hei{% endunless %}\n\n",
]
bodies = st.lists(st.sampled_from(WORDS + PIECES), min_size=1, max_size=60).map(lambda parts: "a" + "".join(parts))
names = st.one_of(
    st.none(), st.sampled_from([".dot", "\u2028 \n", "From me", "<b>&amp;", "Redaktør"]), st.text(max_size=64)
)
readers = st.fixed_dictionaries(dict.fromkeys(limits.PLACEHOLDERS, names))


@settings(max_examples=150, deadline=None)
@given(body=bodies, reader=readers)
def test_a_copy_reads_as_the_whole(body: str, reader: dict[str, str | None]) -> None:
    try:
        content = compiled(body)
    except limits.InvalidIssue:
        return  # A heap of words can be no issue at all.
    copy, long_way = both(content, reader)
    assert read(copy) == read(long_way)
    assert_tidy(copy)


@pytest.mark.parametrize("length", range(68, 84))
def test_no_line_is_too_long_wherever_a_gap_is(length: int) -> None:
    for letter in "xå":
        copy, long_way = both(
            compiled(f"{letter * length}{{{{ given_name }}}}"), {"given_name": letter * (length - 20)}
        )
        assert read(copy) == read(long_way)
        assert_tidy(copy)


def assert_tidy(copy: bytes) -> None:
    """Hold that no server or mailbox file would change a line, and that no part ends in a soft break (RULES G2)."""
    body = copy.partition(b"\r\n\r\n")[2]
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not [line for line in lines if line.startswith((b".", b"From ")) or b"\n" in line or b"\r" in line]
    assert b"=\r\n\r\n--=_alternative" not in body


def test_a_subject_for_everybody_is_written_once_and_for_each_where_it_names_them() -> None:
    for subject, seen in (("til alle", "Nytt til alle"), ("til {{ given_name }}", "Nytt til Kåre")):
        copy, _ = both(compiled("Hei", subject), {"given_name": "Kåre"})
        assert message_from_bytes(copy, policy=default)["subject"] == seen


def test_an_issue_that_trims_white_space_is_left_to_liquid() -> None:
    content = compiled("Hei {{- given_name -}} !")
    assert Copies.of(content, SENDER, NOBODY, addresses(content, NOBODY)) is None


@pytest.mark.parametrize("name", ["{{ title }}", "=\r\n", "\x01unsubscribe\x01", "%s", "{% if"])
def test_a_name_is_only_ever_a_name(name: str) -> None:
    copy, long_way = both(compiled("Hei {{ given_name }}, hei"), {"given_name": name})
    assert read(copy) == read(long_way)
