"""One who has it all: the whole database with the order in which it keeps its rows, every key, and the log.

Also in the plot are some readers, who know the nonces of their own mails, and somebody at the relay, who knows when
each mail left. The question is always the same: who else opened? A guess is a score for each reader; it is worth its
precision: of as many readers as there were openers, taken by their scores, how many did open (ties count by share).
"""

import base64
import binascii
import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, inspect, select, text
from sqlalchemy.engine import Connection
from sqlmodel import MetaData

from newsletter.installation import Installation
from newsletter.measurement.counting import WHILE_SENDING, _mark
from newsletter.measurement.links import ANY_LINK, OPEN
from newsletter.measurement.rules import Verdict
from newsletter.tokens import Keyring

Row = dict[str, Any]
Scores = dict[str, float]


@dataclass
class Loot:
    """What the adversary took."""

    tables: dict[str, list[Row]]
    marks_in_order: list[bytes]
    keys: Keyring
    log: str

    @property
    def people(self) -> dict[str, str]:
        """Give whose each identifier is: of a subscriber, an address, a subscription, a delivery."""
        whose = {row["id"]: row["email"] for row in self.tables["subscriber"]}
        whose |= {row["id"]: whose[row["subscriber_id"]] for row in self.tables["subscription"]}
        whose |= {row["email"]: row["email"] for row in self.tables["subscriber"]}
        for row in self.tables["delivery"]:
            whose[f"{row['mailing_id']}/{row['number']}"] = whose[row["subscription_id"]]
        return whose


async def rob(installation: Installation, log: str) -> Loot:
    """Take everything."""
    await installation.database.forget()
    async with installation.database.read() as session:
        connection = await session.connection()
        tables = await connection.run_sync(_dump)
        if await connection.run_sync(_has_rowid):
            rows = await session.execute(text("SELECT mark FROM seen ORDER BY rowid"))
            order = [bytes(mark) for (mark,) in rows]
        elif installation.database.on_sqlite:
            order = _by_place_in_file(installation, [row["mark"] for row in tables["seen"]])
        else:
            rows = await session.execute(text("SELECT mark FROM seen ORDER BY xmin::text::bigint, ctid"))
            order = [bytes(mark) for (mark,) in rows]
    return Loot(tables, order, installation.keys, log)


def _dump(connection: Connection) -> dict[str, list[Row]]:
    metadata = MetaData()
    metadata.reflect(connection)
    names = inspect(connection).get_table_names()
    assert {"seen", "count", "delivery", "result"} <= set(names)
    return {name: _rows(connection, metadata.tables[name]) for name in names if name in metadata.tables}


def _has_rowid(connection: Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    created = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'seen'")).scalar_one()
    return "WITHOUT ROWID" not in created


def _rows(connection: Connection, table: Table) -> list[Row]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def _by_place_in_file(installation: Installation, marks: Sequence[bytes]) -> list[bytes]:
    """Give the marks as they lie in the file: within a page SQLite puts a new row before the earlier ones."""
    content = Path(installation.database.url.removeprefix("sqlite:///")).read_bytes()
    places = {mark: content.find(bytes(mark)) for mark in marks}
    assert min(places.values(), default=0) >= 0
    return sorted(places, key=lambda mark: (places[mark] // 4096, -places[mark]))


def by_nonce(loot: Loot) -> Scores:
    """Reckon marks from everything that lies beside a person, as it is and as keys and hashes make it."""
    marks = {bytes(row["mark"]): row["issue_id"] for row in loot.tables["seen"]}
    keys = {row["issue_id"]: row["key"] for row in loot.tables["measurement_key"]}
    whose = loot.people
    known: dict[object, bool] = {}
    scores: Scores = defaultdict(float)
    for name, rows in loot.tables.items():
        if name == "seen":
            continue
        for row in rows:
            owners = {whose[value] for value in _identifiers(row) if value in whose}
            if len(owners) != 1:
                continue
            for value in row.values():
                if value is not None and value not in known:
                    known[value] = any(_marked(nonce, keys, marks) for nonce in _nonces(value, loot.keys, keys))
                if known.get(value):
                    scores[owners.pop()] += 1.0
                    break
    return scores


def _identifiers(row: Row) -> Iterator[str]:
    yield from (value for value in row.values() if isinstance(value, str))
    if {"mailing_id", "number"} <= set(row):
        yield f"{row['mailing_id']}/{row['number']}"


def _nonces(value: object, keyring: Keyring, keys: Mapping[str, str]) -> Iterator[bytes]:
    for raw in _readings(value):
        yield raw
        yield hashlib.sha256(raw).digest()
        for issue_id, key in keys.items():
            yield hmac.digest(key.encode(), raw, "sha256")
            yield keyring.tag(f"measure/{issue_id}", raw)


def _readings(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, int):
        yield str(value).encode()
        yield (value % 2**128).to_bytes(16, "big")
    elif isinstance(value, str):
        yield value.encode()
        for decode in (bytes.fromhex, base64.urlsafe_b64decode, _base32):
            with suppress(ValueError, binascii.Error):
                yield decode(value)


def _base32(value: str) -> bytes:
    return base64.b32decode(value.upper() + "=" * (-len(value) % 8))


def _marked(nonce: bytes, keys: Mapping[str, str], marks: Mapping[bytes, str]) -> bool:
    cuts = {nonce, nonce[:16], nonce[-16:]}
    return any(
        _mark(key, cut, link, verdict) in marks
        for key in keys.values()
        for cut in cuts
        for link in (OPEN, ANY_LINK)
        for verdict in (Verdict.HUMAN,)
    )


def by_order(loot: Loot, windows: Sequence[Sequence[str]], accomplices: Sequence[bytes]) -> Scores:
    """Put each mark between those of the accomplices, one in each window, in the order that the database keeps."""
    (key,) = (row["key"] for row in loot.tables["measurement_key"])
    anchors = {_mark(key, nonce, OPEN, Verdict.HUMAN): window for window, nonce in enumerate(accomplices)}
    fallen: Counter[int] = Counter()
    current = 0
    for mark in loot.marks_in_order:
        if mark in anchors:
            current = anchors[mark]
        else:
            fallen[current] += 1
    return {email: float(fallen[number]) for number, window in enumerate(windows) for email in window}


def by_hour(loot: Loot, left: Mapping[str, datetime]) -> Scores:
    """Hold the hours of the opens against when each mail left."""
    hours: Counter[datetime] = Counter()
    for row in loot.tables["count"]:
        hour = row["hour"] if row["hour"].tzinfo else row["hour"].replace(tzinfo=WHILE_SENDING.tzinfo)
        if row["link"] == OPEN and hour > WHILE_SENDING:
            hours[hour] += row["first"]
    return {email: float(hours[moment]) for email, moment in left.items()}


def by_log(lines: Sequence[Row], left: Mapping[str, datetime]) -> Scores:
    """Hold the times of the log's lines about opens and clicks against when each mail left."""
    hours = Counter(line["timestamp"] for line in lines if line.get("route") in ("/open/{file}", "/click/{token}"))
    return {email: float(hours[moment]) for email, moment in left.items()}


def precision(scores: Mapping[str, float], openers: set[str], everybody: Sequence[str]) -> float:
    """Give how right the guess is, from 0 to 1; whoever guesses blindly gets the share of the openers."""
    groups: dict[float, list[str]] = defaultdict(list)
    for email in everybody:
        groups[scores.get(email, 0.0)].append(email)
    left, right = len(openers), 0.0
    for score in sorted(groups, reverse=True):
        group = groups[score]
        taken = min(left, len(group))
        right += taken * len(openers & set(group)) / len(group)
        left -= taken
    return right / len(openers)
