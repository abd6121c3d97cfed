"""An installation as a command finds it: up to date, and open for as long as the command takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from newsletter import logs, schema
from newsletter.backup.presence import present
from newsletter.installation import Installation, open_installation
from newsletter.settings import load


def on_installation(act: Callable[[Installation], Awaitable[Any]]) -> Any:
    """Run `act` on an up-to-date installation, and give what it gives."""
    settings = load()
    logs.configure()
    settings.keyring()

    async def run() -> Any:
        installation = open_installation(settings)
        try:
            return await act(installation)
        finally:
            await installation.database.close()

    with present(settings):
        schema.bring_up_to_date(settings)
        return asyncio.run(run())


def migrate() -> list[str]:
    """Bring the database up to this version; give the names of the migrations that ran."""
    settings = load()
    settings.keyring()
    return schema.bring_up_to_date(settings)
