"""The website, on both databases, for the tests of every folder that takes these into its conftest."""

from collections.abc import AsyncIterator

import pytest

from newsletter.installation import Installation
from tests.signup.site import Site, open_site


@pytest.fixture
async def site(installation: Installation) -> AsyncIterator[Site]:
    """Give the website of an invented company, once on each database."""
    async with open_site(installation) as opened:
        yield opened


@pytest.fixture
async def sqlite_site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    """Give the same on SQLite alone, for what no database can change."""
    async with open_site(sqlite_installation) as opened:
        yield opened
