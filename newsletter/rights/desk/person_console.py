"""One person in the console: everything held about them, and what a request of theirs asks for, done.

Looking leaves a trace in the audit trail. Every change is a POST that names the open request it answers, whose identity
was checked; it goes the same way as on the person's own page, and the request keeps that it was done, not to whom.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.actions import Origin
from newsletter.database import Session
from newsletter.editors.audit.actions import Act, actor_of, note, showed
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.language import LANGUAGES
from newsletter.rights import document
from newsletter.rights.access import gather
from newsletter.rights.desk import actions as desk
from newsletter.rights.desk.console import enter
from newsletter.rights.desk.forms import read_received
from newsletter.rights.desk.tables import RightsRequest, StepKind
from newsletter.rights.my import choices
from newsletter.rights.my.shown import shown
from newsletter.signup.rules import FIELDS
from newsletter.subscribers.tables import Subscriber
from newsletter.web import (
    PRIVATE_HEADERS,
    Unstorable,
    WebRequest,
    installation_of,
    page,
    read_form,
    reading,
    see_other,
)

ORIGIN = Origin("editor", "rights desk")
NO_REQUEST = "Please say which request this answers; register it first if that has not been done."
Doing = Callable[[Session, Subscriber, Mapping[str, str]], Awaitable[object]]


@reading("/people/{subscriber_id:str}")
async def person(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Show everything held about a person."""
    return await _person_page(request, subscriber_id, {}, {})


async def _person_page(
    request: WebRequest, subscriber_id: str, values: Mapping[str, str], wrong: Mapping[str, str]
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        holding = await gather(session, installation, subscriber_id)
        waiting = await desk.open_about(session, subscriber_id)
    await showed(request, Act.PERSON_READ, subject_id=subscriber_id)
    held = shown(installation, holding, "en")
    return page(
        request,
        "rights/desk/person.html",
        status=422 if wrong else 200,
        private=True,
        person_id=subscriber_id,
        held=held,
        waiting=waiting,
        languages=LANGUAGES,
        today=installation.clock.now().date(),
        values=held["person"] | {"received_on": installation.clock.now().date().isoformat()} | dict(values),
        errors=wrong,
    )


@post("/people/{subscriber_id:str}/requests", include_in_schema=False, status_code=303)
async def register(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Register a request of this person."""
    values = await read_form(request)
    try:
        request_id = await enter(request, read_received(dict(values) | {"address": ""}, subscriber_id))
    except InvalidInput as error:
        return await _person_page(request, subscriber_id, values, error.fields)
    return see_other(f"/console/rights/{request_id}")


@post("/people/{subscriber_id:str}/correct", include_in_schema=False, status_code=303)
async def correct(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Correct name, title, employer and language (GDPR art. 16)."""
    installation = installation_of(request)

    async def doing(session: Session, subscriber: Subscriber, values: Mapping[str, str]) -> None:
        details = choices.read_details({name: values[name] for name in (*FIELDS, "language") if name in values})
        await choices.correct(session, installation, subscriber.id, details, ORIGIN)

    return await _answer(request, subscriber_id, StepKind.CORRECTED, Act.PERSON_CORRECTED, doing)


@post("/people/{subscriber_id:str}/restrict", include_in_schema=False, status_code=303)
async def restrict(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Keep the data and use it for nothing (GDPR art. 18)."""
    return await _choose(request, subscriber_id, StepKind.RESTRICTED, Act.PERSON_RESTRICTED, choices.restrict)


@post("/people/{subscriber_id:str}/unrestrict", include_in_schema=False, status_code=303)
async def unrestrict(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Lift the restriction."""
    return await _choose(request, subscriber_id, StepKind.UNRESTRICTED, Act.PERSON_UNRESTRICTED, choices.unrestrict)


@post("/people/{subscriber_id:str}/object", include_in_schema=False, status_code=303)
async def object_to_marketing(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Carry out an objection to marketing, which ends every newsletter (GDPR art. 21; RULES B4)."""
    return await _choose(request, subscriber_id, StepKind.OBJECTED, Act.PERSON_ERASED, choices.object_to_marketing)


@post("/people/{subscriber_id:str}/erase", include_in_schema=False, status_code=303)
async def erase(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Delete everything about the person (GDPR art. 17; RULES C1)."""
    installation = installation_of(request)

    async def doing(session: Session, subscriber: Subscriber, _: Mapping[str, str]) -> None:
        await choices.erase(session, installation, subscriber.canonical, ORIGIN)

    return await _answer(request, subscriber_id, StepKind.ERASED, Act.PERSON_ERASED, doing)


@post("/people/{subscriber_id:str}/copy", include_in_schema=False, status_code=200)
async def copy(request: WebRequest, subscriber_id: FromPath[str]) -> Response[Any]:
    """Give everything held, to be sent to the person: as JSON, or as a document for printing (GDPR art. 15, 20)."""
    installation = installation_of(request)
    values = await read_form(request)
    async with installation.database.write() as session:
        answered = await _answered(session, subscriber_id, values)
        desk.step(session, installation, answered, StepKind.EXPORTED, actor_of(request))
        holding = await gather(session, installation, subscriber_id)
        await note(session, installation, actor_of(request), Act.PERSON_EXPORTED, subject_id=subscriber_id)
    if values.get("format") == "json":
        headers = PRIVATE_HEADERS | {"content-disposition": 'attachment; filename="copy.json"'}
        async with installation.database.read() as session:
            content = await document.as_json(session, installation, holding)
        return Response(content, media_type="application/json", headers=headers)
    language = holding.subscriber.language if holding.subscriber else "en"
    language = language if language in LANGUAGES else "en"
    held = shown(installation, holding, language)
    return page(request, "rights/desk/person_copy.html", language=language, private=True, held=held)


async def _choose(
    request: WebRequest, subscriber_id: str, step: StepKind, act: Act, choice: choices.Choice
) -> Response[Any]:
    installation = installation_of(request)

    async def doing(session: Session, subscriber: Subscriber, _: Mapping[str, str]) -> None:
        await choice(session, installation, subscriber.id, ORIGIN)

    return await _answer(request, subscriber_id, step, act, doing)


async def _answer(request: WebRequest, subscriber_id: str, step: StepKind, act: Act, doing: Doing) -> Response[Any]:
    """Do what the request asks for, and write down on it and in the trail that it was done, in one transaction."""
    installation = installation_of(request)
    try:
        values = await read_form(request)
    except Unstorable as error:
        return await _person_page(request, subscriber_id, error.values, error.fields)
    try:
        async with installation.database.write() as session:
            answered = await _answered(session, subscriber_id, values)
            request_id = answered.id
            subscriber = await session.get(Subscriber, subscriber_id)
            if subscriber is None:
                raise NotFound("Nothing is held about this person any more.")
            desk.step(session, installation, answered, step, actor_of(request))
            await note(session, installation, actor_of(request), act, subject_id=subscriber_id)
            await session.flush()
            await doing(session, subscriber, values)
    except InvalidInput as error:
        return await _person_page(request, subscriber_id, values, error.fields)
    return see_other(f"/console/rights/{request_id}")


async def _answered(session: Session, subscriber_id: str, values: Mapping[str, str]) -> RightsRequest:
    """Give the open request about this person that the form names. Raises Conflict where it names none."""
    named = values.get("request", "")
    if named not in {one.id for one in await desk.open_about(session, subscriber_id)}:
        raise Conflict(NO_REQUEST)
    return await desk.find(session, named, to_change=True)


handlers = [person, register, correct, restrict, unrestrict, object_to_marketing, erase, copy]
