"""An import with its evidence, by the command, beside a bare insertion of as many rows of the same length into the same
tables: many values for one statement on SQLite, COPY on PostgreSQL, with no reading, judging or sealing, and ten
thousand people to a transaction. The command's own start counts, too.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from benchmarks.homes import SLUG, Home
from benchmarks.memory import LARGE, PEAK
from benchmarks.processes import CLOCK, ProcessEnded
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from newsletter.agreements.notices import actions as notices
from newsletter.database import Session, write_rows
from newsletter.installation import Installation, open_installation
from newsletter.tokens import new_id

_ALREADY = 1_000
_CHUNK = 10_000
_TABLES = ("subscriber", "subscription", "agreement", "agreement_event")


def ours(run: Run, kind: str, people: int) -> Figures:
    """Import; give the rows a second and the most memory the command held, in MB."""
    with run.homes.fresh(kind, _ALREADY) as home:
        file = home.folder / "people.csv"
        _write(file, people)
        said = ("--newsletter", SLUG, "--agreed", "--basis", "consent", "--source", "the old list", "--json")
        began = CLOCK.monotonic()
        with subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "newsletter", "import", str(file), *said],
            env=home.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            told = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
        seconds = CLOCK.monotonic() - began
    if status or json.loads(told)["accepted"] != people:
        raise ProcessEnded(f"the import ended with {status}: {told[:500]!r}")
    cpu = (usage.ru_utime + usage.ru_stime) * 1e6 / people
    return {RATE: people / seconds, PEAK: usage.ru_maxrss / 1000, "µs of its processor time a row": cpu}


def theirs(run: Run, kind: str, people: int) -> Figures:
    """Insert as many rows, bare; give the people a second."""
    with run.homes.fresh(kind, _ALREADY) as home:
        return {RATE: people / asyncio.run(_insert(home, people))}


async def _insert(home: Home, people: int) -> float:
    installation, seconds = open_installation(home.settings), 0.0
    try:
        for first in range(0, people, _CHUNK):
            rows = await _rows(installation, home.newsletters[SLUG], range(first, min(first + _CHUNK, people)))
            began = CLOCK.monotonic()
            await installation.database.write_at_once(partial(_fill, rows))
            seconds += CLOCK.monotonic() - began
    finally:
        await installation.database.close()
    return seconds


async def _fill(rows: Mapping[str, list[dict[str, Any]]], session: Session) -> None:
    for name in _TABLES:
        await write_rows(session, SQLModel.metadata.tables[name], rows[name])


async def _rows(installation: Installation, newsletter_id: str, numbers: range) -> Mapping[str, list[dict[str, Any]]]:
    """Give rows with the columns that an import fills, and values of the same length."""
    now = installation.clock.now()
    async with installation.database.read() as session:
        shown = (await notices.in_force(session, newsletter_id, now))["en"]
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    for number in numbers:
        ids = {name: new_id() for name in (*_TABLES, "principal")}
        for name, values in _of_one(number, ids, newsletter_id, shown.hash, shown.label).items():
            moments = {"created_at": now} if name.startswith("subscri") else {"at": now} if "event" in name else {}
            made[name].append(values | moments)
    return made


def _of_one(
    number: int, ids: Mapping[str, str], newsletter_id: str, notice_hash: str, label: str
) -> Mapping[str, dict[str, Any]]:
    email, digest = f"new{number:07}@example{number % 1000}.com", "0" * 64
    belongs = {"agreement_id": ids["agreement"], "newsletter_id": newsletter_id}
    names = {"given_name": "Kari", "family_name": "Nordmann", "title": None, "employer": "Example Books AS"}
    basis = {"gdpr_basis": "6(1)(a)", "marketing_basis": "consent", "jurisdiction": "NO", "collection": "import"}
    wording = {"notice_hash": notice_hash, "form_hash": digest, "control_label": label, "terms_hash": None}
    source = {"source": "the old list", "evidence_hash": digest, "sale_reference": None, "opt_out_shown": False}
    sealed = {"principal": ids["principal"], "salt": digest[:32], "seal": digest[:32], "schema_version": 1}
    event = {"kind": "imported", "actor": "system", "channel": "import", "detail": f"import {newsletter_id}"}
    return {
        "subscriber": {"id": ids["subscriber"], "email": email, "canonical": email, **names}
        | {"language": "en", "measurement": "unknown"},
        "subscription": {"id": ids["subscription"], "subscriber_id": ids["subscriber"], "state": "active"}
        | {"newsletter_id": newsletter_id},
        "agreement": {"id": ids["agreement"], "newsletter_id": newsletter_id, "witnessed": False}
        | {"subscription_id": ids["subscription"], "request_id": None}
        | (basis | wording | source | sealed),
        "agreement_event": {"id": ids["agreement_event"], "position": 0, "seal": digest[:32], **belongs, **event}
        | {"source_page": None, "token_hash": None},
    }


def _write(file: Path, people: int) -> None:
    with file.open("w", encoding="utf-8") as written:
        written.write("email,given_name,family_name,employer\n")
        written.writelines(_lines(people))


def _lines(people: int) -> Iterator[str]:
    for number in range(people):
        yield f"new{number:07}@example{number % 1000}.com,Kari,Nordmann,Example Books AS\n"


def measure(run: Run) -> list[Row]:
    """Measure every database."""
    people = run.size(LARGE, 50_000)
    sides = {
        f"{NAMES[kind]}{', bare' if bare else ''}": partial(theirs if bare else ours, run, kind, people)
        for kind in run.databases
        for bare in (True, False)
    }
    # A round takes minutes.
    found = run.interleave("Import", sides, rounds=min(run.rounds, 3))
    return [
        Row(
            benchmark=f"import-{kind}",
            what=f"Import of {people:,}, {NAMES[kind]}",
            peer="bare executemany" if kind == "sqlite" else "bare COPY",
            unit="rows/s",
            ours=found[NAMES[kind]].of(RATE),
            theirs=found[f"{NAMES[kind]}, bare"].of(RATE),
            goal=Goal(0.25),
            details=found[NAMES[kind]].details(),
        )
        for kind in run.databases
    ]
