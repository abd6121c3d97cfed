"""A request that came by letter is worked on, answered, and then names nobody (RULES B1, C1)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from newsletter import schema
from newsletter.agreements.actions import Origin
from newsletter.clock import TurnedClock
from newsletter.errors import Conflict, InvalidInput
from newsletter.installation import Installation
from newsletter.rights.desk import actions as desk
from newsletter.rights.desk.tables import Arrival, Outcome, RequestKind, RightsRequest, StepKind
from newsletter.rights.my import choices
from tests.delivery.cast import found
from tests.rights.desk.at_the_desk import KARI, employed, letter_came, subscribed

NAMING = ("Kari", "Ramstad", "Storgata", "Writes by hand", "called back")


async def everything(installation: Installation) -> str:
    """Give every value of every table, as text."""
    async with installation.database.read() as session:
        rows = [
            str(tuple(row))
            for table in schema.METADATA.tables
            if table != "audit_entry"
            for row in (await session.execute(text(f'SELECT * FROM "{table}"'))).all()
        ]
    return "\n".join(rows)


async def test_a_letter_finds_its_subscriber_and_gets_its_due_date(installation: Installation) -> None:
    person = await subscribed(installation, await found(installation))
    request = await letter_came(installation, await employed(installation))
    assert request.due_on == date(2026, 12, 2)
    async with installation.database.read() as session:
        subject = await desk.subject_of(session, request.id)
        assert subject is not None
        assert (subject.subscriber_id, subject.who) == (person.id, "Kari Ramstad, Storgata 1")
        assert [one.id for one in await desk.open_about(session, person.id)] == [request.id]


async def test_closing_leaves_kind_dates_and_outcome_and_nothing_that_names_anyone(installation: Installation) -> None:
    newsletter, editor = await found(installation), await employed(installation)
    person = await subscribed(installation, newsletter)
    request = await letter_came(installation, editor)
    async with installation.database.write() as session:
        held = await desk.find(session, request.id, to_change=True)
        await desk.identify(session, installation, held, "called back on the known number", editor.id)
        desk.step(session, installation, held, StepKind.ERASED, editor.id)
        await choices.erase(session, installation, person.canonical, Origin("editor", "rights desk"))
    async with installation.database.write() as session:
        held = await desk.find(session, request.id, to_change=True)
        await desk.close(session, installation, held, Outcome.FULFILLED, editor.id)
    left = await everything(installation)
    assert [word for word in (*NAMING, KARI, person.id) if word in left] == []
    async with installation.database.read() as session:
        kept = await desk.find(session, request.id)
        assert (kept.kind, kept.outcome, kept.closed_on) == ("erasure", "fulfilled", date(2026, 11, 2))
        steps = {step.kind for step in await desk.steps_of(session, request.id)}
    assert steps == {"registered", "identified", "erased", "answered"}


async def test_closing_forgets_who_asked_also_where_they_stay(installation: Installation) -> None:
    editor = await employed(installation)
    person = await subscribed(installation, await found(installation))
    request = await letter_came(installation, editor, RequestKind.ACCESS)
    async with installation.database.write() as session:
        held = await desk.find(session, request.id, to_change=True)
        await desk.identify(session, installation, held, "called back on the known number", editor.id)
        await desk.close(session, installation, held, Outcome.FULFILLED, editor.id)
    left = await everything(installation)
    assert [word for word in ("Storgata", "Writes by hand", "called back") if word in left] == []
    assert KARI in left
    async with installation.database.read() as session:
        assert await desk.open_about(session, person.id) == []
        assert await desk.subject_of(session, request.id) is None


async def test_whoever_erases_themselves_meanwhile_is_not_named_by_their_open_request(
    installation: Installation,
) -> None:
    person = await subscribed(installation, await found(installation))
    request = await letter_came(installation, await employed(installation), RequestKind.ACCESS)
    async with installation.database.write() as session:
        await choices.erase(session, installation, person.canonical, Origin("subject", "my page"))
    left = await everything(installation)
    assert [word for word in (*NAMING, KARI, person.id) if word in left] == []
    async with installation.database.read() as session:
        assert (await desk.find(session, request.id)).closed_on is None


async def test_nothing_is_changed_or_fulfilled_for_somebody_unidentified(sqlite_installation: Installation) -> None:
    installation, editor = sqlite_installation, await employed(sqlite_installation)
    request = await letter_came(installation, editor)
    for step in (StepKind.ERASED, StepKind.CORRECTED, StepKind.EXPORTED, StepKind.RESTRICTED):
        async with installation.database.write() as session:
            with pytest.raises(Conflict, match="Nobody knows yet"):
                desk.step(session, installation, request, step, editor.id)
    async with installation.database.write() as session:
        held = await desk.find(session, request.id, to_change=True)
        with pytest.raises(Conflict):
            await desk.close(session, installation, held, Outcome.FULFILLED, editor.id)
        await desk.close(session, installation, held, Outcome.NOT_IDENTIFIED, editor.id)
    async with installation.database.write() as session:
        with pytest.raises(Conflict, match="closed"):
            await desk.find(session, request.id, to_change=True)


async def test_a_check_of_identity_counts_for_the_person_it_was_about(sqlite_installation: Installation) -> None:
    installation, newsletter = sqlite_installation, await found(sqlite_installation)
    await subscribed(installation, newsletter)
    await subscribed(installation, newsletter, "ola@example.com")
    editor = await employed(installation)
    request = await letter_came(installation, editor)
    async with installation.database.write() as session:
        held = await desk.find(session, request.id, to_change=True)
        await desk.identify(session, installation, held, "called back on the known number", editor.id)
        assert await desk.point_to(session, held, KARI)
        desk.step(session, installation, held, StepKind.EXPORTED, editor.id)
        assert await desk.point_to(session, held, "ola@example.com")
        with pytest.raises(Conflict, match="Nobody knows yet"):
            desk.step(session, installation, held, StepKind.EXPORTED, editor.id)


@pytest.mark.parametrize("received_on", [date(2026, 11, 3), date(2025, 10, 1)])
async def test_a_day_that_can_not_be_is_refused(sqlite_installation: Installation, received_on: date) -> None:
    editor = await employed(sqlite_installation)
    with pytest.raises(InvalidInput) as refused:
        await letter_came(sqlite_installation, editor, received_on=received_on)
    assert set(refused.value.fields) == {"received_on"}


async def test_a_closed_request_goes_after_three_years_and_an_open_one_stays(
    installation: Installation, clock: TurnedClock
) -> None:
    editor = await employed(installation)
    closed, waiting = await letter_came(installation, editor), await letter_came(installation, editor)
    async with installation.database.write() as session:
        held = await desk.find(session, closed.id, to_change=True)
        await desk.close(session, installation, held, Outcome.TAKEN_BACK, editor.id)
    for days, expected in ((3 * 365, 0), (3 * 365 + 1, 1)):
        clock.turn(closed_at := clock.now().replace(year=2026, month=11, day=2) + timedelta(days=days))
        async with installation.database.write() as session:
            assert await desk.count_expired(session, installation) == expected, closed_at
            assert await desk.purge_expired(session, installation) == expected
    async with installation.database.read() as session:
        assert (await session.exec(select(RightsRequest.id))).all() == [waiting.id]
        assert Arrival(waiting.arrival) is Arrival.LETTER
