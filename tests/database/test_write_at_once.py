"""A transaction that is carried out as a whole commits once, or leaves nothing; on SQLite without the loop."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import func, insert
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.delivery.tables import Result
from newsletter.installation import Installation


async def append(number: int, session: Session) -> int:
    """Append a result, and read it back in the same transaction."""
    values = {"mailing_id": "m", "number": number, "attempt": 1, "outcome": "delivered"}
    await session.execute(insert(Result).values(values))
    return len((await session.exec(select(Result.number).where(col(Result.number) == number))).all())


async def append_and_fail(session: Session) -> None:
    await append(1, session)
    raise LookupError


async def count(installation: Installation) -> int:
    async with installation.database.read() as session:
        return (await session.exec(select(func.count()).select_from(Result))).one()


async def test_what_was_done_is_there_afterwards(installation: Installation) -> None:
    assert await installation.database.write_at_once(partial(append, 1)) == 1
    assert await count(installation) == 1


async def test_of_what_failed_nothing_is_left(installation: Installation) -> None:
    with pytest.raises(LookupError):
        await installation.database.write_at_once(append_and_fail)
    assert await count(installation) == 0


async def test_many_at_once_wait_for_each_other(installation: Installation) -> None:
    database = installation.database
    await asyncio.gather(*(database.write_at_once(partial(append, number)) for number in range(20)))
    assert await count(installation) == 20


async def test_who_is_cancelled_meanwhile_leaves_nothing_half_done(sqlite_installation: Installation) -> None:
    """Whether it came through or not: the next one finds the database free."""
    database = sqlite_installation.database
    writing = asyncio.create_task(database.write_at_once(partial(append, 1)))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert await database.write_at_once(partial(append, 2)) == 1
    assert await count(sqlite_installation) in (1, 2)


async def test_work_that_waits_for_something_else_is_refused(sqlite_installation: Installation) -> None:
    async def dawdle(session: Session) -> None:
        await append(1, session)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waits for something else"):
        await sqlite_installation.database.write_at_once(dawdle)
    assert await count(sqlite_installation) == 0
