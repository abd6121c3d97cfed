"""What the features' commands share: an installation to work on, and JSON on request.

A command loads what it needs, when it runs: whoever asks for help waits for click alone, and a mail server that hands
over a mail waits for no web framework. So each feature's `commands.py` says what can be typed, and imports click and
what is as light. What is done then stands beside it in `commanded.py`, which a command imports in its body.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from newsletter.database import Session
    from newsletter.installation import Installation

# Runs what it is given on an installation that is up to date, and gives what that gives.
Run = Callable[[Callable[["Installation"], Awaitable[Any]]], Any]
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def within(run: Run, act: "Callable[[Installation, Session], Awaitable[Any]]") -> Any:
    """Run `act` in one transaction on an up-to-date database, and give what it gives."""

    async def one_transaction(installation: "Installation") -> Any:
        async with installation.database.write() as session:
            return await act(installation, session)

    return run(one_transaction)
