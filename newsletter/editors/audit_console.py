"""The audit trail in the console. Reading it leaves a trace in it, too."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Response

from newsletter.editors import audit, audit_search
from newsletter.editors.audit import Act
from newsletter.editors.audit_search import Entries, Wanted
from newsletter.errors import InvalidInput
from newsletter.web import WebRequest, installation_of, page, reading

_FIELDS = ("actor", "act", "subject", "from", "to")


@reading("/audit")
async def trail(request: WebRequest) -> Response[Any]:
    """Show the trail. What is asked for is ids, acts and days, which may stand in an address (RULES H6)."""
    values = {field: request.query_params.get(field, "")[:64] for field in _FIELDS}
    after = request.query_params.get("after", "")[:64]
    try:
        return await _page(request, values, audit_search.read(values), after, {})
    except InvalidInput as error:
        return await _page(request, values, None, "", error.fields)


async def _page(
    request: WebRequest, values: Mapping[str, str], wanted: Wanted | None, after: str, wrong: Mapping[str, str]
) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        names = await audit_search.actors(session)
        found = await audit_search.search(session, wanted, after) if wanted else Entries((), None)
    if wanted:
        await audit.showed(request, Act.AUDIT_TRAIL_READ, subject_id=wanted.subject_id, count=len(found.items))
    return page(
        request,
        "editors/audit.html",
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


handlers = [trail]
