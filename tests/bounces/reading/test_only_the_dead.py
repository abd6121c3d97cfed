"""Only the dead are buried (P6): no full mailbox, policy, greylisting or vacation is dead, whatever its code says."""

import itertools
import re

import pytest

from newsletter.bounces.reading.reading import explain, read
from newsletter.bounces.reading.verdicts import Verdict
from tests.bounces.reading.returned import exim_bounce, postfix_report

CODES = ["5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.1.2"]
OTHER_TROUBLE = [
    *("mailbox full", "user is over quota", "the mailbox has exceeded its storage limit", "Postkassen er full"),
    *("Das Postfach ist voll", "boîte aux lettres pleine", "el buzón está lleno", "casella piena", "brevlådan är full"),
    *(
        "Skrzynka odbiorcy jest pełna",
        "Почтовый ящик заполнен",
        "メールボックスが一杯です",
        "收件人邮箱已满",
        "가득 찼습니다",
    ),
    *("Alıcının posta kutusu dolu", "Indbakken er fyldt", "Postfachgröße überschritten", "Το κιβώτιο είναι πλήρες"),
    *(
        "account storage limit reached",
        "no space left in the mailbox",
        "disk quota exceeded",
        "inbox out of storage space",
    ),
    *(
        "blocked, see our page",
        "your IP is blacklisted",
        "message looks like spam",
        "rejected by policy",
        "access denied",
    ),
    *("relaying denied", "we do not accept mail from your network", "poor reputation", "sender rejected"),
    *("greylisted", "try again later", "temporarily unavailable", "mailbox temporarily disabled", "too many messages"),
    *("rate limit exceeded", "connection timed out", "the message was refused", "virus found", "message too large"),
    *("vorübergehend nicht erreichbar", "midlertidig feil", "temporairement indisponible", "suppressed after a bounce"),
]
DEADLY = {Verdict.DEAD, Verdict.DEAD_IF_REPEATED}


@pytest.mark.parametrize(("code", "words"), list(itertools.product(CODES, OTHER_TROUBLE)))
def test_words_of_other_trouble_save_from_a_deadly_code(code: str, words: str) -> None:
    """RULES F5."""
    assert explain(postfix_report(f"550 {code} <kari@example.org>: {words}", code)).verdict not in DEADLY
    assert explain(exim_bounce(f"550 {code} {words}")).verdict not in DEADLY
    assert explain(exim_bounce(f"550-{code} This address\n    550 {code} {words}")).verdict not in DEADLY


@pytest.mark.parametrize("words", ["User unknown", "No such mailbox", "Ukjent mottaker", "does not exist here", ""])
def test_and_plain_ones_do_not(words: str) -> None:
    assert explain(postfix_report(f"550 5.1.1 <kari@example.org>: {words}", "5.1.1")).verdict is Verdict.DEAD
    assert explain(exim_bounce(f"550 5.1.1 {words}")).verdict is Verdict.DEAD


@pytest.mark.parametrize(
    "address", ["full.quota@example.org", "spam@policy.example.org", "blocked@greylist.example.org"]
)
def test_what_an_address_is_called_saves_nobody(address: str) -> None:
    report = postfix_report(f"550 5.1.1 <{address}>: User unknown", "5.1.1", address=address)
    assert explain(report).verdict is Verdict.DEAD


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_only_a_failure_counts(action: str) -> None:
    """RULES F1."""
    report = postfix_report("550 5.1.1 User unknown", "5.1.1", action=action)
    wanted = Verdict.TRANSIENT if action == "delayed" else Verdict.NOT_A_BOUNCE
    assert explain(report).verdict is wanted


@pytest.mark.parametrize("action", ["", "transferred", "x-unheard-of"])
def test_what_is_not_said_to_have_failed_has_not(action: str) -> None:
    """RULES F1."""
    assert explain(postfix_report("550 5.1.1 User unknown", "5.1.1", action=action)).verdict is Verdict.UNKNOWN
    assert explain(postfix_report("550 5.1.1 User unknown", "5.1.1", action="Failed.")).verdict is Verdict.DEAD


@pytest.mark.parametrize(
    "subject",
    ["Out of office", "Automatic reply: The Monthly", "Automatisk svar: hei", "Abwesenheitsnotiz", "Absence du bureau"],
)
@pytest.mark.parametrize("header", ["", "Auto-Submitted: auto-replied\n", "Precedence: auto_reply\n"])
def test_a_vacation_answer_may_say_what_it_will(subject: str, header: str) -> None:
    """RULES F6."""
    raw = f"""Return-Path: <>
From: Kari <kari@example.org>
Subject: {subject}
{header}
My mailbox is closed. 550 5.1.1 User unknown.

Final-Recipient: rfc822; kari@example.org
Action: failed
Status: 5.1.1
""".encode()
    assert explain(raw).verdict is Verdict.AUTOMATIC


@pytest.mark.parametrize("trouble", ["Postkassen er full.", "552 5.2.2 mailbox full", "554 5.7.1 blocked as spam"])
def test_our_own_words_that_come_back_unmarked_kill_nobody(trouble: str) -> None:
    raw = f"""Return-Path: <>
From: MAILER-DAEMON@example.org
Subject: Undeliverable: The Monthly

Your message to kari@example.org could not be delivered. {trouble}

The Monthly, no. 41: what does
550 5.1.1 User unknown
mean?
""".encode()
    assert explain(raw).verdict not in DEADLY


@pytest.mark.parametrize("reply", ["550 5.1.1", "550 5.1.1 Rejected", "550 5.1.1 Not available"])
def test_the_words_for_people_speak_where_the_reply_says_little(reply: str) -> None:
    report = postfix_report(reply, "5.1.1")
    assert explain(report).verdict is Verdict.DEAD
    assert (
        explain(report.replace(b"<kari@example.org>: 550", b"The mailbox is full.\n<kari@example.org>: 550")).verdict
        not in DEADLY
    )


@pytest.mark.parametrize(
    "quoted",
    [
        *("Subject: {}", "  Subject: {}", "Your message with Subject: {}", "The subject of the message is: {}"),
        *("Betreff: {}", "Emne: {}", "Objet : {}", "件名: {}"),
    ],
)
@pytest.mark.parametrize("subject", ["Is your mailbox full?", "Blocked as spam", "550 5.7.1 and other numbers"])
def test_the_subject_of_our_own_mail_is_no_reason(quoted: str, subject: str) -> None:
    plain = exim_bounce("550 5.1.1 User unknown")
    told = plain.replace(b"  kari@example.org\n", f"{quoted.format(subject)}\n\n  kari@example.org\n".encode())
    assert explain(told) == explain(plain)


@pytest.mark.parametrize("reply", ["550 5.1.1 User unknown", "550 5.1.2 Host unknown"])
def test_nobody_dies_of_what_is_said_of_another(reply: str) -> None:
    """RULES F5: mail may be forwarded on to a dead box."""
    for mail in (exim_bounce(reply), postfix_report(reply, reply[4:9])):
        assert [reading.verdict in DEADLY for reading in read(mail, "kari@example.org")] == [True]
        assert [reading.verdict for reading in read(mail, "ola@example.org")] == [Verdict.UNKNOWN]


def test_nobody_dies_of_a_reply_about_another_in_a_report_that_names_nobody() -> None:
    report = postfix_report("550 5.1.1 <kari@example.org> User unknown", "5.1.1")
    silent = re.sub(rb"(?m)^(Final|Original)-Recipient: .*\n", b"", report)
    assert silent != report
    assert [reading.verdict for reading in read(silent, "kari@example.org")] == [Verdict.DEAD]
    assert [reading.verdict for reading in read(silent, "ola@example.org")] == [Verdict.UNKNOWN]


def test_a_refused_sender_kills_no_reader() -> None:
    report = postfix_report("550 5.1.1 User unknown", "5.1.1")
    refused = report.replace(b"User unknown\n\n--cut", b"User unknown (in reply to MAIL FROM command)\n\n--cut", 1)
    assert explain(report).verdict is Verdict.DEAD
    assert explain(refused).verdict is Verdict.UNKNOWN
    assert explain(exim_bounce("550 5.1.1 x").replace(b"after RCPT TO", b"after MAIL FROM")).verdict not in DEADLY
