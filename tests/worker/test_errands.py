"""Long work is done by one at a time for each subject, and nothing of a failure but its kind is told (RULES C7)."""

import asyncio
from collections import Counter

import pytest

from newsletter.worker.errands import Errands


async def test_an_errand_is_done_once_however_often_it_is_asked_for_and_again_when_it_is_over() -> None:
    ran: Counter[str] = Counter()
    go_on, errands = asyncio.Event(), Errands()

    async def work(subject: str) -> None:
        ran[subject] += 1
        await go_on.wait()

    for subject in ("one", "two", "one", "one"):
        errands.begin("mailing", subject, work)
    await asyncio.sleep(0)
    assert ran == {"one": 1, "two": 1}
    go_on.set()
    await errands.end(60)
    errands.begin("mailing", "one", work)
    await errands.end(60)
    assert ran == {"one": 2, "two": 1}


async def test_a_few_are_done_at_a_time_and_the_others_after_them() -> None:
    at_work, most, errands = 0, 0, Errands()

    async def work(_subject: str) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1

    for number in range(20):
        errands.begin("import", str(number), work)
    await errands.end(60)
    assert (most, at_work) == (4, 0)


async def test_what_is_still_under_way_at_the_end_is_cut_off() -> None:
    cut_off, begun, errands = asyncio.Event(), asyncio.Event(), Errands()

    async def hang(_subject: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.set()

    errands.begin("mailing", "one", hang)
    await begun.wait()
    await errands.end(0)
    assert cut_off.is_set()


async def test_a_failure_tells_its_kind_alone(capsys: pytest.CaptureFixture[str]) -> None:
    errands = Errands()

    async def fail(_subject: str) -> None:
        raise ValueError("kari@example.com")

    errands.begin("mailing", "an-id", fail)
    await errands.end(60)
    told = capsys.readouterr().out
    assert "errand_failed" in told
    assert "ValueError" in told
    assert "kari" not in told
