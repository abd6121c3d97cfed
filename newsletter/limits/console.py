"""What no editor may overlook: that limits hold back many, or letters wait for their turn."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from newsletter.limits import actions
from newsletter.web import installation_of


async def note_alarms(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let every page of the console say what the limits hold back; `layout/console_alerts.html` shows it."""
    installation = installation_of(connection)
    if installation.settings.rate_limits == "off":
        return
    async with installation.database.read() as session:
        found = await actions.over(session, installation)
    connection.scope["state"]["limits_over"] = {str(kind): count for kind, count in found.alarms.items()}
