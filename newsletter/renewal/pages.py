"""What readers see of a notice: the page of each that was ever shown, and the question whether they agree to it.

GET shows, POST answers: a mail scanner that opens every link renews nothing (RULES E5). The form carries the signed
hash of the notice it showed, so that one which changed meanwhile is noticed (RULES A6).
"""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.notices.actions import as_html
from newsletter.agreements.notices.diff import compare
from newsletter.agreements.notices.versions import Standing, find_version, versions
from newsletter.agreements.tables import Notice
from newsletter.errors import NotFound
from newsletter.language import translator
from newsletter.newsletters import actions as newsletters
from newsletter.renewal import answering
from newsletter.renewal.answering import Question, QuestionOver
from newsletter.signup.notice_shown import NOTICE_CHANGED, sign_notice
from newsletter.tokens import equal
from newsletter.unsubscribe.actions import unsubscribe_token
from newsletter.web import WebRequest, installation_of, page, read_form, reading, visitor_language


@reading("/newsletters/{slug:str}/notices/{notice_hash:str}")
async def notice_page(request: WebRequest, slug: FromPath[str], notice_hash: FromPath[str]) -> Response[Any]:
    """Show a notice that is in force, was, or is announced; with `?since=`, and what is different from another."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await versions(session, newsletter.id, installation.clock.now(), counted=False)
    version = find_version(found, notice_hash)
    since = request.query_params.get("since", "")
    try:
        before = find_version(found, since).notice if since else None
    except NotFound:
        before = None
    return page(
        request,
        "renewal/notice.html",
        language=version.use.language,
        newsletter=newsletter,
        notice=_shown(version.notice),
        valid_from=version.use.valid_from,
        planned=version.standing is Standing.PLANNED,
        followed=version.standing is Standing.FOLLOWED,
        changes=_changes(before, version.notice, version.use.language) if before else [],
    )


def _shown(notice: Notice) -> dict[str, str]:
    return {"label": notice.label, "html": as_html(notice.text), "hash": notice.hash, "language": notice.language}


def _changes(before: Notice, after: Notice, language: str) -> list[str]:
    if before.hash == after.hash:
        return []
    say = translator(language)
    changes = compare((before.label, before.text), (after.label, after.text))
    return [each.as_html(say("new"), say("taken out")) for each in changes if each.changed]


@reading("/renew/{token:str}")
async def ask(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Show what is asked. Nothing happens until the button is pressed."""
    installation = installation_of(request)
    try:
        async with installation.database.read() as session:
            question = await answering.look(session, installation, token)
    except QuestionOver as error:
        return _over(request, error)
    return _done(request, question) if question.answered else _question_page(request, question, token)


@post("/renew/{token:str}", include_in_schema=False, status_code=200)
async def answer(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Renew the agreement under the notice that was shown; pressing again does nothing more."""
    installation = installation_of(request)
    shown = (await read_form(request)).get("notice", "")
    try:
        async with installation.database.write() as session:
            question = await answering.look(session, installation, token)
            if not question.answered and not equal(shown, _signed(request, question)):
                return _question_page(request, question, token, NOTICE_CHANGED)
            question = await answering.renew(session, installation, token)
    except QuestionOver as error:
        return _over(request, error)
    return _done(request, question)


def _signed(request: WebRequest, question: Question) -> str:
    return sign_notice(installation_of(request).keys, question.newsletter.id, question.now.hash)


def _question_page(request: WebRequest, question: Question, token: str, wrong: str | None = None) -> Response[Any]:
    keys = installation_of(request).keys
    return page(
        request,
        "renewal/question.html",
        language=question.language,
        status=422 if wrong else 200,
        private=True,
        newsletter=question.newsletter,
        notice=_shown(question.now),
        notice_token=_signed(request, question),
        changes=_changes(question.before, question.now, question.language),
        action=f"/renew/{token}",
        leave=f"/unsubscribe/{unsubscribe_token(keys, question.row.subscription_id)}",
        errors={"notice": translator(question.language)(wrong)} if wrong else {},
    )


def _done(request: WebRequest, question: Question) -> Response[Any]:
    return page(request, "renewal/done.html", language=question.language, private=True, newsletter=question.newsletter)


def _over(request: WebRequest, error: QuestionOver) -> Response[Any]:
    return page(request, "renewal/over.html", language=visitor_language(request), status=error.status, private=True)


handlers = [notice_page, ask, answer]
