"""OpenDKIM, which many mail servers verify with, finds our signatures good (RULES G6)."""

from datetime import UTC, datetime
from itertools import product

from newsletter.mail.dkim.keys import SigningDomain, SigningKey, new_key
from newsletter.mail.dkim.signing import signatures
from newsletter.mail.message import Mailbox, Message, list_headers
from tests.support.opendkim import complaints

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DOMAIN = SigningDomain("example.org", (SigningKey("s1", new_key()),))
RECORDS = dict(DOMAIN.records())
LIST = list_headers(
    unsubscribe_url="https://news.example.org/unsubscribe/" + "t" * 90,
    unsubscribe_mailto="mailto:unsubscribe+token@bounces.example.org?subject=unsubscribe",
    list_id="monthly.news.example.org",
    list_name="The Monthly, with a name that is longer than one line of a header may be",
    help_url="https://news.example.org/newsletters/monthly",
    feedback_id="1:monthly:issue:newsletter",
)
TEXTS = (
    "Hello.\n",
    "Blåbærsyltetøy 🎉\n",
    ".\n..\nFrom here\n",
    "x" * 998,
    "a \n\t\n \n\n\n\n",
    "trailing  \r\rCR",
    "",
)
SUBJECTS = ("Hello", "Høstens bøker 🎉 " * 6, "=?utf-8?q?no?=")


def signed(text: str, subject: str) -> bytes:
    kari, news = Mailbox("kari@example.com", "Kåre"), Mailbox("news@example.org", "News")
    mail = Message(news, kari, subject, text, f"<p>{text}</p>", NOON, "1@example.org", LIST).to_bytes()
    return signatures(DOMAIN, mail, int(NOON.timestamp())) + mail


def test_it_finds_every_signature_good() -> None:
    assert complaints([signed(text, subject) for text, subject in product(TEXTS, SUBJECTS)], RECORDS) == []


def test_it_would_say_so_if_one_were_not() -> None:
    mail = signed("Hello.\n", "Hello")
    changed = [mail.replace(b"Hello.", b"Hallo."), mail.replace(b"Subject: Hello", b"Subject: Hallo")]
    assert len(complaints(changed, RECORDS)) == 2
    assert len(complaints([mail], {})) == 1
