"""The company that the journeys tell about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.camera import Camera
from tests.journeys.story import Company, found_company, open_company
from tests.support.peer import SmtpPeer
from tests.support.program import Program

CONNECTIONS = 5


@pytest.fixture
def company(program: Program, database_kind: str) -> Company:
    """Give a company on the running program, once on each database; on SQLite it is set up by the commands."""
    return found_company(program) if database_kind == "sqlite" else open_company(program)


@pytest.fixture
def sqlite_company(sqlite_program: Program) -> Company:
    """Give a company on the running program, on SQLite alone."""
    return open_company(sqlite_program)


@pytest.fixture
def patient_company(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path, peer: SmtpPeer
) -> Iterator[Company]:
    """Give a company whose relay takes its time, over few connections: there is a middle in which to be killed."""
    url = None if database_kind == "sqlite" else str(request.getfixturevalue("empty_database_url"))
    peer.slow(0.05)
    with Program(tmp_path / "program", peer.url, url, smtp_connections=str(CONNECTIONS)) as running:
        yield open_company(running)


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    """Give what looks at pages and keeps their pictures."""
    return Camera(tmp_path / "screenshots")
