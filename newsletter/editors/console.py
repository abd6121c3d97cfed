"""The console as a whole: the door for everybody, everything behind it for editors."""

from typing import Any

from litestar import Response, Router
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler

from newsletter.editors import sessions
from newsletter.editors.signing_in import console as door
from newsletter.editors.signing_in import recovery_console
from newsletter.editors.signing_in.forms import FormTokens
from newsletter.settings import Settings
from newsletter.tokens import Keyring
from newsletter.web import reading, see_other

_LARGEST_FORM = 3 * 1024 * 1024


@reading("/")
async def front() -> Response[Any]:
    """Lead to the newsletters."""
    return see_other("/console/newsletters")


def console_router(settings: Settings, keys: Keyring, handlers: list[ControllerRouterHandler]) -> Router:
    """Give the console: the sign-in for everybody, `handlers` for editors, every form with its token."""
    editors_only = Router("/", route_handlers=[front, door.sign_out, *handlers], guards=[sessions.require_editor])
    return Router(
        "/console",
        route_handlers=[
            door.sign_in_page,
            door.sign_in,
            door.sign_in_with_code,
            recovery_console.recover_page,
            recovery_console.recover,
            recovery_console.choose_page,
            recovery_console.choose,
            editors_only,
        ],
        middleware=[DefineMiddleware(FormTokens, keys=keys, secure=settings.base_url.startswith("https://"))],
        request_max_body_size=_LARGEST_FORM,
    )
