"""Only the dead are buried: which refusals mean a dead address, and how many are too many to be true (P6, F2, F4)."""

import pytest

from newsletter.bounces.rules import Tallied, is_dead, trips_breaker
from newsletter.mail.outcome import Outcome, OutcomeKind, Stage, outcome_of_reply


def refused(enhanced: str | None, stage: Stage = Stage.RCPT, code: int | None = 550) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, stage, code, enhanced)


@pytest.mark.parametrize("enhanced", ["5.1.1", "5.1.3", "5.1.6", "5.1.10"])
def test_no_such_mailbox_is_dead(enhanced: str) -> None:
    assert is_dead(refused(enhanced))


@pytest.mark.parametrize(
    "enhanced",
    [
        *(None, "5.0.0", "5.1.0", "5.1.2", "5.1.7", "5.1.8", "5.1.11", "5.2.0", "5.2.1", "5.2.2", "5.2.3", "5.2.4"),
        *("5.3.0", "5.4.1", "5.4.4", "5.5.0", "5.6.0", "5.6.7", "5.7.0", "5.7.1", "5.7.26", "5.7.27", "5.7.515"),
        *("4.1.1", "5.11.1"),
    ],
)
def test_anything_else_is_not(enhanced: str | None) -> None:
    assert not is_dead(refused(enhanced))


def test_only_a_refusal_of_the_recipient_by_the_relay_counts() -> None:
    """RULES F3. What we found unsendable ourselves has no reply code (RULES F10)."""
    assert not is_dead(refused("5.1.1", Stage.DATA))
    assert not is_dead(refused("5.1.1", Stage.MAIL))
    assert not is_dead(refused("5.1.1", code=None))
    for kind in set(OutcomeKind) - {OutcomeKind.REFUSED}:
        assert not is_dead(Outcome(kind, Stage.RCPT, 550, "5.1.1"))


@pytest.mark.parametrize(
    ("accepted", "dead", "large", "small"),
    [
        (0, 0, False, False),
        (0, 2, False, False),
        (0, 3, False, True),
        (3, 3, False, False),
        (3, 4, False, True),
        (300, 19, False, False),
        (379, 20, True, True),
        (380, 20, False, False),
        (0, 20, True, True),
        (10_000, 500, False, False),
        (9_000, 500, True, True),
    ],
)
def test_the_breaker(accepted: int, dead: int, *, large: bool, small: bool) -> None:
    """RULES F4: more than 5 % and at least 20; in a domain also at least 3 and more than were accepted."""
    assert trips_breaker(Tallied(accepted, dead), small_domain=False) is large
    assert trips_breaker(Tallied(accepted, dead), small_domain=True) is small


@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 User unknown",
        "5.1.1 <kari@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
        "5.1.1 <full.quota@spam.example.com>: Recipient address rejected: User unknown in local recipient table",
        "5.1.1 The email account that you tried to reach does not exist. Please try\n5.1.1 double-checking the "
        "recipient's email address for typos or\n5.1.1 unnecessary spaces. For more information, go to\n"
        "5.1.1  https://support.example.com/mail/?p=NoSuchUser a640c23a62f3a-qsmtp",
        "5.1.1 <kari@example.com> recipient address rejected: mailbox unavailable",
        "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient kari@example.com not found by SMTP address lookup",
        "5.1.1 sorry, no mailbox here by that name. (#5.1.1)",
        "5.1.1 RCP-P1 bounce: no such user here",
    ],
)
def test_plain_words_leave_the_dead_dead(text: str) -> None:
    assert is_dead(outcome_of_reply(Stage.RCPT, 550, text))


@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 <kari@example.com>: mailbox full",
        "5.1.1 kari@example.com user is over quota",
        "5.1.1 The recipient's mailbox is\n5.1.1 full",
        "5.1.1 mailbox has exceeded its storage limit",
        "5.1.1 Service unavailable; client [192.0.2.1] blocked using zen.example.org",
        "5.1.1 Your host is on our blacklist",
        "5.1.1 Mail rejected: looks like SPAM",
        "5.1.1 rejected by local policy",
        "5.1.1 Mail refused because of the poor reputation of 192.0.2.1",
        "5.1.1 <kari@example.com>: Recipient address rejected: Access denied",
        "5.1.1 Relay access denied",
        "5.1.1 Greylisted, see https://example.com/",
        "5.1.1 <kari@example.com>: Recipient address rejected: please try again later",
        "5.1.1 mailbox temporarily unavailable",
        "5.1.1 the user has received too many messages",
    ],
)
def test_words_of_something_else_veto_the_code(text: str) -> None:
    """RULES F5, promise P6."""
    assert not is_dead(outcome_of_reply(Stage.RCPT, 550, text))
