"""A copy put together from bytes reads exactly as one that was rendered and encoded as a whole (RULES G1, G2)."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.copies import Copies, Particulars
from newsletter.issues import rendering
from newsletter.issues.rendering import CompiledIssue, Footer, compile_issue
from newsletter.mail.message import Mailbox, Message, list_headers

FOOTER = Footer("Example Books AS", "999 999 999", "Eksempelgata 1", "post@example.com", "https://news.example.com/n")
SENDER = Mailbox("news@example.com", "Bøker & «mer»")
UNSUBSCRIBE = "https://news.example.com/unsubscribe/" + "u" * 44
PIXEL = "https://news.example.com/open/" + "p" * 66 + ".gif"
HEADERS = list_headers(
    unsubscribe_url=UNSUBSCRIBE,
    unsubscribe_mailto="mailto:unsubscribe+" + "m" * 44 + "@bounces.example.com?subject=unsubscribe",
    list_id="books.news.example.com",
    list_name="Bøker",
    help_url="https://news.example.com/",
    feedback_id="a:b:c",
)
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
names = st.one_of(st.none(), st.sampled_from([".dot", "From me", "<b>&amp;", "Redaktør"]), st.text(max_size=64))
readers = st.fixed_dictionaries(dict.fromkeys(rendering.PLACEHOLDERS, names))


def compiled(body: str, subject: str = "Hei {{ given_name }}") -> CompiledIssue:
    return compile_issue(subject=f"Nytt {subject}", body=body, newsletter_name="Bøker", language="nb", footer=FOOTER)


def both(content: CompiledIssue, reader: dict[str, str | None]) -> tuple[bytes, bytes]:
    """Give the copy, and the same mail written the long way."""
    copies = Copies.of(content, SENDER)
    assert copies is not None
    links = [f"https://news.example.com/click/{'aB-_' * 17}{number}" for number in range(len(content.links))]
    moment = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    personal = Particulars(
        recipient="kari@example.com",
        values=rendering.given(reader),
        message_id="one@news.example.com",
        date=moment,
        links=links,
        unsubscribe_url=UNSUBSCRIBE,
        pixel_url=PIXEL,
        headers=HEADERS,
    )
    whole = content.render(reader, link=links.__getitem__, unsubscribe_url=UNSUBSCRIBE, pixel_url=PIXEL)
    message = Message(
        SENDER,
        Mailbox("kari@example.com"),
        whole.subject,
        whole.text,
        whole.html,
        moment,
        "one@news.example.com",
        HEADERS,
    )
    return copies.write(personal), message.to_bytes()


def read(mail: bytes) -> tuple[bytes, str, str, list[Any]]:
    """Give the headers as they stand, both parts as they are read, and the defects the reader found."""
    message = message_from_bytes(mail, policy=default)
    assert isinstance(message, EmailMessage)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, markup = (str(part.get_content()) if part else "" for part in parts)
    return mail.partition(b"\r\n\r\n")[0], text, markup, list(message.defects)


@settings(max_examples=150, deadline=None)
@given(body=bodies, reader=readers)
def test_a_copy_reads_as_the_whole(body: str, reader: dict[str, str | None]) -> None:
    try:
        content = compiled(body)
    except rendering.InvalidIssue:
        return  # A heap of words can be no issue at all.
    copy, whole = both(content, reader)
    assert read(copy) == read(whole)
    lines = copy.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not [line for line in lines if line.startswith((b".", b"From ")) or b"\n" in line or b"\r" in line]


def test_a_subject_for_everybody_is_written_once_and_for_each_where_it_names_them() -> None:
    for subject, seen in (("til alle", "Nytt til alle"), ("til {{ given_name }}", "Nytt til Kåre")):
        copy, _ = both(compiled("Hei", subject), {"given_name": "Kåre"})
        assert message_from_bytes(copy, policy=default)["subject"] == seen


def test_an_issue_that_trims_white_space_is_left_to_liquid() -> None:
    assert Copies.of(compiled("Hei {{- given_name -}} !"), SENDER) is None


@pytest.mark.parametrize("name", ["{{ title }}", "=\r\n", "\x01unsubscribe\x01", "%s", "{% if"])
def test_a_name_is_only_ever_a_name(name: str) -> None:
    copy, whole = both(compiled("Hei {{ given_name }}, hei"), {"given_name": name})
    assert read(copy) == read(whole)
