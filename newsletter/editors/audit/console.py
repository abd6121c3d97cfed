"""The audit trail in the console. Reading it leaves a trace in it, too."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Response, post

from newsletter.editors.audit import actions as audit
from newsletter.editors.audit import search
from newsletter.editors.audit.actions import Act
from newsletter.editors.audit.search import Entries, Wanted
from newsletter.errors import InvalidInput
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_FIELDS = ("actor", "act", "subject", "from", "to")


@reading("/audit")
async def trail(request: WebRequest) -> Response[Any]:
    """Show the trail. What stands in the address is ids, acts and days."""
    values = {field: request.query_params.get(field, "")[:64] for field in _FIELDS}
    after = request.query_params.get("after", "")[:64]
    try:
        return await _page(request, values, search.read(values), after, {})
    except InvalidInput as error:
        return await _page(request, values, None, "", error.fields)


@post("/audit", include_in_schema=False, status_code=303)
async def find(request: WebRequest) -> Response[Any]:
    """Take what is looked for. Only what is none but an id, an act or a day comes into an address (RULES H6)."""
    typed = await read_form(request)
    values = {field: typed.get(field, "").strip()[:64] for field in _FIELDS}
    try:
        search.read(values)
    except InvalidInput as error:
        return await _page(request, values, None, "", error.fields)
    asked = urlencode({field: value for field, value in values.items() if value})
    return see_other(f"/console/audit?{asked}" if asked else "/console/audit")


async def _page(
    request: WebRequest, values: Mapping[str, str], wanted: Wanted | None, after: str, wrong: Mapping[str, str]
) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        names = await search.actors(session)
        found = await search.search(session, wanted, after) if wanted else Entries((), None)
    if wanted:
        await audit.showed(request, Act.AUDIT_TRAIL_READ, subject_id=wanted.subject_id, count=len(found.items))
    return page(
        request,
        "editors/audit/audit.html",
        status=422 if wrong else 200,
        private=True,
        entries=[_shown(entry, names) for entry in found.items],
        more=urlencode({**values, "after": found.next}) if found.next else None,
        filtered=any(values.values()),
        begun=not after,
        values=values,
        errors=wrong,
        acts=[{"value": act.value, "label": label(act)} for act in sorted(Act)],
        actors=names,
    )


def _shown(entry: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": entry.at,
        "actor": names.get(entry.actor),
        "actor_id": entry.actor,
        "act": label(entry.act),
        "subject_id": entry.subject_id,
        "count": entry.count,
    }


def label(act: str) -> str:
    """Give an act as it is shown: `person_read` is "Person read"."""
    return act.replace("_", " ").replace("api ", "API ").capitalize().replace("Api", "API")


handlers = [trail, find]
