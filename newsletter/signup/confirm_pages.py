"""Confirming a signup: the page behind the link that was mailed.

GET shows, POST acts: a mail scanner that opens every link confirms nobody (RULES E5).
"""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.actions import of_request
from newsletter.agreements.notices import actions as notices
from newsletter.database import Session
from newsletter.language import translator
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.signup import actions
from newsletter.signup.labels import details
from newsletter.web import WebRequest, installation_of, page, reading, visitor_language


@reading("/confirm/{token:str}")
async def look(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Show what is to be confirmed, with the whole notice. Nothing happens until the button is pressed."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        try:
            waiting = await actions.look_up(session, installation.clock, installation.keys, token)
        except actions.LinkExpired as error:
            return await _expired(request, session, error)
        newsletter = await newsletters.by_id(session, waiting.newsletter_id)
        agreement = await of_request(session, waiting.id)
        notice = await notices.find(session, agreement.notice_hash) if agreement else None
    if waiting.confirmed_at is not None or notice is None:
        return _confirmed(request, newsletter, waiting.language, already=True)
    return page(
        request,
        "signup/confirm.html",
        language=waiting.language,
        private=True,
        newsletter=newsletter,
        details=details(waiting, translator(waiting.language)),
        hours=installation.settings.retention_unconfirmed,
        notice={"label": notice.label, "html": notices.as_html(notice.text)},
        action=f"/confirm/{token}",
    )


@post("/confirm/{token:str}", include_in_schema=False, status_code=200)
async def confirm(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Confirm: from here on the person is subscribed."""
    installation = installation_of(request)
    try:
        async with installation.database.write() as session:
            confirmed, already = await actions.confirm(session, installation, token)
            newsletter = await newsletters.by_id(session, confirmed.newsletter_id)
    except actions.LinkExpired as error:
        async with installation.database.read() as session:
            return await _expired(request, session, error)
    return _confirmed(request, newsletter, confirmed.language, already=already)


def _confirmed(request: WebRequest, newsletter: Newsletter, language: str, *, already: bool) -> Response[Any]:
    return page(
        request, "signup/confirmed.html", language=language, private=True, newsletter=newsletter, already=already
    )


async def _expired(request: WebRequest, session: Session, error: actions.LinkExpired) -> Response[Any]:
    on_offer = await newsletters.on_offer(session)
    language = visitor_language(request)
    return page(
        request,
        "signup/expired.html",
        language=language,
        status=error.status,
        private=True,
        newsletters=on_offer,
        hours=installation_of(request).settings.retention_unconfirmed,
    )


handlers = [look, confirm]
