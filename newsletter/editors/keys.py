"""API keys: a random secret, stored as its hash, with scopes; sending is one of its own (RULES H8)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from sqlmodel import select

from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.editors.tables import ApiKey
from newsletter.errors import InvalidInput, NotAllowed, NotSignedIn
from newsletter.tokens import fingerprint, new_id, new_secret
from newsletter.web import installation_of
from newsletter.web.operations import Access

_PREFIX = "nl_"


class Scope(StrEnum):
    """What a key may be used for."""

    ISSUES = "issues"
    SEND = "send"
    FIGURES = "figures"
    SUBSCRIBERS = "subscribers"
    IMPORT = "import"
    EXPORT = "export"
    READ = "read"


async def create(session: Session, clock: Clock, name: str, scopes: Sequence[str] = ()) -> str:
    """Make a key with the given scopes, or with all; give the key, which is shown this once. Raises InvalidInput."""
    return (await create_with_id(session, clock, name, scopes))[0]


async def create_with_id(session: Session, clock: Clock, name: str, scopes: Sequence[str] = ()) -> tuple[str, str]:
    """Make a key likewise; give it, and the id under which the audit trail names it. Raises InvalidInput."""
    wanted = list(scopes) or [scope.value for scope in Scope]
    if unknown := sorted(set(wanted) - {scope.value for scope in Scope}):
        raise InvalidInput(f"There is no scope {', '.join(unknown)}; the scopes are {', '.join(Scope)}.")
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InvalidInput(
            "Please name the key, on one line of at most 100 characters, after the program that will use it."
        )
    key, key_id = _PREFIX + new_secret(), new_id()
    session.add(
        ApiKey(id=key_id, name=name.strip(), key_hash=fingerprint(key), scopes=" ".join(wanted), created_at=clock.now())
    )
    return key, key_id


def require(scope: Scope) -> Access:
    """Let only keys with that scope into a route of the API: its guard raises NotSignedIn or NotAllowed."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise NotSignedIn("Send your API key in the header `Authorization: Bearer nl_…`.")
        installation = installation_of(connection)
        async with installation.database.read() as session:
            query = select(ApiKey).where(ApiKey.key_hash == fingerprint(key.strip()))
            known = (await session.exec(query)).first()
        if known is None:
            raise NotSignedIn("This API key is not known here.")
        if scope not in known.scopes.split():
            raise NotAllowed(f"This API key lacks the scope `{scope}`.")
        # The audit trail names it (see `audit.actor_of`).
        connection.scope["auth"] = known.id

    return Access((guard,), scope.value)
