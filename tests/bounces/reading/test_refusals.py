"""What a refusal means: exact codes decide, and words where a code is generic; neither kills by mistake (F2, F9)."""

import pytest

from newsletter.bounces.reading.judging import judge
from newsletter.bounces.reading.verdicts import Verdict

REFUSALS = {
    Verdict.DEAD: """
        550 5.1.1 No such user here
        550-5.1.1 The address kari@example.org 550 5.1.1 does not exist at this server.
        501 #5.1.1 bad address kari@example.org
        sorry, no mailbox here by that name (#5.1.1 - chkuser)
        550 5.1.1 <kari@example.org>... email address lookup in domain map failed
        550 5.1.1 Invalid mailbox (account disabled)
        553 5.1.3 Syntax of the address
        551 5.1.6 Recipient no longer on this server
        556 5.1.10 The domain takes no mail: null MX
        Invalid address, ERROR_CODE :550, ERROR_CODE :5.1.1 user unknown
    """,
    Verdict.DEAD_IF_REPEATED: """
        550 5.2.1 Mailbox disabled, not accepting messages
        550 5.2.1 This mailbox is inactive
        550 5.1.2 Host unknown
        Host or domain name not found. Name service error for name=nowhere.example type=A: Host not found
        DNS Error: Domain name not found
        5.1.2 - Bad destination host 'DNS Hard Error looking up nowhere.example (MX): NXDomain'
    """,
    Verdict.MAILBOX_FULL: """
        552 5.2.2 Over quota
        452 4.2.2 The inbox is out of storage space
        550 5.7.1 The mailbox of this user is full
        552 Requested mail action aborted: exceeded storage allocation
        550 Message was not accepted -- invalid mailbox: user is over quota
        550 5.0.0 Das Postfach ist voll
        550 5.2.1 Mailbox full, not accepting messages
        552 mail space not enough
    """,
    Verdict.POLICY: """
        550 5.7.1 This looks like spam
        554 5.7.1 <kari@example.org>: Relay access denied
        554 Service unavailable; Client host [192.0.2.10] blocked using dnsbl.example.net
        550 Sender verify failed
        550 5.1.0 Sender denied
        554 Message refused
        550 5.2.0 Message rejected: see our spam page
        553 sorry, that domain isn't in my list of allowed rcpthosts (#5.5.3)
        552 sorry, the spam message is detected (#5.6.0)
        550 5.7.23 SPF validation failed
        554 5.7.1 <kari@example.org>: Recipient address rejected: Access denied
        521 5.2.1 : (CON:B1)
    """,
    Verdict.CONTENT: """
        552 5.3.4 Message too big for system
        552 5.2.3 Message exceeds the maximum size
        550 Message size exceeds fixed maximum
        554 5.7.0 Virus found
        554 5.7.1 Attachment type not allowed
        554 5.6.0 Message with invalid header
        550 5.6.1 Media not supported
    """,
    Verdict.ALARM: """
        501 5.1.7 Bad sender address
        550 5.1.8 Domain of the sender does not exist
        550 5.7.26 This mail is not authenticated
        550 5.7.27 The sender's domain takes no mail
        550 5.7.515 Access denied, the sending domain does not meet the level of authentication
    """,
    Verdict.TRANSIENT: """
        450 4.2.0 Greylisted
        451 Temporary local problem - please try later
        450 4.1.1 User unknown
        421 4.7.0 Deferred because of complaints
        connect to mx.example.org[192.0.2.25]:25: Connection timed out
        Name service error for name=slow.example type=MX: Host not found, try again
        554 5.4.6 Mail loops back
        553 5.3.5 system config error
        5.4.7 - Delivery expired (message too old)
        450 mailbox unavailable
    """,
    Verdict.UNKNOWN: """
        550 User unknown
        550 5.0.0 No such user
        550 5.5.0 Requested action not taken: mailbox unavailable
        550 5.4.1 Recipient address rejected: Access denied
        550 5.7.1 user unknown
        553 sorry, no mailbox here by that name (#5.7.1)
        554 delivery error: dd This account has been disabled or discontinued
        550 5.1.4 Ambiguous address
        550 #5.1.0 Address rejected.
        554 Transaction failed
        550 Ukjent mottaker
        550 destinataire inconnu
    """,
}


@pytest.mark.parametrize(
    ("verdict", "text"),
    [(verdict, line.strip()) for verdict, lines in REFUSALS.items() for line in lines.strip().split("\n")],
)
def test_a_refusal(verdict: Verdict, text: str) -> None:
    assert judge(text).verdict is verdict, judge(text)


@pytest.mark.parametrize(
    ("status", "text", "verdict"),
    [
        ("5.1.1", "550 5.7.1 Blocked by reputation", Verdict.POLICY),
        ("5.1.1", "550 5.2.2 Over quota", Verdict.MAILBOX_FULL),
        ("5.0.0", "550 5.1.1 No such user", Verdict.DEAD),
        ("5.2.2", "550 5.1.1 No such user", Verdict.MAILBOX_FULL),
        ("5.1.1", "550 User unknown", Verdict.DEAD),
        ("5.1.1", "", Verdict.DEAD),
        ("4.4.7", "550 5.1.1 No such user", Verdict.TRANSIENT),
        ("5.4.7", "452-'4.2.2 Mailbox full'", Verdict.MAILBOX_FULL),
        ("5.1.0", "550-'5.1.1 unknown user'", Verdict.DEAD),
        ("5.1.1", "450 mailbox busy", Verdict.TRANSIENT),
        ("5.1.1", "550 5.1.1 Undeliverable: it said 550 5.7.1 No", Verdict.POLICY),
    ],
)
def test_the_report_and_the_reply_it_quotes_may_disagree(status: str, text: str, verdict: Verdict) -> None:
    """The reply is nearer to the truth, but never alone calls an address dead against a milder report."""
    assert judge(text, status).verdict is verdict, judge(text, status)


@pytest.mark.parametrize(
    "text", ["Our server 5.1.1.2 is down", "version 5.1.1-rc", "see chapter5.1.1", "5.1.1.example.com"]
)
def test_numbers_that_are_no_code_are_none(text: str) -> None:
    assert judge(text).verdict is not Verdict.DEAD
    assert judge(text).code is None
