"""Passwords are looked at by two threads; the line in front of them is short, and half of it is not for strangers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from newsletter.editors.passwords import hashing
from newsletter.editors.passwords.hashing import LINE, LINE_OF_STRANGERS, THREADS, Busy
from tests.editors.desk import EMAIL, SIGN_IN, Desk


@contextmanager
def held_up(line: hashing.Line) -> Iterator[None]:
    """Keep the threads busy for as long as the block lasts."""
    go_on = threading.Event()
    for _ in range(THREADS):
        line._threads.submit(go_on.wait)
    try:
        yield
    finally:
        go_on.set()


async def test_who_finds_the_line_full_is_told_so_and_strangers_fill_half_of_it() -> None:
    line = hashing.Line()
    with held_up(line):
        strangers = [asyncio.create_task(line.wait_for(lambda: 1, LINE_OF_STRANGERS)) for _ in range(50)]
        await asyncio.wait(strangers, timeout=0, return_when=asyncio.FIRST_COMPLETED)
        editors = [asyncio.create_task(line.wait_for(lambda: 2, LINE)) for _ in range(50)]
        await asyncio.sleep(0)
        assert sum(task.done() for task in strangers) == 50 - LINE_OF_STRANGERS
        assert sum(task.done() for task in editors) == 50 - (LINE - LINE_OF_STRANGERS)
    done = await asyncio.gather(*strangers, *editors, return_exceptions=True)
    assert done.count(1) == LINE_OF_STRANGERS
    assert done.count(2) == LINE - LINE_OF_STRANGERS
    assert {type(each) for each in done} == {int, Busy}
    assert await line.wait_for(lambda: 3, LINE) == 3


async def test_whoever_gave_up_waiting_is_in_nobodys_way() -> None:
    line = hashing.Line()
    with held_up(line):
        waiting = [asyncio.create_task(line.wait_for(lambda: 1, LINE)) for _ in range(LINE)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert line._waiting == 0


async def test_a_flood_of_sign_ins_is_answered_with_429_and_uses_no_try_up(desk: Desk) -> None:
    token = await desk.csrf()
    values = {"email": EMAIL, "password": "not the password", "_csrf_token": token}
    doors = [desk.elsewhere(f"192.0.2.{number}", same_cookies=True) for number in range(LINE_OF_STRANGERS + 5)]
    with held_up(hashing._line()):
        asked = []
        for number, door in enumerate(doors):
            form = values | {"email": f"somebody{number}@example.com"}
            asked.append(asyncio.create_task(door.http.post(SIGN_IN, data=form)))
        done, waiting = await asyncio.wait(asked, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 5:
            done, waiting = await asyncio.wait(asked, timeout=0.05)
    answers = await asyncio.gather(*asked)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [422] * LINE_OF_STRANGERS + [429] * 5
    full = next(answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS)
    assert "Too many people are signing in" in full.text
    assert not waiting or all(task.done() for task in waiting)


@pytest.mark.parametrize("known", [None, "", "no hash of ours"])
async def test_where_there_is_no_hash_no_password_is_right(known: str | None) -> None:
    if known == "no hash of ours":
        with pytest.raises(Exception, match="hash"):
            await hashing.matches(known, "nobody's password")
        return
    assert not await hashing.matches(known, "nobody's password")
