"""What a stranger learns of an address from the answers to a signup and to a question for one's own page: nothing (P7).

Known and unknown addresses are asked for in a random order, one at a time, while a worker mails what comes of them. The
answers must be the same byte for byte, and their times those of one distribution: p > 0.01 by the Mann–Whitney test.
"""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlencode

from benchmarks import serving
from benchmarks.homes import SLUG
from benchmarks.processes import CLOCK, ProcessEnded
from benchmarks.ranks import p_value
from benchmarks.rounds import Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from benchmarks.sinks import running_sink
from newsletter.tokens import new_id

_PEOPLE = 1_000
_WARM_UP = 20
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_JSON = {"content-type": "application/json"}
Answer = tuple[int, list[tuple[str, str]], bytes]


def _sign_up(connection: HTTPConnection, email: str) -> None:
    body = json.dumps({"email": email, "agreed": True})
    connection.request("POST", f"/api/v1/newsletters/{SLUG}/signups", body, _JSON)


def _ask_for_page(connection: HTTPConnection, email: str) -> None:
    connection.request("POST", "/my", urlencode({"email": email, "language": "en"}), _FORM)


ASKING: Mapping[str, Callable[[HTTPConnection, str], None]] = {
    "a signup": _sign_up,
    "the link to one's page": _ask_for_page,
}


def measure(run: Run) -> list[Row]:
    """Measure every database. Raises ProcessEnded where two answers differ."""
    return [_row(run, kind, what) for kind in run.databases for what in ASKING]


def _row(run: Run, kind: str, what: str) -> Row:
    each = run.size(400, 60)
    with (
        run.homes.fresh(kind, _PEOPLE) as home,
        running_sink(lean=True) as sink,
        serving.serving(home) as server,
        home.program(["worker"], {"smtp_url": sink.url}),
    ):
        known, unknown = _asked(server.port, ASKING[what], each)
    return Row(
        benchmark=f"quiet-{kind}-{list(ASKING).index(what)}",
        what=f"Known and unknown addresses take one time at {what}, {NAMES[kind]}",
        peer="",
        unit="p",
        ours=[p_value(known, unknown)],
        goal=Goal(0.01, of_value=True),
        details={"requests": float(2 * each), "ms, known": median(known), "ms, unknown": median(unknown)},
    )


def _asked(port: int, ask: Callable[[HTTPConnection, str], None], each: int) -> tuple[list[float], list[float]]:
    """Ask for so many addresses of each kind; give the times in ms. All addresses are of one length."""
    known = [f"reader{number:07}@example.com" for number in range(each + _WARM_UP)]
    unknown = [f"nobody{number:07}@example.com" for number in range(each + _WARM_UP)]
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for email in (*known[:_WARM_UP], *unknown[:_WARM_UP]):
        _time(connection, ask, email)
    times: dict[bool, list[float]] = {True: [], False: []}
    answers = []
    shuffled = sorted([(new_id(), email) for email in (*known[_WARM_UP:], *unknown[_WARM_UP:])])
    for _, email in shuffled:
        took, answer = _time(connection, ask, email)
        times[email in known].append(took)
        answers.append(answer)
    connection.close()
    if any(answer != answers[0] for answer in answers):
        raise ProcessEnded("two addresses were answered differently")
    return times[True], times[False]


def _time(connection: HTTPConnection, ask: Callable[[HTTPConnection, str], None], email: str) -> tuple[float, Answer]:
    began = CLOCK.monotonic()
    ask(connection, email)
    answer = connection.getresponse()
    body = answer.read()
    took = (CLOCK.monotonic() - began) * 1000
    return took, (answer.status, [(name, value) for name, value in answer.getheaders() if name.lower() != "date"], body)
