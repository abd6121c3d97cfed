"""The only place where everything is wired together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import resources
from typing import Any

from litestar import Litestar, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import CacheControlHeader, State
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from newsletter.agreements.notices import api as notice_api
from newsletter.agreements.notices import console as notice_console
from newsletter.backup.returning import Returning
from newsletter.bounces import console as bounces_console
from newsletter.bounces.alarms import api as bounces_api
from newsletter.bounces.webhooks import routes as webhooks
from newsletter.chain import pages as chain_pages
from newsletter.clock import Clock
from newsletter.delivery import api as mailing_api
from newsletter.delivery.doubts import api as doubts_api
from newsletter.delivery.doubts import console as doubts_console
from newsletter.delivery.pace import console as pace_console
from newsletter.desk import api as delivery_api
from newsletter.desk import console as delivery_console
from newsletter.desk import writing
from newsletter.editors.account import console as account_console
from newsletter.editors.audit import console as audit_console
from newsletter.editors.console import console_router
from newsletter.editors.keys import console as keys_console
from newsletter.errors import NotFound
from newsletter.figures import api as figures_api
from newsletter.figures import console as figures_console
from newsletter.figures import overview
from newsletter.figures.returned import api as returned_api
from newsletter.figures.returned import console as returned_console
from newsletter.imports import api as imports_api
from newsletter.imports.desk import console as imports_console
from newsletter.installation import open_installation
from newsletter.limits import console as limits_console
from newsletter.limits.door import Door
from newsletter.loops import every
from newsletter.measurement import pages as measurement_pages
from newsletter.measurement.counting import Counting
from newsletter.measurement.hits import Hits
from newsletter.measurement.targets import Targets
from newsletter.newsletters import pages as newsletters_pages
from newsletter.privacy import console as privacy_console
from newsletter.privacy import pages as privacy_pages
from newsletter.renewal import pages as renewal_pages
from newsletter.renewal.announcing import console as renewal_console
from newsletter.retention import console as retention_console
from newsletter.rights.desk import agreement_console, person_console
from newsletter.rights.desk import console as desk_console
from newsletter.rights.my import acts as my_acts
from newsletter.rights.my import page as my_page
from newsletter.rights.my import pages as rights_pages
from newsletter.serving import health
from newsletter.settings import Settings
from newsletter.signup import api as signup_api
from newsletter.signup import console as signup_console
from newsletter.signup import pages as signup_pages
from newsletter.signup.asking import Asking
from newsletter.unsubscribe import pages as unsubscribe_pages
from newsletter.web import answer_error
from newsletter.web.edge import Edge
from newsletter.web.inputs import Closed
from newsletter.web.reference import api_reference
from newsletter.worker import Worker

_LARGEST_BODY = 64 * 1024
# No file system takes a longer name, and nothing of ours has one.
_LONGEST_NAME = 255
_YEAR = 365 * 24 * 3600
_PUBLIC = (
    newsletters_pages,
    signup_pages,
    unsubscribe_pages,
    renewal_pages,
    measurement_pages,
    rights_pages,
    my_page,
    my_acts,
    privacy_pages,
    chain_pages,
    webhooks,
    health,
)
_API = (
    signup_api,
    notice_api,
    delivery_api,
    mailing_api,
    doubts_api,
    imports_api,
    figures_api,
    returned_api,
    bounces_api,
)
_CONSOLE = (
    overview,
    notice_console,
    renewal_console,
    signup_console,
    writing,
    doubts_console,
    figures_console,
    bounces_console,
    returned_console,
    pace_console,
    imports_console,
    audit_console,
    retention_console,
    agreement_console,
    desk_console,
    person_console,
    privacy_console,
    account_console,
    keys_console,
)

_ALERTS = (desk_console.note_overdue, limits_console.note_alarms)


def create_app(
    settings: Settings, *, worker: bool = True, clock: Clock | None = None, more: Sequence[ControllerRouterHandler] = ()
) -> Litestar:
    """Give the web app of an installation, which with `worker` does the worker's part too.

    Raises MisconfiguredError. The database is opened when the app starts; it must be up to date by then.
    """
    keys = settings.keyring()

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        installation = open_installation(settings, clock)
        counting = Counting(installation.database, installation.clock)
        targets = Targets(installation.database, installation.clock)
        app.state.installation, app.state.counting, app.state.targets = installation, counting, targets
        app.state.webhooks = webhooks.services_of(settings, installation.clock)
        app.state.door = door = Door(installation)
        app.state.asking = Asking(installation, settings.retention_unconfirmed, door)
        assert isinstance(app, _Edged)
        app.hits = Hits(installation.keys, counting, targets)
        stop = asyncio.Event()
        writing_hits = asyncio.create_task(every(1.0, "hits", counting.write, stop))
        writing_refused = asyncio.create_task(every(1.0, "refused", door.write, stop))
        await Returning(installation).begin()
        working = Worker(installation) if worker else None
        if working:
            await working.start()
        try:
            yield
        finally:
            if working:
                await working.stop()
            stop.set()
            await asyncio.gather(writing_hits, writing_refused)
            for write in (counting.write, door.write):
                with suppress(Exception):
                    await write()
            await installation.database.forget(briefly=True)
            await installation.database.close()

    return _Edged(
        route_handlers=[
            *(handler for pages in _PUBLIC for handler in pages.handlers),
            _api(),
            api_reference,
            console_router(settings, keys, [_console()]),
            _static(),
            *more,
        ],
        lifespan=[running],
        exception_handlers={Exception: answer_error},
        openapi_config=_openapi(),
        plugins=[Closed()],
        request_max_body_size=_LARGEST_BODY,
        state=State(),
        logging_config=None,
        debug=False,
    )


class _Edged(Litestar):
    """The app with its edge around everything, also around the addresses that lead nowhere. Only hits come before."""

    hits: Hits | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if self.hits is not None and scope["type"] == ScopeType.HTTP and (answer := self.hits.answer(scope)):
            for message in answer:
                await send(message)
            return
        await Edge(super().__call__)(scope, receive, send)


async def _refuse_unnameable(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Raise NotFound for an address that nothing can have, at which the file system and PostgreSQL would stumble."""
    path = str(connection.scope["path"])
    if "\0" in path or any(len(part.encode()) > _LONGEST_NAME for part in path.split("/")):
        raise NotFound("There is nothing at this address.")


def _console() -> Router:
    """Give every page of the console; each says what no editor may overlook."""
    handlers: list[ControllerRouterHandler] = [handler for console in _CONSOLE for handler in console.handlers]
    handlers.append(Router("/", route_handlers=delivery_console.handlers, guards=[bounces_console.note_came_back]))
    return Router("/", route_handlers=handlers, guards=[_refuse_unnameable, *_ALERTS])


def _api() -> Router:
    handlers = [handler for api in _API for handler in api.handlers]
    return Router("/api/v1", route_handlers=handlers, guards=[_refuse_unnameable])


def _static() -> Router:
    folder = str(resources.files("newsletter") / "static")
    return create_static_files_router(
        "/static",
        [folder],
        cache_control=CacheControlHeader(max_age=_YEAR, immutable=True),
        guards=[_refuse_unnameable],
    )


def _openapi() -> OpenAPIConfig:
    key = SecurityScheme(type="http", scheme="bearer", description="An API key: `newsletter api-key create NAME`.")
    return OpenAPIConfig(
        title="newsletter",
        version="1",
        description="Errors are problem details (RFC 9457). Fields and parameters of other names are refused.",
        path="/api",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={"key": key}),
        security=[{"key": []}],
        use_handler_docstrings=True,
    )
