"""The signup form, and the page that tells to look into the mailbox: the same for every address (RULES H3)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.actions import Origin
from newsletter.agreements.notices import actions as notices
from newsletter.database import Session
from newsletter.errors import InvalidInput
from newsletter.language import LANGUAGES, translator
from newsletter.limits.door import door_of
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.signup import confirm_pages
from newsletter.signup.asking import Wish, asking_of
from newsletter.signup.notice_shown import current_notice, sign_notice, was_shown
from newsletter.signup.offers import Offer, Wording
from newsletter.signup.rules import FIELDS, read_signup
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
    networks = door_of(request).come_in(request)
    values, unstorable = await _typed(request)

    def choose(offer: Offer) -> tuple[Wording, bool]:
        notice = offer.in_force(values.get("language", visitor_language(request, offer.language)))
        return notice, was_shown(keys, offer.newsletter_id, values.get("notice", ""), notice.hash)

    try:
        signup, origin = read_signup(values, "", unstorable), Origin("subject", "form", _source_page(request))
        signup = await asking_of(request).ask(Wish(slug, signup, origin, choose, networks))
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


async def _typed(request: WebRequest) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Give what was typed, and a sentence for each field with a character that can't be kept."""
    try:
        return await read_form(request), {}
    except Unstorable as error:
        shown = ("email", *FIELDS)
        return error.values, {name if name in shown else "form": why for name, why in error.fields.items()}


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


handlers = [form, sign_up, asked, *confirm_pages.handlers]
