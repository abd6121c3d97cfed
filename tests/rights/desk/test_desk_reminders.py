"""The editors are reminded of what is due 14, 7 and 1 days before, and every day once it is late: each time once."""

import asyncio
from datetime import UTC, date, datetime

from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.mail.tables import Letter, LetterKind
from newsletter.rights.desk import actions as desk
from newsletter.rights.desk.letters import remind, write_reminder
from newsletter.rights.desk.tables import Outcome
from tests.delivery.cast import found
from tests.rights.desk.at_the_desk import employed, letter_came, subscribed


async def waiting(installation: Installation) -> list[Letter]:
    """Give the reminders that wait, and take them out."""
    async with installation.database.write() as session:
        letters = list((await session.exec(select(Letter).where(Letter.kind == LetterKind.RIGHTS_DUE))).all())
        await session.execute(delete(Letter).where(col(Letter.kind) == LetterKind.RIGHTS_DUE))
    return letters


async def look(installation: Installation) -> None:
    async with installation.database.write() as session:
        await remind(session, installation)


async def test_each_reminder_goes_out_once_on_its_day(installation: Installation, clock: TurnedClock) -> None:
    editor = await employed(installation)
    await letter_came(installation, editor, received_on=date(2026, 11, 2))  # due on 2 December
    reminded = []
    for day in [date(2026, 11, n) for n in range(3, 31)] + [date(2026, 12, n) for n in range(1, 6)]:
        for hour in (3, 9, 21):
            clock.turn(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
            await look(installation)
            reminded += [day.isoformat()] * len(await waiting(installation))
    assert reminded == ["2026-11-18", "2026-11-25", "2026-12-01", "2026-12-03", "2026-12-04", "2026-12-05"]


async def test_many_workers_that_look_at_once_write_one_letter_to_each_editor(
    installation: Installation, clock: TurnedClock
) -> None:
    await letter_came(installation, await employed(installation))
    clock.turn(datetime(2026, 12, 3, 9, tzinfo=UTC))
    await asyncio.gather(*(look(installation) for _ in range(5)))
    assert len(await waiting(installation)) == 1


async def test_the_letter_says_how_late_it_is_and_names_nobody(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    installation = sqlite_installation
    await subscribed(installation, await found(installation))
    editor = await employed(installation)
    request = await letter_came(installation, editor)
    clock.turn(datetime(2026, 12, 5, 9, tzinfo=UTC))
    await look(installation)
    (letter,) = await waiting(installation)
    async with installation.database.read() as session:
        written = await write_reminder(installation, session, letter)
    assert written is not None
    said = written.content.decode()
    assert written.envelope.recipient == "olga@example.com"
    assert "Subject: Overdue: 1 of 1 rights requests" in said
    assert "3 days overdue" in said
    assert "/console/rights" in said
    assert "Kari" not in said
    assert "kari" not in said
    async with installation.database.write() as session:
        held = await desk.find(session, request.id, to_change=True)
        await desk.close(session, installation, held, Outcome.NOTHING_HELD, editor.id)
    async with installation.database.read() as session:
        assert await write_reminder(installation, session, letter) is None
