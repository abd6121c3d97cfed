"""The fixtures of every test. What they run on is in `tests/support`."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from playwright.async_api import Browser, Page
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from newsletter.clock import TurnedClock
from newsletter.database import Database
from newsletter.editors.passwords import hashing
from newsletter.installation import Installation
from newsletter.settings import Settings
from newsletter.tokens import Keyring
from tests.support.browser import open_page, running_browser
from tests.support.databases import Templates
from tests.support.peer import SmtpPeer
from tests.support.postgresql import PostgreSQL, running_postgresql
from tests.support.program import Program

MORNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
KEYS = Keyring(b"a root secret that only tests have")


def pytest_configure(config: pytest.Config) -> None:
    """Let the program be compiled once, for it is started a hundred times: also where nothing may be written here."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        folder = tempfile.TemporaryDirectory(prefix="newsletter-compiled-")
        config.add_cleanup(folder.cleanup)
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name
    # Servers that are nobody in particular must be able to read what is written for them, whoever runs the tests.
    os.umask(0o022)
    _let_examples_take_their_time(config.rootpath)


def _let_examples_take_their_time(root: Path) -> None:
    """Fail no property-based test for an example, or the making of one, that took long: so does a busy machine. What
    failed is remembered only where that can be written down.
    """
    patient = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    if not os.access(root, os.W_OK):
        patient = hypothesis.settings(patient, database=None)
    hypothesis.settings.register_profile("patient", patient)
    hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Let a password cost nothing within the tests' own process; `tests/editors` says what it does cost."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_hasher", lambda: cheap)
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Give a PostgreSQL server; skip where there is none."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Give the migrated databases that others are copied from."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run the test once on each database."""
    return str(request.param)


@pytest.fixture
def sqlite_url(templates: Templates, tmp_path: Path) -> str:
    """Give the URL of a fresh, migrated SQLite database in the data folder `tmp_path / "data"`."""
    return templates.sqlite(tmp_path / "data" / "newsletter.sqlite")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_kind: str, templates: Templates) -> Iterator[str]:
    """Give the URL of a fresh, migrated database, once on each kind."""
    if database_kind == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    with templates.postgresql(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database without any table, once on each kind."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'empty.sqlite'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def clock() -> TurnedClock:
    """Give a clock that stands at nine in the morning of Monday 2 November 2026, UTC."""
    return TurnedClock(MORNING)


@pytest.fixture
async def installation(database_url: str, tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Installation]:
    """Give an open installation of an invented company, once on each database."""
    async with _opened(database_url, tmp_path / "data", clock) as opened:
        yield opened


@pytest.fixture
async def sqlite_installation(sqlite_url: str, tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Installation]:
    """Give the same on SQLite alone, for what no database can change."""
    async with _opened(sqlite_url, tmp_path / "data", clock) as opened:
        yield opened


@asynccontextmanager
async def _opened(database_url: str, data_dir: Path, clock: TurnedClock) -> AsyncIterator[Installation]:
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = Settings(
        base_url="https://news.example.com",
        data_dir=data_dir,
        database_url=database_url,
        # Nobody listens on port 1: a test that sends mail names its peer.
        smtp_url="smtp://127.0.0.1:1",
        bounce_domain="bounces.example.com",
        # Everybody in the tests comes from one network; `tests/limits` is where they hold.
        rate_limits="off",
        controller_name="Example Books AS",
        controller_organisation_number="999 999 999",
        controller_address="Eksempelgata 1, 0001 Oslo, Norway",
        controller_email="privacy@example.com",
    )
    database = Database(database_url)
    try:
        yield Installation(settings, clock, KEYS, database)
    finally:
        await database.close()


@pytest.fixture
def peer() -> Iterator[SmtpPeer]:
    """Give a real SMTP server that keeps what it is sent."""
    with SmtpPeer() as server:
        yield server


@pytest.fixture
def program(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path, peer: SmtpPeer) -> Iterator[Program]:
    """Give the real program, running on an empty database of each kind, with `peer` as its relay."""
    url = None if database_kind == "sqlite" else str(request.getfixturevalue("empty_database_url"))
    with Program(tmp_path / "program", peer.url, url) as running:
        yield running


@pytest.fixture
def sqlite_program(tmp_path: Path, peer: SmtpPeer) -> Iterator[Program]:
    """Give the real program on SQLite alone, with `peer` as its relay."""
    with Program(tmp_path / "program", peer.url) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give a real browser; skip where there is none."""
    async with running_browser() as chromium:
        yield chromium


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Give an empty page; see `open_page` for what must not happen in it."""
    async with open_page(browser) as opened:
        yield opened
