"""One's own page: everything that is held, to read, to print and to take along (RULES B1, B2)."""

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.params import FromPath

from newsletter.database import Session
from newsletter.errors import NotFound
from newsletter.language import LANGUAGES, known, translator
from newsletter.rights import document
from newsletter.rights.access import gather_by_address
from newsletter.rights.holding import Holding
from newsletter.rights.my import sessions
from newsletter.rights.my.shown import shown
from newsletter.rights.my.tables import MyVisit
from newsletter.web import PRIVATE_HEADERS, WebRequest, installation_of, page, reading


async def my_page(
    request: WebRequest, values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> Response[Any]:
    """Show everything that is held about whoever has opened their link, with what they typed where it won't do."""
    visit, holding = await _gathered(request)
    return _page(request, "rights/my/my.html", visit, holding, values=values or {}, errors=errors or {})


@reading("/my/copy")
async def copy(request: WebRequest) -> Response[Any]:
    """Show the same as a document for printing."""
    visit, holding = await _gathered(request)
    return _page(request, "rights/my/copy.html", visit, holding)


@reading("/my/data")
async def data(request: WebRequest) -> Response[Any]:
    """Give the same as JSON, to take along (GDPR art. 20)."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        _, holding = await _gather(session, request)
        content = await document.as_json(session, installation, holding)
    headers = PRIVATE_HEADERS | {"content-disposition": 'attachment; filename="my-data.json"'}
    return Response(content, media_type="application/json", headers=headers)


@reading("/my/agreements/{agreement_id:str}")
async def agreement(request: WebRequest, agreement_id: FromPath[str]) -> Response[Any]:
    """Give the signed record of one of one's own agreements. Raises NotFound for anybody else's."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        _, holding = await _gather(session, request)
        theirs = [each for each in document.agreements_of(holding) if each.agreement.id == agreement_id]
        if not theirs:
            raise NotFound("There is no agreement of yours at this address.")
        content = await document.signed_record(session, installation, theirs[0])
    headers = PRIVATE_HEADERS | {"content-disposition": 'attachment; filename="agreement.jsonld"'}
    return Response(content, media_type="application/ld+json", headers=headers)


@reading("/my/erase")
async def before_erasing(request: WebRequest) -> Response[Any]:
    """Say what happens when everything is deleted, with the one button."""
    return await _before(request, "erase")


@reading("/my/object")
async def before_objecting(request: WebRequest) -> Response[Any]:
    """Say what happens when somebody objects to marketing, with the one button."""
    return await _before(request, "object")


async def _before(request: WebRequest, decision: str) -> Response[Any]:
    visit, holding = await _gathered(request)
    return _page(request, "rights/my/decide.html", visit, holding, decision=decision)


async def _gathered(request: WebRequest) -> tuple[MyVisit, Holding]:
    async with installation_of(request).database.read() as session:
        return await _gather(session, request)


async def _gather(session: Session, request: WebRequest) -> tuple[MyVisit, Holding]:
    installation = installation_of(request)
    visit, canonical = await sessions.require(session, installation, request)
    return visit, await gather_by_address(session, installation, canonical)


def page_language(request: WebRequest, visit: MyVisit) -> str:
    """Give the language in which the page is asked for, else that in which the link was."""
    return known(request.query_params.get("language")) or visit.language


def _page(
    request: WebRequest,
    template: str,
    visit: MyVisit,
    holding: Holding,
    *,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    **more: Any,
) -> Response[Any]:
    installation, language = installation_of(request), page_language(request, visit)
    say = translator(language)
    held = shown(installation, holding, language)
    path = request.url.path if request.method in ("GET", "HEAD") else "/my"
    return page(
        request,
        template,
        language=language,
        status=422 if errors else 200,
        private=True,
        held=held,
        values={**held["person"], "new_email": "", **_typed(values or {})},
        errors={("new_email" if name == "email" else name): say(why) for name, why in (errors or {}).items()},
        form_token=sessions.form_token(installation.keys, visit),
        until=visit.expires_at,
        done=request.query_params.get("done", ""),
        languages=[
            {"code": code, "label": label, "url": f"{path}?language={code}", "current": code == language}
            for code, label in LANGUAGES.items()
        ],
        **more,
    )


def _typed(values: Mapping[str, str]) -> dict[str, str]:
    return {("new_email" if name == "email" else name): value[:254] for name, value in values.items()}


handlers = [copy, data, agreement, before_erasing, before_objecting]
