"""Bounces that wait in a mailbox, on a real IMAP server: what is ours is taken and moved away, the rest is not touched
(RULES E4, F5).
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.clock import TurnedClock
from newsletter.delivery.return_address import ReturnAddresses
from newsletter.installation import Installation
from newsletter.tokens import Keyring, new_id
from tests.bounces.coming_back import CAROL, HOUR, alive, follows, reports, return_address, sent
from tests.bounces.mailbox.mailboxes import MOVED, RETURNED, UNREAD, counted, look, mail, poller, report_to
from tests.delivery.cast import people
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.peer import SmtpPeer

STRANGER = Keyring(b"somebody else's secret, 32 bytes or more")
LETTER = [("A letter to the editor", UNREAD)]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


async def test_a_bounce_ends_its_person_and_other_mail_stays_as_it_lies(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    address = return_address(peer)
    old = ReturnAddresses(installation.keys, "bounces.example.com", new_id()).of(0, 1_600_000_000)
    forged = ReturnAddresses(STRANGER, "bounces.example.com", new_id()).of(0, clock.now().timestamp())
    dovecot.deliver(
        mail("editor@example.com", "A letter to the editor"), report_to(address), report_to(address.upper())
    )
    dovecot.deliver(
        mail(old, "From long ago"), mail(forged, "By somebody else"), mail("abuse@bounces.example.com", "?")
    )
    left = [*LETTER, ("From long ago", UNREAD), ("By somebody else", UNREAD), ("?", UNREAD)]
    first = poller(installation, dovecot.url("imap"))
    for _ in range(2):
        await look(first, clock)
        assert dovecot.mails() == left
        assert dovecot.mails("Processed") == [(RETURNED, MOVED), (RETURNED, MOVED)]
        assert await counted(installation) == {"accepted": 1, "repeated": 1, "expired": 1, "forged": 1, "foreign": 1}
    await look(poller(installation, dovecot.url("imap")), clock)
    assert (await counted(installation))["forged"] == 1, "not again after a restart"
    await follows(installation)
    clock.turn(clock.now() + HOUR)
    assert await follows(installation) == 1
    assert await alive(installation) == set(people(5))


async def test_what_was_taken_and_not_moved_is_moved_later_and_has_one_effect(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    dovecot.deliver(report_to(return_address(peer)))
    obstacle = dovecot.folder / "mail" / ".Processed"
    obstacle.write_text("no folder")
    await look(poller(installation, dovecot.url("imap")), clock)
    assert len(await reports(installation)) == 1
    assert dovecot.mails() == [(RETURNED, UNREAD)]
    obstacle.unlink()
    await look(poller(installation, dovecot.url("imap")), clock)
    assert dovecot.mails() == []
    assert dovecot.mails("Processed") == [(RETURNED, MOVED)]
    assert len(await reports(installation)) == 1


async def test_one_worker_of_all_looks_into_it_and_another_follows(
    installation: Installation, clock: TurnedClock, dovecot: Dovecot
) -> None:
    forged = ReturnAddresses(STRANGER, "bounces.example.com", new_id()).of(0, clock.now().timestamp())
    first, second = (poller(installation, dovecot.url("imap"), name) for name in ("worker-0", "worker-1"))
    dovecot.deliver(mail(forged, "One"))
    await look(first, clock)
    dovecot.deliver(mail(forged, "Two"))
    await look(second, clock)
    assert await counted(installation) == {"forged": 1}, "the first one has it"
    await first.release()
    await look(second, clock)
    assert await counted(installation) == {"forged": 2}, "and the second goes on where that one was"


async def test_somebody_unsubscribes_by_mail_from_the_mailbox(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    to = str(peer.mails_to(CAROL)[-1].message["List-Unsubscribe"]).partition("<mailto:")[2].partition("?")[0]
    dovecot.deliver(mail(to, "unsubscribe"), mail("editor@example.com", "A letter to the editor"))
    await look(poller(sqlite_installation, dovecot.url("imap")), clock)
    assert await alive(sqlite_installation) == set(people(2))
    assert dovecot.mails() == LETTER
    assert await counted(sqlite_installation) == {"unsubscribed": 1}


async def test_what_was_processed_is_deleted_when_it_is_over_and_nothing_else(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    """Dovecot goes by its own clock: so everything came today, and it is ours that is turned."""
    clock.turn(dovecot.now)
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    dovecot.deliver(report_to(return_address(peer)))
    first = poller(sqlite_installation, dovecot.url("imap"))
    await look(first, clock)
    dovecot.deliver(mail("editor@example.com", "A letter to the editor"), folder="Processed")
    with dovecot.client() as client:
        client.select("Processed")
        client.store("2", "+FLAGS", r"\Deleted")
    await look(first, clock, timedelta(days=29))
    assert len(dovecot.mails("Processed")) == 2
    await look(first, clock, timedelta(days=3))
    assert dovecot.mails("Processed") == [("A letter to the editor", r"\Deleted")], "it is for others to delete that"
    assert dovecot.mails() == []
