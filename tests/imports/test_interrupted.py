"""An import that is interrupted, whenever, is gone on with exactly where it stopped (DESIGN §5)."""

import pytest

from newsletter.imports import actions, rules
from newsletter.imports.tables import Import, ImportState, Mode
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from tests.imports.files import carry_out, open_weekly, people, prepare, refused, standing, subscribed

ROWS = 25


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.SLICE, Mode.AGREED, 4)


async def started(installation: Installation, content: bytes) -> str:
    weekly = await open_weekly(installation)
    import_id = await prepare(installation, weekly, content)
    async with installation.database.write() as session:
        await actions.start(session, installation, await actions.by_id(session, import_id))
    return import_id


class Power:
    """Fails after so many slices."""

    def __init__(self, slices: int) -> None:
        self.slices = slices

    def told(self, _: Import) -> None:
        self.slices -= 1

    def failed(self) -> bool:
        return self.slices <= 0


async def test_one_after_the_other_takes_a_slice_and_it_is_as_if_one_had_done_it(installation: Installation) -> None:
    """Also what repeats, across slices that different workers took, is found."""
    content = people(ROWS) + people(2).partition(b"\n")[2] + b"nobody,,,\r\n"
    import_id = await started(installation, content)
    job = await standing(installation, import_id)
    for turn in range(20):
        power = Power(1)
        await Importer(installation, f"worker {turn}", power.failed, power.told).work_on(import_id)
        job = await standing(installation, import_id)
        assert job.accepted == len(await subscribed(installation, await newsletter_of(installation, job)))
        if job.state == ImportState.FINISHED:
            break
    assert (job.state, job.rows, job.accepted, job.known) == (ImportState.FINISHED, ROWS + 3, ROWS, 0)
    assert await refused(installation, job) == {27: "repeated", 28: "repeated", 29: "bad_address"}


async def newsletter_of(installation: Installation, job: Import) -> Newsletter:
    async with installation.database.read() as session:
        return await newsletters.by_id(session, job.newsletter_id)


async def test_two_at_once_do_nothing_twice(installation: Installation) -> None:
    """One was frozen with a slice in hand, and its successor, by the same name, has gone on meanwhile."""
    import_id = await started(installation, people(ROWS))
    frozen = True

    class Frozen(Importer):
        async def _take(self, *arguments: object) -> Import:
            nonlocal frozen
            if frozen:
                frozen, power = False, Power(2)
                await Importer(installation, "a worker", power.failed, power.told).work_on(import_id)
            return await super()._take(*arguments)  # type: ignore[arg-type]  # handed on as they came

    await Frozen(installation, "a worker").work_on(import_id)
    halfway = await standing(installation, import_id)
    assert (halfway.state, halfway.rows) == (ImportState.RUNNING, 8)
    assert await Importer(installation, "another").waiting() == [import_id]
    await Importer(installation, "another").work_on(import_id)
    job = await standing(installation, import_id)
    assert (job.state, job.rows, job.accepted, job.known) == (ImportState.FINISHED, ROWS, ROWS, 0)


async def test_whoever_holds_it_is_not_disturbed(installation: Installation) -> None:
    import_id = await started(installation, people(ROWS))
    seen: list[list[str]] = []

    class Looking(Importer):
        async def _take(self, *arguments: object) -> Import:
            other = Importer(installation, "worker 2")
            await other.work_on(import_id)
            seen.append(await other.waiting())
            return await super()._take(*arguments)  # type: ignore[arg-type]  # handed on as they came

    await Looking(installation, "worker 1").work_on(import_id)
    assert seen
    assert not any(seen)
    assert (await standing(installation, import_id)).accepted == ROWS


async def test_cancelled_meanwhile_it_stops(installation: Installation) -> None:
    import_id = await started(installation, people(ROWS))
    done = False

    class Cancelled(Importer):
        async def _take(self, *arguments: object) -> Import:
            nonlocal done
            job = await super()._take(*arguments)  # type: ignore[arg-type]  # handed on as they came
            if not done:
                done = True
                async with installation.database.write() as session:
                    actions.cancel(installation, await actions.by_id(session, import_id, lock=True))
            return job

    await Cancelled(installation, "worker 1").work_on(import_id)
    job = await standing(installation, import_id)
    assert (job.state, job.accepted) == (ImportState.CANCELLED, 4)


async def test_a_dry_run_may_be_repeated(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    weekly = await open_weekly(installation)
    import_id = await prepare(installation, weekly, people(3))
    job = await carry_out(installation, import_id, "check")
    assert (job.state, job.accepted) == (ImportState.CHECKED, 3)
    job = await carry_out(installation, import_id, "check")
    assert (job.state, job.accepted) == (ImportState.CHECKED, 3)
