"""The website, on both databases."""

from collections.abc import AsyncIterator

import pytest

from newsletter.installation import Installation
from tests.signup.site import Site, open_site


@pytest.fixture
async def site(installation: Installation) -> AsyncIterator[Site]:
    """Give the website of an invented company, once on each database."""
    async with open_site(installation) as opened:
        yield opened
