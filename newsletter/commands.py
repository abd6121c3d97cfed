"""What the features' commands share: an installation to work on, and JSON on request."""

from collections.abc import Awaitable, Callable
from typing import Any

import click

from newsletter.database import Session
from newsletter.installation import Installation

# Runs what it is given on an installation that is up to date, and gives what that gives.
Run = Callable[[Callable[[Installation], Awaitable[Any]]], Any]
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def within(run: Run, act: Callable[[Installation, Session], Awaitable[Any]]) -> Any:
    """Run `act` in one transaction on an up-to-date database, and give what it gives."""

    async def one_transaction(installation: Installation) -> Any:
        async with installation.database.write() as session:
            return await act(installation, session)

    return run(one_transaction)
