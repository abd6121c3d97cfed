"""The console, with Olga who may sign in."""

from collections.abc import AsyncIterator

import pytest

from newsletter.editors import accounts
from newsletter.installation import Installation
from tests.editors.desk import EMAIL, PASSWORD, Desk
from tests.signup.site import open_site


@pytest.fixture
async def desk(sqlite_installation: Installation) -> AsyncIterator[Desk]:
    """Give the console of an invented company, on SQLite, as no database can change it."""
    async with open_site(sqlite_installation) as site:
        async with site.installation.database.write() as session:
            await accounts.add(session, site.installation.clock, EMAIL, "Olga", PASSWORD)
        yield Desk(site)
