"""What a test of the queue leaves behind."""

import gc
from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bear with DBOS, which at its end leaves a connection of its own to the garbage collector."""
    for item in items:
        if item.path.parent.name == "jobs":
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Let the garbage be collected here, and not within another test."""
    yield
    gc.collect()
