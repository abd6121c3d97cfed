"""A flood from many networks to one mailbox, and one from a network to many: NEWSLETTER_TEST_FLOOD=1 makes it large."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from tests.limits.crowd import VICTIM, Crowd, crowded, statuses
from tests.limits.test_budget import door_writes, ready
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually

LARGE = bool(os.environ.get("NEWSLETTER_TEST_FLOOD"))
MANY, NETWORKS = (10_000, 1_000) if LARGE else (300, 30)
AT_ONCE = 50


async def all_at_once(asking: Iterator[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """Let them ask, many at a time."""
    answers: list[httpx.Response] = []
    waiting = list(asking)
    for first in range(0, len(waiting), AT_ONCE):
        answers += await asyncio.gather(*waiting[first : first + AT_ONCE])
    return answers


def act_of(crowd: Crowd, name: str) -> Callable[[str, str], Awaitable[httpx.Response]]:
    """Give the way in which strangers cause mail."""
    return crowd.sign_up if name == "signup" else crowd.ask_for_my_page


@pytest.mark.parametrize("way", ["signup", "my"])
async def test_many_from_many_networks_for_one_mailbox(crowd: Crowd, peer: SmtpPeer, way: str) -> None:
    if way == "my":
        await crowd.site.subscribe(VICTIM)
        await mailed(crowd.site, peer)
        peer.mails.clear()
    act, came = act_of(crowd, way), []
    for _ in range(8):
        asking = (
            act(VICTIM, f"198.{n // 256 % 256}.{n % 256}.7")
            for n in range(NETWORKS)
            for _ in range(MANY // NETWORKS // 8 + 1)
        )
        answers = await all_at_once(asking)
        assert {answer.status_code for answer in answers} == {202 if way == "signup" else 303}
        came.append(len(await mailed(crowd.site, peer)))
        crowd.turn(hours=1 if len(came) == 1 else 20)
    assert came[0] == 1
    assert sum(came) == 3
    assert await crowd.site.all(Letter) == []


@pytest.mark.parametrize("way", ["signup", "my"])
async def test_many_mailboxes_from_one_network(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, way: str
) -> None:
    async with crowded(installation, clock) as crowd:
        act = act_of(crowd, way)
        answers = await all_at_once(act(f"victim{n}@{n}.example", f"203.0.113.{n % 250}") for n in range(MANY))
        assert statuses(answers) == {202 if way == "signup" else 303: 120, 429: MANY - 120}
        await door_writes(crowd)
        assert await ready(crowd) == "alarm: network"
        began = clock_of(crowd)
        assert (await crowd.sign_up("kari@example.com", "192.0.2.7")).status_code == 202
        assert clock_of(crowd) - began < 1
        letters = await mailed(crowd.site, peer)
        assert len(letters) == (121 if way == "signup" else 1)


def clock_of(_: Crowd) -> float:
    """Give the seconds of a real clock."""
    return asyncio.get_running_loop().time()


def test_the_program_mails_one_letter_for_so_many_and_a_killed_one_forgets_nothing(
    program_of: Callable[[], Program], peer: SmtpPeer
) -> None:
    with program_of() as program:
        program.command("new", "weekly", "--name", "Weekly", "--sender", "Weekly <weekly@example.com>")

        def sign_up(email: str, address: str) -> int:
            headers, body = {"x-forwarded-for": address}, {"email": email, "agreed": True}
            return program.http.post("/api/v1/newsletters/weekly/signups", json=body, headers=headers).status_code

        for number in range(300):
            assert sign_up(VICTIM, f"198.51.{number % 30}.7") == 202
            if number == 150:
                program.kill()
                program.start()
        assert sign_up("kari@example.org", "192.0.2.7") == 202
        eventually(lambda: "kari@example.org" in peer.counted(), what="a reader's letter")
        assert [sign_up(f"a{number}@example.org", "192.0.2.7") for number in range(31)].count(202) == 29
        program.kill()
        program.start()
        assert sign_up("b@example.org", "192.0.2.7") == 429
    assert peer.counted()[VICTIM] == 1


@pytest.fixture
def program_of(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path, peer: SmtpPeer
) -> Callable[[], Program]:
    """Give what makes the real program on an empty database of each kind, with its limits."""
    url = None if database_kind == "sqlite" else str(request.getfixturevalue("empty_database_url"))
    return lambda: Program(tmp_path / "program", peer.url, url, rate_limits="on", trusted_proxies="127.0.0.1")
