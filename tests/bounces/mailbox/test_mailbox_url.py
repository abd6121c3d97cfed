"""NEWSLETTER_IMAP_URL: what it may be, and what stops the program at its start."""

import pytest

from newsletter.bounces.mailbox.url import MailboxPlace, mailbox_of, read_mailbox_url
from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings
from newsletter.worker import check


def test_it_names_a_folder_of_a_server_and_what_is_done_with_it() -> None:
    assert read_mailbox_url("imaps://kari%40example.com:p%20%40%2F@mail.example.com") == MailboxPlace(
        "mail.example.com", 993, "imaps", "kari@example.com", "p @/", "INBOX", "Processed", 60, 30
    )
    given = "imap+starttls://kari:secret@[2001:db8::1]:1143/Til%20oss/Sprett?processed=Gjort&every=300&keep=0"
    read = read_mailbox_url(given)
    assert (read.server, read.folder, read.processed) == ("[2001:db8::1]:1143", "Til oss/Sprett", "Gjort")
    assert (read.every, read.keep) == (300, 0)
    assert "secret" not in repr(read)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_without_tls_it_is_for_this_machine(host: str) -> None:
    assert read_mailbox_url(f"imap://kari:secret@{host}").port == 143


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "https://kari:hunter2@mail.example.com",
        "imaps://mail.example.com",
        "imaps://kari@mail.example.com",
        "imaps://kari:hunter2@",
        "imaps://kari:hunter2@mail.example.com:0",
        "imaps://kari:hunter2@mail.example.com:port",
        "imaps://kari:hunter2@[mail",
        "imaps://kari:hunter2%0D%0AA1%20LOGOUT@mail.example.com",
        "imap://kari:hunter2@mail.example.com",
        "imap://kari:hunter2@127.0.0.1.example.com",
        "imap+starttls://kari:hunter2@mail.example.com:993",
        "imaps://kari:hunter2@mail.example.com/%2A",
        "imaps://kari:hunter2@mail.example.com/INBOX?processed=inbox",
        "imaps://kari:hunter2@mail.example.com/INBOX?processed=",
        "imaps://kari:hunter2@mail.example.com/?every=0",
        "imaps://kari:hunter2@mail.example.com/?every=hunter2",
        "imaps://kari:hunter2@mail.example.com/?keep=-1",
        "imaps://kari:hunter2@mail.example.com/?seen=1",
        "imaps://kari:hunter2@mail.example.com/?every=1&every=2",
        "imaps://kari:hunter2@mail.example.com/#hunter2",
    ],
)
def test_a_wrong_one_stops_the_start_with_a_sentence_that_shows_nothing_of_it(url: str) -> None:
    with pytest.raises(MisconfiguredError, match="NEWSLETTER_IMAP_URL") as stopped:
        check(Settings(imap_url=url, bounce_domain="bounces.example.com"))
    assert "hunter2" not in str(stopped.value)
    assert stopped.value.sentence.endswith(".")


def test_it_needs_a_bounce_domain() -> None:
    with pytest.raises(MisconfiguredError, match="NEWSLETTER_BOUNCE_DOMAIN"):
        mailbox_of(Settings(imap_url="imaps://kari:secret@mail.example.com"))
    assert mailbox_of(Settings(bounce_domain="bounces.example.com")) is None
    assert "secret" not in repr(Settings(imap_url="imaps://kari:secret@mail.example.com"))
