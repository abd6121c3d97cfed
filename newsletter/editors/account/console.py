"""An editor's own account in the console."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.editors import sessions
from newsletter.editors.account import actions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.passwords.hashing import Busy
from newsletter.editors.signing_in import second_factor
from newsletter.editors.signing_in.limits import TooManyTries
from newsletter.editors.tables import Editor
from newsletter.errors import InvalidInput, NewsletterError, NotFound
from newsletter.tokens import InvalidToken
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_SAID = {
    "password": "Your password is changed. You are signed out everywhere else.",
    "off": "No code is asked any more.",
}


@reading("/account")
async def account_page(request: WebRequest) -> Response[Any]:
    """Show the account."""
    said = next((sentence for name, sentence in _SAID.items() if name in request.query_params), "")
    return await _page(request, said=said)


@post("/account/password", include_in_schema=False, status_code=303)
async def change_password(request: WebRequest) -> Response[Any]:
    """Change the password; every other session ends."""
    values = await read_form(request)
    try:
        await actions.change_password(
            installation_of(request),
            _editor(request),
            sessions.current(request),
            values.get("old", ""),
            values.get("new", ""),
        )
    except (InvalidInput, TooManyTries, Busy) as error:
        return await _page(request, error)
    return see_other("/console/account?password")


@post("/account/sessions/end-others", include_in_schema=False, status_code=303)
async def end_others(request: WebRequest) -> Response[Any]:
    """Sign out everywhere else."""
    here = sessions.current(request)
    async with installation_of(request).database.write() as session:
        ended = await sessions.end_all(session, here.editor_id, but=here.id)
        if ended:
            await audit.did(request, session, Act.SESSIONS_ENDED, subject_id=here.editor_id, count=ended)
    return see_other("/console/account")


@post("/account/sessions/{session_id:str}/end", include_in_schema=False, status_code=303)
async def end_session(request: WebRequest, session_id: FromPath[str]) -> Response[Any]:
    """End one session of the editor's own."""
    here = sessions.current(request)
    async with installation_of(request).database.write() as session:
        if not await sessions.end_one(session, here.editor_id, session_id):
            raise NotFound("This session has ended already.")
        await audit.did(request, session, Act.SESSIONS_ENDED, subject_id=here.editor_id, count=1)
    return see_other("/console/account")


@reading("/account/second-factor")
async def second_factor_page(request: WebRequest) -> Response[Any]:
    """Show the picture for the telephone, with a fresh secret, or how to switch the codes off."""
    return await _second_factor(request, second_factor.new_secret())


@post("/account/second-factor/on", include_in_schema=False, status_code=200)
async def switch_on(request: WebRequest) -> Response[Any]:
    """Switch the codes on, and show the recovery codes: they can't be shown again, so no redirect leads to them."""
    installation, editor = installation_of(request), _editor(request)
    values = await read_form(request)
    locked = values.get("secret", "")
    try:
        given = (values.get("password", ""), locked, values.get("code", ""))
        codes = await actions.switch_on(installation, editor, *given)
    except (InvalidInput, TooManyTries, Busy) as error:
        try:
            secret = second_factor.from_form(installation, editor, locked)
        except InvalidToken:
            secret = second_factor.new_secret()
        return await _second_factor(request, secret, error)
    return page(request, "editors/account/codes.html", private=True, codes=codes)


@post("/account/second-factor/off", include_in_schema=False, status_code=303)
async def switch_off(request: WebRequest) -> Response[Any]:
    """Switch the codes off."""
    values = await read_form(request)
    try:
        await actions.switch_off(installation_of(request), _editor(request), values.get("password", ""))
    except (InvalidInput, TooManyTries, Busy) as error:
        return await _second_factor(request, "", error)
    return see_other("/console/account?off")


def _editor(request: WebRequest) -> Editor:
    editor = request.scope["user"]
    assert isinstance(editor, Editor)
    return editor


async def _second_factor(request: WebRequest, secret: str, error: NewsletterError | None = None) -> Response[Any]:
    installation, editor = installation_of(request), _editor(request)
    is_on = bool(editor.totp_locked)
    address = "" if is_on else second_factor.uri(installation, editor, secret or second_factor.new_secret())
    return page(
        request,
        "editors/account/second_factor.html",
        status=error.status if error else 200,
        private=True,
        is_on=is_on,
        picture=second_factor.picture(address) if address else "",
        secret="" if is_on else " ".join(second_factor.as_read_aloud(secret)),
        locked="" if is_on else second_factor.lock_for_form(installation, editor, secret),
        **_wrong(error),
    )


async def _page(request: WebRequest, error: NewsletterError | None = None, said: str = "") -> Response[Any]:
    installation, editor, here = installation_of(request), _editor(request), sessions.current(request)
    async with installation.database.read() as session:
        held = await sessions.of_editor(session, installation, here.editor_id)
        left = await second_factor.codes_left(session, editor)
    return page(
        request,
        "editors/account/account.html",
        status=error.status if error else 200,
        private=True,
        sessions=held,
        this_session=here.id,
        codes_left=left,
        said=said,
        **_wrong(error),
    )


def _wrong(error: NewsletterError | None) -> Mapping[str, Any]:
    fields = error.fields if error else {}
    return {"errors": fields, "error": error.sentence if error and not fields else ""}


handlers = [
    account_page,
    change_password,
    end_others,
    end_session,
    second_factor_page,
    switch_on,
    switch_off,
]
