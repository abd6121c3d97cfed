"""Coming to one's own page: asking for the link, opening it, and confirming a new address.

GET shows, POST acts: whoever scans links in mails opens nothing, and uses nothing up (RULES H8, E5). Every address is
answered alike, in the same time (promise P7).
"""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.addresses import read_address
from newsletter.database import Session
from newsletter.errors import InvalidInput
from newsletter.language import LANGUAGES, known, translator
from newsletter.limits.door import door_of
from newsletter.rights.my import address_change, links, sessions
from newsletter.rights.my.page import my_page
from newsletter.web import (
    Unstorable,
    WebRequest,
    installation_of,
    page,
    read_form,
    reading,
    see_other,
    visitor_language,
)


@reading("/my")
async def my(request: WebRequest) -> Response[Any]:
    """Show everything to whoever has opened their link, and to everybody else the question for their address."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        visit = await sessions.visit_of(session, installation, request)
    return await my_page(request) if visit else _question(request, visitor_language(request))


@post("/my", include_in_schema=False, status_code=303)
async def ask(request: WebRequest) -> Response[Any]:
    """Take an address; the answer is the same for every one."""
    installation, door = installation_of(request), door_of(request)
    networks = door.come_in(request)
    try:
        values = await read_form(request)
    except Unstorable as error:
        values = error.values
    language = known(values.get("language")) or visitor_language(request)
    try:
        address = read_address(values.get("email"))
    except InvalidInput as error:
        return _question(request, language, values.get("email", "")[:254], error.sentence)

    async def write_down(session: Session) -> None:
        await door.enter(session, networks)
        await links.ask(session, installation.clock, address, language)

    await installation.database.write_at_once(write_down)
    return see_other(f"/my/asked?language={language}")


def _question(request: WebRequest, language: str, email: str = "", wrong: str = "") -> Response[Any]:
    return page(
        request,
        "rights/my/ask.html",
        language=language,
        status=422 if wrong else 200,
        private=True,
        values={"email": email},
        errors={"email": translator(language)(wrong)} if wrong else {},
        minutes=_minutes(),
        languages=[
            {"code": code, "label": label, "url": f"/my?language={code}", "current": code == language}
            for code, label in LANGUAGES.items()
        ],
    )


def _minutes() -> int:
    return int(links.LINK_LIFE.total_seconds() // 60)


@reading("/my/asked")
async def asked(request: WebRequest) -> Response[Any]:
    """Tell to look into the mailbox; the same for everybody."""
    return page(request, "rights/my/asked.html", language=visitor_language(request), private=True, minutes=_minutes())


@reading("/my/{token:str}")
async def look(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Show the button that opens the page. Nothing happens until it is pressed."""
    installation = installation_of(request)
    try:
        async with installation.database.read() as session:
            visit = await links.look(session, installation, token)
    except links.LinkOver as error:
        return _over(request, error)
    return page(request, "rights/my/open.html", language=visit.language, private=True, action=f"/my/{token}")


@post("/my/{token:str}", include_in_schema=False, status_code=303)
async def open_page(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Use the link up, and let this browser see the page for half an hour."""
    installation = installation_of(request)
    try:
        async with installation.database.write() as session:
            key = await links.open_visit(session, installation, token)
    except links.LinkOver as error:
        return _over(request, error)
    return sessions.remembering(installation, see_other("/my"), key)


@reading("/my/address/{token:str}")
async def look_at_address(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Show the button that makes the new address count."""
    installation = installation_of(request)
    try:
        async with installation.database.read() as session:
            change = await address_change.look(session, installation, token)
    except links.LinkOver as error:
        return _over(request, error)
    language, action = visitor_language(request), f"/my/address/{token}"
    return page(request, "rights/my/address.html", language=language, private=True, email=change.email, action=action)


@post("/my/address/{token:str}", include_in_schema=False, status_code=200)
async def confirm_address(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Let the new address count."""
    installation = installation_of(request)
    try:
        async with installation.database.write() as session:
            email = await address_change.confirm(session, installation, token)
    except links.LinkOver as error:
        return _over(request, error)
    language = visitor_language(request)
    return page(request, "rights/my/address.html", language=language, private=True, email=email, action="")


def _over(request: WebRequest, error: links.LinkOver) -> Response[Any]:
    language = visitor_language(request)
    return page(
        request, "rights/my/over.html", language=language, status=error.status, private=True, minutes=_minutes()
    )


handlers = [my, ask, asked, look, open_page, look_at_address, confirm_address]
