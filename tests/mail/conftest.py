"""Our protocol runs under whichever event loop there is: its tests do so under asyncio's own and under uvloop's."""

import asyncio
from collections.abc import Callable

import pytest

_IN_BOTH = ("test_pipeline", "test_line")
_Loops = dict[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories(item: pytest.Item) -> _Loops:
    """Give the event loops that a test is to be run under, once each."""
    loops: _Loops = {"asyncio": asyncio.new_event_loop}
    if item.path.name.startswith(_IN_BOTH):
        try:
            import uvloop
        except ImportError:
            return loops
        loops["uvloop"] = uvloop.new_event_loop
    return loops
