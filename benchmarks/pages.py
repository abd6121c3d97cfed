"""Two pages of the console, the subscribers and an issue's figures, with 1,000,000 subscribers beside themselves with
1,000: both servers run at once and are asked in turn.

The mailing has begun and is on its way to everybody, so its figures are not yet those of a few large numbers.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection

from benchmarks import serving
from benchmarks.hits import begin
from benchmarks.homes import SLUG, Home
from benchmarks.memory import LARGE
from benchmarks.processes import CLOCK, ProcessEnded
from benchmarks.rounds import Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from newsletter.editors import accounts, sessions
from newsletter.installation import open_installation

TIME = "ms"
_SMALL = 1_000
_EACH = 3  # requests a round


@dataclass(frozen=True, slots=True)
class Desk:
    """A signed-in editor in front of one server, and the pages to ask for."""

    port: int
    cookie: str
    paths: dict[str, str]

    def ask(self, page: str) -> Figures:
        """Ask for a page and give how long its answer took."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        began = CLOCK.monotonic()
        connection.request("GET", self.paths[page], headers={"cookie": self.cookie})
        answer = connection.getresponse()
        answer.read()
        took = CLOCK.monotonic() - began
        connection.close()
        if answer.status != 200:
            raise ProcessEnded(f"{page} page: status {answer.status}")
        return {TIME: took * 1000}


@contextmanager
def desk(run: Run, kind: str, people: int) -> Iterator[Desk]:
    """Give a signed-in editor where there are so many subscribers."""
    with run.homes.fresh(kind, people) as home:
        issue_id = asyncio.run(begin(home))
        cookie = asyncio.run(_sign_in(home))
        with serving.serving(home) as server:
            paths = {
                "subscribers": f"/console/newsletters/{SLUG}/subscribers",
                "figures": f"/console/issues/{issue_id}/figures",
            }
            found = Desk(server.port, cookie, paths)
            for page in paths:
                found.ask(page)
            yield found


async def _sign_in(home: Home) -> str:
    installation = open_installation(home.settings)
    try:
        async with installation.database.write() as session:
            await accounts.add(session, installation.clock, "editor@example.com", "", "a password of many words")
            editor = await accounts.by_address(session, "editor@example.com")
            assert editor is not None
            return f"{sessions.COOKIE}={(await sessions.begin(session, installation, editor)).value}"
    finally:
        await installation.database.close()


def measure(run: Run) -> list[Row]:
    """Measure every database."""
    return [row for kind in run.databases for row in _rows(run, kind, run.size(LARGE, 20_000))]


def _rows(run: Run, kind: str, large: int) -> Iterator[Row]:
    with ExitStack() as stack:
        desks = {people: stack.enter_context(desk(run, kind, people)) for people in (_SMALL, large)}
        for page in ("subscribers", "figures"):
            sides = {f"{people:,}": partial(at.ask, page) for people, at in desks.items()}
            found = run.interleave(f"The {page} page, {NAMES[kind]}", sides, rounds=run.rounds * _EACH)
            yield Row(
                benchmark=f"pages-{page}-{kind}",
                what=f"The {page} page at {large:,}, {NAMES[kind]}",
                peer=f"at {_SMALL:,}",
                unit=TIME,
                ours=found[f"{large:,}"].of(TIME),
                theirs=found[f"{_SMALL:,}"].of(TIME),
                goal=Goal(3, at_least=False),
            )
