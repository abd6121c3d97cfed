"""A planned mailing begins at its time, not before; until then it can be taken back, and its issue is a draft."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.clock import TurnedClock
from newsletter.delivery import actions
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.desk.planning import as_read, as_typed, read_start
from newsletter.errors import InvalidInput
from newsletter.installation import Installation
from newsletter.issues import actions as issues
from tests.delivery.cast import BODY, found, people, standing, steer, subscribe

TOMORROW = datetime(2026, 11, 3, 7, 30, tzinfo=UTC)


async def planned(installation: Installation, starts_at: datetime = TOMORROW) -> Mailing:
    """Plan a mailing to five readers."""
    newsletter = await found(installation)
    await subscribe(installation, newsletter, people(5))
    async with installation.database.write() as session:
        issue = await issues.write(session, installation.clock, newsletter.id, "News of the week", BODY)
        return await actions.schedule(session, installation, issue.id, undo=True, starts_at=starts_at)


async def begin_due(installation: Installation) -> None:
    """Do what the worker does every moment."""
    async with installation.database.write() as session:
        await actions.start_due(session, installation.clock)


async def state(installation: Installation, mailing: Mailing) -> str:
    await begin_due(installation)
    return (await standing(installation, mailing)).state


async def test_it_begins_at_its_time(installation: Installation, clock: TurnedClock) -> None:
    mailing = await planned(installation)
    clock.turn(TOMORROW - timedelta(seconds=1))
    assert await state(installation, mailing) == MailingState.SCHEDULED
    clock.turn(TOMORROW)
    assert await state(installation, mailing) == MailingState.SENDING
    assert (await standing(installation, mailing)).audience == 5


async def test_who_subscribes_until_then_gets_it_too(installation: Installation, clock: TurnedClock) -> None:
    mailing = await planned(installation)
    async with installation.database.read() as session:
        _, newsletter = await issues.by_id(session, mailing.issue_id)
    await subscribe(installation, newsletter, ["late@example.com"])
    clock.turn(TOMORROW)
    await begin_due(installation)
    assert (await standing(installation, mailing)).audience == 6


async def test_taken_back_it_never_begins_and_can_be_planned_anew(
    installation: Installation, clock: TurnedClock
) -> None:
    mailing = await planned(installation)
    await steer(installation, mailing, "cancel")
    clock.turn(TOMORROW)
    assert await state(installation, mailing) == MailingState.CANCELLED
    async with installation.database.write() as session:
        assert not actions.is_fixed(await actions.of_issue(session, mailing.issue_id))
        again = TOMORROW + timedelta(days=1)
        mailing = await actions.schedule(session, installation, mailing.issue_id, undo=False, starts_at=again)
    assert await state(installation, mailing) == MailingState.SCHEDULED


@pytest.mark.parametrize("resumed_at", [TOMORROW - timedelta(hours=2), TOMORROW + timedelta(hours=2)])
async def test_paused_and_resumed_it_keeps_its_time_or_begins_at_once_where_that_has_passed(
    installation: Installation, clock: TurnedClock, resumed_at: datetime
) -> None:
    mailing = await planned(installation)
    await steer(installation, mailing, "pause")
    clock.turn(resumed_at)
    assert await state(installation, mailing) == MailingState.PAUSED
    await steer(installation, mailing, "resume")
    ahead = resumed_at < TOMORROW
    assert await state(installation, mailing) == (MailingState.SCHEDULED if ahead else MailingState.SENDING)
    clock.turn(max(TOMORROW, resumed_at))
    assert await state(installation, mailing) == MailingState.SENDING


@pytest.mark.parametrize(
    ("ahead", "why"), [(timedelta(0), "has passed"), (-timedelta(days=1), "has passed"), (timedelta(days=400), "year")]
)
async def test_a_time_that_can_not_be_meant_is_refused(installation: Installation, ahead: timedelta, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        await planned(installation, installation.clock.now() + ahead)
    assert set(refused.value.fields) == {"starts_at"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-03T08:30", TOMORROW),
        ("2026-07-01T08:30", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-11-03T08:30:00+02:00", datetime(2026, 11, 3, 6, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_typed_time_is_read_by_the_clocks_of_oslo(typed: str, meant: datetime | None) -> None:
    assert read_start(typed) == meant


@pytest.mark.parametrize("typed", ["tomorrow", "2026-13-01T08:00", "2027-03-28T02:30"])
def test_a_time_that_does_not_exist_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        read_start(typed)


def test_a_planned_time_is_shown_as_it_was_typed() -> None:
    assert as_typed(TOMORROW) == "2026-11-03T08:30"
    assert as_read(TOMORROW, "en") == "Tuesday 3. November 2026, 08:30"
