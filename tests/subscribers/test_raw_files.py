"""On SQLite the bytes of whoever left are gone from the raw files too (RULES C7, promise P2)."""

import asyncio
import re
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, erase_person
from newsletter.agreements.opening import open_newsletter
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.signup import actions as signup
from newsletter.signup.notice_shown import current_notice
from newsletter.signup.rules import FIELDS, read_signup
from newsletter.subscribers.actions import active_subscription
from newsletter.subscribers.tables import Subscriber
from newsletter.tokens import new_id
from newsletter.unsubscribe.actions import unsubscribe
from tests.support.waiting import eventually_async

EMAIL_CANONICAL_AND_INDEX = 3
MARK = re.compile(rb"mark[a-z2-7]{26}")


def raw_bytes(installation: Installation) -> bytes:
    """Give every byte of the database: its file, its write-ahead log, its shared memory."""
    file = Path(make_url(installation.settings.database).database or "")
    files = [path for path in sorted(file.parent.iterdir()) if path.name.startswith(file.name)]
    return b"".join(path.read_bytes() for path in files)


def found(installation: Installation, marks: list[str]) -> list[str]:
    """Give those of the marks that are in the raw files."""
    copies = count(installation)
    return [mark for mark in marks if copies[mark]]


def count(installation: Installation) -> Counter[str]:
    """Give how often each mark is in the raw files."""
    return Counter(mark.decode() for mark in MARK.findall(raw_bytes(installation)))


def new_marks(number: int) -> list[str]:
    """Give texts that are nowhere else, for names and addresses."""
    return [f"mark{new_id()}" for _ in range(number)]


async def open_weekly(installation: Installation) -> Newsletter:
    """Open a newsletter."""
    async with installation.database.write() as session:
        settings = {"name": "Weekly", "sender": "Weekly <weekly@example.com>"}
        return await open_newsletter(session, installation, "weekly", settings)


async def ask(installation: Installation, weekly: Newsletter, marks: list[str]) -> list[str]:
    """Ask with each mark in every field, as long as it may be; give the requests."""
    async with installation.database.write() as session:
        asked = signup.Asked(
            await current_notice(session, weekly, "nb", installation.clock.now()), True, Origin("subject", "form"), 72
        )
        requests = []
        for mark in marks:
            names = {field: f"{mark} {'Øæå' * 40}"[:64].strip() for field in FIELDS}
            typed = read_signup({"email": f"{mark}.{'x' * 30}@example.com", "agreed": True, **names}, "nb")
            requests.append(await signup.ask(session, installation, weekly, typed, asked))
    return requests


async def subscribe(installation: Installation, weekly: Newsletter, marks: list[str]) -> None:
    """Subscribe one person with each mark, in another order than they asked in."""
    requests = await ask(installation, weekly, marks)
    requests.sort(key=lambda _: new_id())
    async with installation.database.write() as session:
        for request in requests:
            token = signup.confirmation_token(installation.keys, request)
            await signup.confirm(session, installation, token)


async def leave(installation: Installation, weekly: Newsletter, mark: str) -> None:
    """Let the person with that mark leave."""
    async with installation.database.write() as session:
        address = f"{mark}.{'x' * 30}@example.com"
        subscription = await active_subscription(session, weekly.id, address)
        assert subscription is not None
        await unsubscribe(session, installation, subscription.id, "link")


async def forgotten(installation: Installation) -> bool:
    """Do what the worker does every ten seconds."""
    return await installation.database.forget()


async def test_after_the_last_goodbye_no_byte_is_left(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    marks = new_marks(50)
    await subscribe(installation, weekly, marks)
    assert found(installation, marks) == marks
    assert await forgotten(installation)
    assert found(installation, marks) == marks
    leaving = list(marks)
    leaving.sort(key=lambda _: new_id())
    for mark in leaving:
        await leave(installation, weekly, mark)
    await eventually_async(lambda: forgotten(installation))
    assert found(installation, marks) == []


async def test_among_those_who_stay_no_byte_of_those_who_left_is_left(sqlite_installation: Installation) -> None:
    """Where SQLite parts pages it may leave copies of rows in their gaps, which `secure_delete` doesn't reach."""
    installation = sqlite_installation
    marks: list[str] = []
    copied: list[str] = []
    while not copied and len(marks) < 60_000:
        new = new_marks(5000)
        await settle(installation, new)
        marks += new
        await forgotten(installation)
        copied = [mark for mark, copies in count(installation).items() if copies > EMAIL_CANONICAL_AND_INDEX]
    if not copied:
        pytest.skip("this SQLite left no copy of anybody anywhere")

    await remove(installation, copied)
    assert found(installation, copied) == copied
    await eventually_async(lambda: forgotten(installation))
    assert found(installation, copied) == []
    assert len(found(installation, marks)) == len(marks) - len(copied)


async def settle(installation: Installation, marks: list[str]) -> None:
    """Store many people at once, with shorter and longer addresses."""
    now = installation.clock.now()
    rows = []
    for number, mark in enumerate(marks):
        address = f"{mark}{'x' * (number % 3 * 20)}@example.com"
        rows.append({"id": mark[-26:], "email": address, "canonical": address, "language": "nb", "created_at": now})
    async with installation.database.write() as session:
        await session.execute(insert(Subscriber), rows)


async def remove(installation: Installation, marks: list[str]) -> None:
    """Delete people, one after the other."""
    async with installation.database.write() as session:
        for mark in marks:
            await erase_person(session, installation, mark[-26:], Cause.ERASED, Origin("subject", "page"))


async def test_a_request_that_nobody_confirmed_leaves_no_byte(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    """RULES C6."""
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    marks = new_marks(30)
    await ask(installation, weekly, marks)
    assert found(installation, marks) == marks
    clock.turn(clock.now().replace(day=clock.now().day + 4))
    async with installation.database.write() as session:
        await signup.purge_unconfirmed(session, clock)
    await eventually_async(lambda: forgotten(installation))
    assert found(installation, marks) == []


async def test_where_nobody_left_the_file_is_not_written_anew(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    await subscribe(installation, weekly, new_marks(1))
    assert await installation.database.forget()
    assert marked(installation) == 0


async def test_a_reader_who_is_busy_only_delays_it(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    (mark,) = new_marks(1)
    await subscribe(installation, weekly, [mark])
    await forgotten(installation)
    file = str(make_url(installation.settings.database).database)
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM subscriber").fetchone()
    await leave(installation, weekly, mark)
    assert not await forgotten(installation)
    reader.execute("COMMIT")
    reader.close()
    await eventually_async(lambda: forgotten(installation))
    assert found(installation, [mark]) == []


async def test_a_writer_elsewhere_only_delays_it(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    (mark,) = new_marks(1)
    await subscribe(installation, weekly, [mark])
    await leave(installation, weekly, mark)
    other = sqlite3.connect(str(make_url(installation.settings.database).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not await forgotten(installation)
    assert marked(installation) > 0
    other.execute("ROLLBACK")
    other.close()
    await eventually_async(lambda: forgotten(installation))
    assert marked(installation) == 0
    assert found(installation, [mark]) == []


def marked(installation: Installation) -> int:
    """Give how often somebody was deleted since the file was last written anew."""
    with sqlite3.connect(str(make_url(installation.settings.database).database)) as connection:
        number = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return number


async def test_at_the_stop_a_large_file_is_left_to_the_next_start(
    sqlite_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.database.forgetting._LARGE", 0)
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    (mark,) = new_marks(1)
    await subscribe(installation, weekly, [mark])
    await leave(installation, weekly, mark)
    assert not await installation.database.forget(briefly=True)
    # Where no page was parted, overwriting what is deleted has done it already.
    assert found(installation, [mark]) == []
    assert marked(installation) > 0
    assert await installation.database.forget()


async def test_a_deletion_that_is_taken_back_leaves_no_mark(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    (mark,) = new_marks(1)
    await subscribe(installation, weekly, [mark])

    async def leave_and_fail() -> None:
        async with installation.database.write() as session:
            subscription = await active_subscription(session, weekly.id, f"{mark}.{'x' * 30}@example.com")
            assert subscription is not None
            await unsubscribe(session, installation, subscription.id, "link")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        await leave_and_fail()
    assert marked(installation) == 0
    assert found(installation, [mark]) == [mark]


async def test_whoever_stops_does_not_wait_for_the_file_to_be_written_anew(
    sqlite_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is broken off, and nothing is lost: the mark stays for the next start."""
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    (mark,) = new_marks(1)
    await subscribe(installation, weekly, [mark])
    await leave(installation, weekly, mark)
    async with installation.database._engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        monkeypatch.setattr(installation.database._forgetting, "_rewriting", driver)
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        working = asyncio.create_task(driver.execute(endless))

        async def broken_off() -> bool:
            await installation.database.forget_later()
            return working.done()

        await eventually_async(broken_off)
        assert isinstance(working.exception(), sqlite3.OperationalError)
    monkeypatch.undo()
    assert marked(installation) > 0
    await eventually_async(lambda: forgotten(installation))
    assert marked(installation) == 0
