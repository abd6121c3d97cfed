"""People who are asked are nothing before they confirm; and whoever must not be mailed is not even asked."""

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.agreements.tables import Agreement
from newsletter.clock import TurnedClock
from newsletter.imports import actions, rules, staging
from newsletter.imports.tables import ImportState, Mode
from newsletter.imports.working import working
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.signup.actions import confirm, confirmation_token
from newsletter.signup.tables import SignupRequest
from tests.imports.files import SAID, bring_in, counts, open_weekly, people, prepare, standing, subscribed

ASK = SAID | {"mode": "confirm", "basis": "contract"}
SUPPRESS = {"mode": "suppress", "source": "the old tool"}


async def requests(installation: Installation) -> list[SignupRequest]:
    async with installation.database.read() as session:
        return list((await session.exec(select(SignupRequest))).all())


async def test_each_gets_a_letter_and_is_subscribed_when_they_confirm(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    job = await bring_in(installation, weekly, people(2), ASK)
    assert (job.state, job.accepted) == (ImportState.FINISHED, 2)
    assert await subscribed(installation, weekly) == {}
    first = next(request for request in await requests(installation) if request.email == "reader0@example.com")
    async with installation.database.write() as session:
        letters = (await session.exec(select(Letter))).all()
        assert [(letter.kind, letter.bulk) for letter in letters] == [("confirmation", True)] * 2
        await confirm(session, installation, confirmation_token(installation.keys, first.id))
        given = (await session.exec(select(Agreement).where(col(Agreement.subscription_id).is_not(None)))).one()
    assert (given.collection, given.source, given.witnessed) == ("import", SAID["source"], False)
    assert (await subscribed(installation, weekly))["reader0@example.com"].employer == "Example Books AS"


async def test_nobody_is_asked_twice_nor_who_is_subscribed_already(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    await bring_in(installation, weekly, people(1))
    await bring_in(installation, weekly, people(1, first=1), ASK)
    again = await bring_in(installation, weekly, people(3), ASK)
    assert counts(again) == {"rows": 3, "accepted": 1, "known": 2, "refused": 0, "withheld": 0}
    assert len(await requests(installation)) == 2


async def test_who_left_another_tool_is_not_brought_in_but_may_come(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    listed = await bring_in(installation, weekly, people(2), SUPPRESS)
    assert (listed.accepted, await subscribed(installation, weekly)) == (2, {})
    for said in (SAID, ASK):
        job = await bring_in(installation, weekly, people(3), said)
        assert job.withheld == 2
        assert job.refused == 0
    assert (await subscribed(installation, weekly)).keys() == {"reader2@example.com"}
    # Whoever reads that list again finds it as it is; one who is subscribed here stays.
    again = await bring_in(installation, weekly, people(3), SUPPRESS)
    assert (again.accepted, again.known) == (2, 1)
    assert (await subscribed(installation, weekly)).keys() == {"reader2@example.com"}


async def test_letters_leave_only_as_fast_as_they_are_mailed(
    sqlite_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many letters open as may be, an import waits, and goes on where it was."""
    monkeypatch.setattr(working, "MOST_OPEN_LETTERS", 4)
    monkeypatch.setitem(rules.SLICE, Mode.CONFIRM, 2)
    installation, looks = sqlite_installation, 0
    weekly = await open_weekly(installation)
    import_id = await prepare(installation, weekly, people(6), ASK)
    async with installation.database.write() as session:
        await actions.start(session, installation, await actions.by_id(session, import_id))

    def impatient() -> bool:
        """Give up after the looks that three slices would have taken, and one more."""
        nonlocal looks
        looks += 1
        return looks > 7

    await Importer(installation, "a worker", impatient).work_on(import_id)
    waiting = await standing(installation, import_id)
    assert (waiting.state, waiting.accepted) == (ImportState.RUNNING, 4)
    async with installation.database.write() as session:
        await session.execute(delete(Letter))
    await Importer(installation, "another worker").work_on(import_id)
    assert (await standing(installation, import_id)).accepted == 6


async def test_what_nobody_starts_and_what_nobody_reads_any_more_is_deleted(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    done = await bring_in(installation, weekly, people(1) + b"nobody,,,\n")
    left = await prepare(installation, weekly, people(1))
    clock.turn(clock.now() + timedelta(days=8))
    async with installation.database.write() as session:
        assert await actions.count_expired(session, installation) == 1
        assert await actions.purge_expired(session, installation) == 1
    assert not staging.is_here(installation, left)
    assert (await standing(installation, left)).state == ImportState.CANCELLED
    clock.turn(clock.now() + timedelta(days=7))
    async with installation.database.write() as session:
        assert await actions.purge_expired(session, installation) == 1
        assert await actions.count_expired(session, installation) == 0
        assert await actions.refusals(session, done.id) == []
    kept = await standing(installation, done.id)
    assert (kept.file_name, kept.source, kept.accepted) == ("", SAID["source"], 1)
