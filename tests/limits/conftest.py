"""A website whose limits hold, on both databases."""

from collections.abc import AsyncIterator

import pytest

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from tests.limits.crowd import Crowd, crowded


@pytest.fixture
async def crowd(installation: Installation, clock: TurnedClock) -> AsyncIterator[Crowd]:
    """Give it with the limits that it has at first."""
    async with crowded(installation, clock) as opened:
        yield opened
