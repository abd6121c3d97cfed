"""The pages on which somebody asks for a link to a new password, and chooses one."""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.addresses import read_address
from newsletter.editors.passwords.hashing import Busy
from newsletter.editors.signing_in import recovery
from newsletter.editors.signing_in.limits import TooManyTries
from newsletter.errors import InvalidInput, NewsletterError, NotFound
from newsletter.language import translator
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other, visitor_language
from newsletter.web.visitor import network_of


@reading("/recover")
async def recover_page(request: WebRequest) -> Response[Any]:
    """Ask for the address, or say what to do where no mail can be sent."""
    return _ask(request, sent="sent" in request.query_params)


@post("/recover", include_in_schema=False, status_code=303)
async def recover(request: WebRequest) -> Response[Any]:
    """Mail the link, where there is such an editor. The answer is the same for every address."""
    installation = installation_of(request)
    if not installation.settings.relay_is_set:
        raise NotFound("There is nothing at this address.")
    email = (await read_form(request)).get("email", "")
    try:
        address = read_address(email)
        await recovery.ask(installation, address, network_of(request), visitor_language(request))
    except (InvalidInput, TooManyTries) as error:
        return _ask(request, error, email=email[:254])
    return see_other("/console/recover?sent")


@reading("/recover/{token:str}")
async def choose_page(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Show the form for a new password. Looking does not use the link up."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        await recovery.look(session, installation, token)
    return _choose(request)


@post("/recover/{token:str}", include_in_schema=False, status_code=303)
async def choose(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Take the new password, and use the link up."""
    password = (await read_form(request)).get("password", "")
    try:
        await recovery.use(installation_of(request), token, password, network_of(request))
    except (InvalidInput, Busy) as error:
        return _choose(request, error)
    return see_other("/console/sign-in?new-password")


def _ask(
    request: WebRequest, error: NewsletterError | None = None, *, email: str = "", sent: bool = False
) -> Response[Any]:
    possible = installation_of(request).settings.relay_is_set
    return _page(request, "editors/signing_in/recover.html", error, email=email, sent=sent, possible=possible)


def _choose(request: WebRequest, error: NewsletterError | None = None) -> Response[Any]:
    return _page(request, "editors/signing_in/new_password.html", error)


def _page(request: WebRequest, template: str, error: NewsletterError | None, **context: Any) -> Response[Any]:
    language = visitor_language(request)
    sentence = translator(language)(error.sentence) if error else None
    status = error.status if error else 200
    return page(request, template, language=language, status=status, private=True, error=sentence, **context)
