"""API keys in the console: which there are, making one, which is shown this once, and revoking it."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import actions, belonging, rules
from newsletter.errors import InvalidInput
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_EMPTY = {"name": "", "which": "every", "days": "365"}


@reading("/keys")
async def keys_page(request: WebRequest) -> Response[Any]:
    """Show every key, and the form for a new one."""
    return await _page(request, _EMPTY)


@post("/keys", include_in_schema=False, status_code=200)
async def make_key(request: WebRequest) -> Response[Any]:
    """Make a key, and show it: it can't be shown again, so no redirect leads to it."""
    installation = installation_of(request)
    values = await read_form(request)
    try:
        async with installation.database.write() as session:
            ids = [newsletter_id for newsletter_id, _slug, _name in await belonging.newsletters(session)]
            wanted = rules.read_form(values, ids, installation.clock.now())
            key, key_id = await actions.make(session, installation.clock, wanted)
            await audit.did(request, session, Act.API_KEY_MADE, subject_id=key_id)
    except InvalidInput as error:
        return await _page(request, _EMPTY | values, error.fields)
    return await _page(request, _EMPTY, made=key)


@post("/keys/{key_id:str}/revoke", include_in_schema=False, status_code=303)
async def revoke_key(request: WebRequest, key_id: FromPath[str]) -> Response[Any]:
    """Revoke a key: from now on it opens nothing."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        await actions.revoke(session, installation.clock, key_id)
        await audit.did(request, session, Act.API_KEY_REVOKED, subject_id=key_id)
    return see_other("/console/keys")


async def _page(
    request: WebRequest, values: Mapping[str, str], wrong: Mapping[str, str] | None = None, made: str = ""
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        known = await actions.listed(session, installation)
        newsletters = await belonging.newsletters(session)
    return page(
        request,
        "editors/keys/keys.html",
        status=422 if wrong else 200,
        private=True,
        keys=known,
        newsletters=newsletters,
        scopes=list(rules.MEANINGS.items()),
        lives=rules.LIVES,
        values=values,
        errors=wrong or {},
        made=made,
    )


handlers = [keys_page, make_key, revoke_key]
