"""Reports are read recipient by recipient, in ASCII and beyond; their addresses may only veto (RFC 3464, 6533; F5)."""

import pytest

from newsletter.bounces.reading.dsn import recipients_in
from newsletter.bounces.reading.reading import read
from newsletter.bounces.reading.verdicts import Verdict
from tests.bounces.reading.returned import postfix_report

FIELDS = """Reporting-MTA: dns; mail.example.org

Original-Recipient: rfc822;kari@example.org
Final-Recipient: RFC822; <kari@mailbox.example.org>
Action: Failed (gone)
Status: 5.1.1 (bad destination mailbox address)
Diagnostic-Code: smtp; 550-5.1.1 no
  550 5.1.1 such user

Final-Recipient: rfc822; ola@example.org
Action: delayed
Status: 4.2.2
"""


def test_each_recipient_is_read() -> None:
    kari, ola = recipients_in(FIELDS)
    assert kari.addresses == ("kari@example.org", "kari@mailbox.example.org")
    assert (kari.action, kari.diagnostic) == ("failed", "550-5.1.1 no\n550 5.1.1 such user")
    assert (ola.addresses, ola.action, ola.status) == (("ola@example.org",), "delayed", "4.2.2")


def test_blank_lines_may_stand_anywhere_or_nowhere() -> None:
    everywhere, nowhere = FIELDS.replace("\nAction", "\n\nAction"), FIELDS.replace("\n\n", "\n")
    assert recipients_in(everywhere) == recipients_in(nowhere) == recipients_in(FIELDS)


def test_an_address_beyond_ascii_is_read() -> None:
    (found,) = recipients_in(
        "Original-Recipient: utf-8; k\\x{E5}re@example.org\nFinal-Recipient: utf-8; kåre@example.org\n"
    )
    assert found.original == found.final == "kåre@example.org"


def test_an_octet_that_no_sign_has_is_left_out() -> None:
    (found,) = recipients_in("Final-Recipient: utf-8; \\x{D800}\\x{FFFFFF}@example.org\n")
    assert found.final == "\ufffd\ufffd@example.org"


DEAD = postfix_report("550 5.1.1 User unknown", "5.1.1")


@pytest.mark.parametrize("subscriber", [None, "kari@example.org", "Kari@Example.org"])
def test_a_report_about_the_subscriber_counts(subscriber: str | None) -> None:
    (reading,) = read(DEAD, subscriber)
    assert (reading.verdict, reading.code) == (Verdict.DEAD, "5.1.1")


def test_a_report_about_somebody_else_says_nothing_of_the_subscriber() -> None:
    """RULES F5: mail that the subscriber forwards on, to a box that died."""
    (reading,) = read(DEAD, "ola@example.net")
    assert reading.verdict is Verdict.UNKNOWN


def test_the_original_recipient_is_enough() -> None:
    aliased = DEAD.replace(
        b"Final-Recipient: rfc822; kari@example.org", b"Final-Recipient: rfc822; box4711@example.org"
    )
    (reading,) = read(aliased, "kari@example.org")
    assert reading.verdict is Verdict.DEAD


def test_a_milder_report_needs_no_name() -> None:
    (reading,) = read(postfix_report("552 5.2.2 Over quota", "5.2.2"), "ola@example.net")
    assert reading.verdict is Verdict.MAILBOX_FULL


@pytest.mark.parametrize(
    ("reported", "subscriber"),
    [
        ("kari@xn--blbr-roah.example.org", "kari@blåbær.example.org"),
        ("kari@blåbær.example.org", "kari@blåbær.example.org"),
        # A letter that the rules of 2003 would have written as "ss".
        ("kari@xn--strae-oqa.example.org", "kari@straße.example.org"),
        ("kari+2Bnews@example.org", "kari+news@example.org"),
        ("kari+news@example.org", "kari+news@example.org"),
    ],
)
def test_one_address_has_several_spellings(reported: str, subscriber: str) -> None:
    (reading,) = read(postfix_report("550 5.1.1 User unknown", "5.1.1", address=reported), subscriber)
    assert reading.verdict is Verdict.DEAD
