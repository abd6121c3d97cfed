"""Alarms: where our own mail does not pass as ours, the mailing pauses itself and says so (RULES F2)."""

import pytest

from newsletter.bounces.alarms import actions as alarms
from newsletter.bounces.rules import too_many_alarms
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from tests.bounces.coming_back import alive, comes, follows, report, return_address
from tests.delivery.cast import finish, mailing_to, people, send, standing, steer
from tests.support.peer import SmtpPeer

UNSIGNED = "550 5.7.26 this mail is unauthenticated"


@pytest.mark.parametrize(
    ("found", "tripped"),
    [
        ([], False),
        ([(500, 5)], False),
        ([(20, 6)], True),
        ([(500, 3), (999, 3)], True),
        ([(500, 3), (1000, 3)], False),
        ([(100, 1), (700, 6), (9000, 1)], True),
    ],
)
def test_more_than_one_in_a_hundred_of_any_500(found: list[tuple[int, int]], *, tripped: bool) -> None:
    assert too_many_alarms(found) is tripped


async def trouble(installation: Installation, mailing: Mailing) -> str:
    async with installation.database.read() as session:
        return (await session.get_one(Mailing, mailing.id)).trouble or ""


@pytest.mark.parametrize("stage", ["RCPT", "END"])
async def test_a_mailing_that_is_refused_for_what_we_do_wrong_pauses_itself_until_an_editor_lets_it_go_on(
    installation: Installation, peer: SmtpPeer, stage: str
) -> None:
    mailing = await mailing_to(installation, people(20))
    for email in people(6):
        peer.refuse(email, UNSIGNED, stage=stage)
    await send(installation, peer, mailing)
    await alarms.pause_alarmed(installation)
    assert (await standing(installation, mailing)).state == MailingState.PAUSED
    told = await trouble(installation, mailing)
    assert "5.7.26" in told
    assert "SPF, DKIM and DMARC" in told
    await steer(installation, mailing, "resume")
    await alarms.pause_alarmed(installation)
    assert (await standing(installation, mailing)).state == MailingState.SENDING, "they were told"
    await finish(installation)
    assert (await standing(installation, mailing)).refused == 6
    assert await alive(installation) == set(people(20)), "it is nobody's death"


async def test_reports_sound_the_alarm_too(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(sqlite_installation, people(20))
    await send(sqlite_installation, peer, mailing)
    for number, email in enumerate(people(6), 1):
        await comes(sqlite_installation, report(email, UNSIGNED, "5.7.26"), return_address(peer, email))
        await follows(sqlite_installation)
        await alarms.pause_alarmed(sqlite_installation)
        paused = (await standing(sqlite_installation, mailing)).state == MailingState.PAUSED
        assert paused is (number > 5)
