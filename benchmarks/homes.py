"""Installations to measure: made once for each database and size, filled with invented people, and copied afresh for
each round, so that no round finds what an earlier one left.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Connection, Table, insert
from sqlmodel import SQLModel

from benchmarks.postgresql import Server
from benchmarks.processes import CLOCK, Process
from newsletter import schema
from newsletter.agreements.opening import open_newsletter
from newsletter.database import sync_engine
from newsletter.installation import open_installation
from newsletter.settings import PREFIX, Settings
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from newsletter.tokens import new_id

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SLUG, PILOT = "monthly", "pilot"
PILOTS = 20
_CHUNK = 10_000
_CACHE_KILOBYTES = 1_000_000  # for filling alone: ids are random, so a million rows touch every page of the indexes
_SECRET = "a root secret that only the benchmarks have"  # noqa: S105 (it guards nothing)
_GIVEN = ("Åse", "Bjørn", "Cecilie", "Dag", "Eva", "Frode", "Guro", "Håkon", "Ingrid", "Jørn")


@dataclass(frozen=True, slots=True)
class Home:
    """An installation with subscribers: everybody to the newsletter "monthly", a few to "pilot"."""

    folder: Path
    settings: Settings
    newsletters: dict[str, str]
    people: int
    database_pid: int | None

    def program(
        self, arguments: Sequence[str], settings: Mapping[str, str] | None = None, profile: Path | None = None
    ) -> Process:
        """Run a command of the program; with `profile` it writes its profile there, from SIGUSR1 to its end."""
        way_in = ["benchmarks.profiled", str(profile)] if profile else ["newsletter"]
        return self.run([*way_in, *arguments], settings)

    def run(self, arguments: Sequence[str], settings: Mapping[str, str] | None = None) -> Process:
        """Run a Python module with the program's settings and further ones."""
        log = self.folder / f"log-{new_id()}"
        return Process([sys.executable, "-m", *arguments], log, self.environment(settings))

    def environment(self, settings: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give the environment of its programs."""
        given = self.settings.model_dump(exclude_defaults=True) | dict(settings or {})
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return inherited | {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}


class Homes:
    """The installations of a run. Those made once are the templates of the others."""

    def __init__(self, folder: Path, server: Server | None) -> None:
        self._folder = folder
        self.server = server
        self._templates: dict[tuple[str, int], Home] = {}

    @contextmanager
    def fresh(self, kind: str, people: int) -> Iterator[Home]:
        """Give an installation with so many subscribers on a database of the kind, for as long as the block lasts."""
        template = self._template(kind, people)
        folder = self._folder / new_id()
        name = self._copy(template, folder)
        try:
            url = self.server.url(name) if self.server and name else None
            yield self._home(folder, url, template.newsletters, people)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if self.server and name:
                self.server.drop(name)

    def _template(self, kind: str, people: int) -> Home:
        if (kind, people) not in self._templates:
            assert self.server is not None or kind == SQLITE, "no PostgreSQL was started"
            folder = self._folder / new_id()
            url = self.server.url(self.server.create()) if self.server and kind == POSTGRESQL else None
            home = self._home(folder, url, {}, people)
            fill(home)
            self._templates[kind, people] = home
        return self._templates[kind, people]

    def _copy(self, template: Home, folder: Path) -> str | None:
        """Copy an installation; give the name of its PostgreSQL database if it has one."""
        shutil.copytree(template.folder, folder)
        if not template.settings.database_url or self.server is None:
            return None
        return self.server.create(template.settings.database_url.rpartition("/")[2])

    def _home(self, folder: Path, url: str | None, newsletters: dict[str, str], people: int) -> Home:
        settings = Settings(
            base_url="https://news.example.com",
            data_dir=folder / "data",
            database_url=url or "",
            secret_key=_SECRET,
            smtp_connections=20,
            # They hold, and cost what they cost; but all who come come from one network, and many at once.
            limit_network=1_000_000_000,
            limit_network_wide=1_000_000_000,
            limit_address_hourly=0,
            limit_address_weekly=0,
            limit_domain=0,
            limit_confirmations=1_000_000_000,
            controller_name="Example Books AS",
            controller_organisation_number="999 999 999",
            controller_address="Eksempelgata 1, 0001 Oslo, Norway",
            controller_email="privacy@example.com",
        )
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Home(folder, settings, newsletters, people, self.server.process.pid if self.server and url else None)


def fill(home: Home) -> None:
    """Make the tables, the newsletters and the people of an installation."""
    schema.bring_up_to_date(home.settings)
    asyncio.run(_open_newsletters(home))
    engine = sync_engine(home.settings.database)
    try:
        with (
            engine.begin() as connection,
            click.progressbar(length=home.people, label=f"{home.people:,} subscribers", file=sys.stderr) as bar,
        ):
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KILOBYTES}")
            for first in range(0, home.people, _CHUNK):
                _subscribe(connection, home, range(first, min(first + _CHUNK, home.people)))
                bar.update(min(_CHUNK, home.people - first))
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
    finally:
        engine.dispose()


async def _open_newsletters(home: Home) -> None:
    installation = open_installation(home.settings)
    try:
        async with installation.database.write() as session:
            for slug in (SLUG, PILOT):
                given = {"name": slug.capitalize(), "sender": f"Example Books <{slug}@example.com>", "language": "en"}
                home.newsletters[slug] = (await open_newsletter(session, installation, slug, given)).id
    finally:
        await installation.database.close()


def _subscribe(connection: Connection, home: Home, numbers: Sequence[int]) -> None:
    now = CLOCK.now()
    people = [
        {
            "id": new_id(),
            "email": f"reader{number:07}@example.com",
            "canonical": f"reader{number:07}@example.com",
            "given_name": _GIVEN[number % len(_GIVEN)],
            "language": "en",
            "created_at": now,
        }
        for number in numbers
    ]
    subscriptions = [
        {
            "id": new_id(),
            "subscriber_id": person["id"],
            "newsletter_id": home.newsletters[slug],
            "state": SubscriptionState.ACTIVE,
            "created_at": now,
        }
        for number, person in zip(numbers, people, strict=True)
        for slug in ((SLUG, PILOT) if number < PILOTS else (SLUG,))
    ]
    connection.execute(insert(_table(Subscriber)), people)
    connection.execute(insert(_table(Subscription)), subscriptions)


def _table(model: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(model.__tablename__)]
