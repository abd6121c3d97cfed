"""The site in the test's own process, for the tests of every folder that takes this into its conftest."""

from collections.abc import AsyncIterator

import pytest

from newsletter.installation import Installation
from tests.web.site import Site, running_site


@pytest.fixture
async def site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    """Give the site on SQLite, for what no database can change."""
    async with running_site(sqlite_installation) as opened:
        yield opened
