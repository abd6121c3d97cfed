"""The console, with Olga who may sign in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from newsletter.editors import accounts
from newsletter.installation import Installation
from tests.editors.desk import EMAIL, PASSWORD, Desk
from tests.signup.site import open_site


@pytest.fixture
async def desk(sqlite_installation: Installation) -> AsyncIterator[Desk]:
    """Give the console of an invented company, on SQLite, as no database can change it."""
    async with _opened(sqlite_installation) as opened:
        yield opened


@pytest.fixture
async def any_desk(installation: Installation) -> AsyncIterator[Desk]:
    """Give the same, once on each database."""
    async with _opened(installation) as opened:
        yield opened


@asynccontextmanager
async def _opened(installation: Installation) -> AsyncIterator[Desk]:
    async with open_site(installation) as site:
        async with site.installation.database.write() as session:
            await accounts.add(session, site.installation.clock, EMAIL, "Olga", PASSWORD)
        yield Desk(site)
