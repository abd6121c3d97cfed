"""The signup form and the confirmation page.

GET shows, POST acts: a mail scanner that opens every link confirms nobody (RULES E5). The form carries the hash of the
notice it showed, signed, so that a notice that changed between GET and POST is noticed (RULES A6).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements import notices
from newsletter.agreements.actions import Origin, of_request
from newsletter.agreements.tables import Notice
from newsletter.database import Session
from newsletter.errors import InvalidInput, NotFound
from newsletter.language import LANGUAGES, translator
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.signup import actions
from newsletter.signup.asking import Asking, Wish
from newsletter.signup.offers import NOT_OPEN, Offer, Wording
from newsletter.signup.rules import FIELDS, read_signup
from newsletter.tokens import InvalidToken, Keyring
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

NOTICE_CHANGED = (
    "The notice has changed since you opened this page. Please read it again, and tick the box if you agree."
)
_LABELS = {"given_name": "Given name", "family_name": "Family name", "title": "Title", "employer": "Employer"}


def sign_notice(keys: Keyring, newsletter_id: str, notice_hash: str) -> str:
    """Give the token that proves our own form showed that notice."""
    return keys.sign(f"notice/{newsletter_id}", bytes.fromhex(notice_hash))


async def current_notice(session: Session, newsletter: Newsletter, language: str, at: datetime) -> Notice:
    """Give the notice in force at that time in that language, else in the newsletter's own. Raises NotFound where it
    has none yet.
    """
    in_force = await notices.in_force(session, newsletter.id, at)
    notice = in_force.get(language) or in_force.get(newsletter.language) or next(iter(in_force.values()), None)
    if notice is None:
        raise NotFound(NOT_OPEN)
    return notice


@reading("/newsletters/{slug:str}")
async def form(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show the signup form with the notice in full."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        language = visitor_language(request, newsletter.language)
        return await _form_page(request, session, newsletter, language, {}, {})


@post("/newsletters/{slug:str}/signup", include_in_schema=False, status_code=303)
async def sign_up(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Take a signup; the answer is the same for every address."""
    keys = installation_of(request).keys
    values, unstorable = await _typed(request)

    def choose(offer: Offer) -> tuple[Wording, bool]:
        notice = offer.in_force(values.get("language", visitor_language(request, offer.language)))
        return notice, _shown_by_us(keys, offer.newsletter_id, values.get("notice", ""), notice.hash)

    try:
        wish = Wish(slug, read_signup(values, "", unstorable), Origin("subject", "form", _source_page(request)), choose)
        signup = await asking_of(request).ask(wish)
    except InvalidInput as error:
        return await _form_again(request, slug, values, error.fields)
    return see_other(f"/newsletters/{slug}/asked?language={signup.language}")


async def _form_again(
    request: WebRequest, slug: str, values: Mapping[str, str], wrong: Mapping[str, str]
) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        language = values.get("language", visitor_language(request, newsletter.language))
        return await _form_page(request, session, newsletter, language, values, wrong)


def asking_of(request: WebRequest) -> Asking:
    """Give what writes this app's signups."""
    asking = request.app.state.asking
    assert isinstance(asking, Asking)
    return asking


async def _typed(request: WebRequest) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Give what was typed, and a sentence for each field with a character that can't be kept."""
    try:
        return await read_form(request), {}
    except Unstorable as error:
        shown = ("email", *FIELDS)
        return error.values, {name if name in shown else "form": why for name, why in error.fields.items()}


def _shown_by_us(keys: Keyring, newsletter_id: str, token: str, notice_hash: str) -> bool:
    """Say whether our own form showed the notice. A form of another site brings no token, and is taken at its word."""
    if not token:
        return False
    try:
        shown = keys.read(f"notice/{newsletter_id}", token).hex()
    except InvalidToken:
        shown = ""
    if shown != notice_hash:
        raise InvalidInput(NOTICE_CHANGED, {"notice": NOTICE_CHANGED})
    return True


def _source_page(request: WebRequest) -> str | None:
    """Give the page the form stood on, without its query; of another site, whose paths may name people, the origin."""
    referer = request.headers.get("referer", "")
    try:
        url = urlsplit(referer)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or not url.hostname or not referer.isprintable():
        return None
    origin = f"{url.scheme}://{url.hostname}{port}"
    ours = origin == installation_of(request).settings.base_url.rstrip("/")
    return f"{origin}{url.path if ours else ''}"[:500]


async def _form_page(
    request: WebRequest,
    session: Session,
    newsletter: Newsletter,
    language: str,
    values: Mapping[str, str],
    wrong: Mapping[str, str],
) -> Response[Any]:
    now = installation_of(request).clock.now()
    in_force = await notices.in_force(session, newsletter.id, now)
    notice = await current_notice(session, newsletter, language, now)
    say = translator(notice.language)
    keys = installation_of(request).keys
    path = f"/newsletters/{newsletter.slug}"
    return page(
        request,
        "signup/form.html",
        language=notice.language,
        status=422 if wrong else 200,
        newsletter=newsletter,
        action=f"{path}/signup",
        notice={"label": notice.label, "html": notices.as_html(notice.text)},
        notice_token=sign_notice(keys, newsletter.id, notice.hash),
        values={field: values.get(field, "")[:254] for field in ("email", *FIELDS)},
        errors={field: say(sentence) for field, sentence in wrong.items()},
        languages=[
            {"code": code, "label": label, "url": f"{path}?language={code}", "current": code == notice.language}
            for code, label in LANGUAGES.items()
            if code in in_force
        ],
    )


@reading("/newsletters/{slug:str}/asked")
async def asked(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Tell to look into the mailbox; the same for everybody."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
    language = visitor_language(request, newsletter.language)
    hours = installation_of(request).settings.retention_unconfirmed
    return page(request, "signup/asked.html", language=language, newsletter=newsletter, hours=hours)


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
    say = translator(waiting.language)
    details = [{"label": say("E-mail"), "value": waiting.email}]
    details += [
        {"label": say(label), "value": value} for field, label in _LABELS.items() if (value := getattr(waiting, field))
    ]
    return page(
        request,
        "signup/confirm.html",
        language=waiting.language,
        private=True,
        newsletter=newsletter,
        details=details,
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


handlers = [form, sign_up, asked, look, confirm]
