"""Who comes into the API: a key that is known, has not ended, has the scope, and is for the newsletter in question.

What belongs to a newsletter that a key is not for is answered as if it were not there. What belongs to no single one,
such as the alarms of all mail, is open only to keys for every newsletter.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select

from newsletter.clock import day_of
from newsletter.editors.keys.belonging import newsletters_of, says_a_newsletter
from newsletter.editors.keys.rules import Scope
from newsletter.editors.tables import ApiKey, ApiKeyNewsletter
from newsletter.errors import NotAllowed, NotFound, NotSignedIn
from newsletter.installation import Installation
from newsletter.tokens import fingerprint
from newsletter.web import installation_of
from newsletter.web.operations import Access


def require(scope: Scope) -> Access:
    """Let only keys with that scope into a route of the API.

    Its guard raises NotSignedIn, NotAllowed, or NotFound for what is another newsletter's.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        known = await _known(connection)
        if scope not in known.scopes.split():
            raise NotAllowed(f"This API key lacks the scope `{scope}`.")
        if not known.every_newsletter:
            await _check_newsletter(connection, known)
        # The audit trail names it (see `audit.actor_of`).
        connection.scope["auth"] = known.id
        await _note_day(installation_of(connection), known)

    return Access((guard,), scope.value)


async def _known(connection: ASGIConnection[Any, Any, Any, Any]) -> ApiKey:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotSignedIn("Send your API key in the header `Authorization: Bearer nl_…`.")
    installation = installation_of(connection)
    async with installation.database.read() as session:
        query = select(ApiKey).where(ApiKey.key_hash == fingerprint(key.strip()), col(ApiKey.revoked_at).is_(None))
        known = (await session.exec(query)).first()
    if known is None:
        raise NotSignedIn("This API key is not known here.")
    if known.expires_at is not None and known.expires_at <= installation.clock.now():
        raise NotSignedIn("This API key has expired.")
    return known


async def _check_newsletter(connection: ASGIConnection[Any, Any, Any, Any], known: ApiKey) -> None:
    parameters = connection.path_params
    if not says_a_newsletter(parameters):
        raise NotAllowed("This is about every newsletter, and the API key is for some of them only.")
    async with installation_of(connection).database.read() as session:
        query = select(ApiKeyNewsletter.newsletter_id).where(ApiKeyNewsletter.key_id == known.id)
        held = set((await session.exec(query)).all())
        asked = await newsletters_of(session, parameters)
    if not asked or not asked <= held:
        raise NotFound("There is no such thing here, or this API key is not for its newsletter.")


async def _note_day(installation: Installation, known: ApiKey) -> None:
    """Note the day on which a key was used last, once a day."""
    today = day_of(installation.clock.now())
    if known.used_on is not None and known.used_on >= today:
        return
    earlier: ColumnElement[bool] = or_(col(ApiKey.used_on).is_(None), col(ApiKey.used_on) < today)
    async with installation.database.write(quietly=True) as session:
        await session.execute(update(ApiKey).where(col(ApiKey.id) == known.id, earlier).values(used_on=today))
