"""The rights desk in the console: what has come in and is due, one request, and what was closed.

Looking leaves a trace in the audit trail and changes nothing else; every step is a POST.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.editors.audit.actions import Act, actor_of, did, note, showed
from newsletter.editors.tables import Editor
from newsletter.errors import InvalidInput
from newsletter.rights.desk import actions as desk
from newsletter.rights.desk import rules
from newsletter.rights.desk.forms import choice, read_received, too_long
from newsletter.rights.desk.tables import Outcome
from newsletter.subscribers.tables import Subscriber
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_FIELDS = ("kind", "arrival", "received_on", "who", "address", "note")


@reading("/rights")
async def requests(request: WebRequest) -> Response[Any]:
    """Show what is open, the most urgent first, and what was closed last."""
    return await _list_page(request, {}, {})


@post("/rights", include_in_schema=False, status_code=303)
async def register(request: WebRequest) -> Response[Any]:
    """Register a request."""
    values = await read_form(request)
    try:
        request_id = await enter(request, read_received(values))
    except InvalidInput as error:
        return await _list_page(request, values, error.fields)
    return see_other(f"/console/rights/{request_id}")


async def enter(request: WebRequest, received: desk.Received) -> str:
    """Register what has come in; give the id of the request. Raises InvalidInput."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        made = await desk.register(session, installation, received, actor_of(request))
        await note(session, installation, actor_of(request), Act.REQUEST_ENTERED, subject_id=made.id)
    return made.id


async def _list_page(request: WebRequest, values: Mapping[str, str], wrong: Mapping[str, str]) -> Response[Any]:
    installation = installation_of(request)
    today = installation.clock.now().date()
    async with installation.database.read() as session:
        waiting = await desk.open_requests(session)
        closed = await desk.closed_requests(session)
        editors = await _editors(session)
    await showed(request, Act.REQUESTS_LISTED, count=len(waiting))
    return page(
        request,
        "rights/desk/desk.html",
        status=422 if wrong else 200,
        private=True,
        waiting=[
            {"asked": one, "who": subject.who if subject else "", "standing": rules.standing(one.due_on, today)}
            for one, subject in waiting
        ],
        closed=closed,
        editors=editors,
        today=today,
        values={"received_on": today.isoformat()} | {name: values[name] for name in _FIELDS if name in values},
        errors=wrong,
    )


async def _editors(session: Session) -> dict[str, str]:
    return {editor.id: editor.name for editor in (await session.exec(select(Editor).order_by(col(Editor.name)))).all()}


@reading("/rights/{request_id:str}")
async def show(request: WebRequest, request_id: FromPath[str]) -> Response[Any]:
    """Show one request."""
    return await _request_page(request, request_id, {}, {})


@post("/rights/{request_id:str}", include_in_schema=False, status_code=303)
async def write_down(request: WebRequest, request_id: FromPath[str]) -> Response[Any]:
    """Keep who asks, the note, and who works on it."""
    values = await read_form(request)
    if wrong := too_long(values):
        return await _request_page(request, request_id, values, wrong)
    async with installation_of(request).database.write() as session:
        found = await desk.find(session, request_id, to_change=True)
        editor = await session.get(Editor, values.get("editor", ""))
        charged = editor.id if editor else None
        await desk.write_down(session, found, values.get("who", ""), values.get("note", ""), charged)
        await did(request, session, Act.REQUEST_CHANGED, subject_id=found.id)
    return see_other(f"/console/rights/{request_id}")


@post("/rights/{request_id:str}/person", include_in_schema=False, status_code=303)
async def find_person(request: WebRequest, request_id: FromPath[str]) -> Response[Any]:
    """Find whom the request is about, by address. The address stands in no URL, and is not kept."""
    values = await read_form(request)
    try:
        async with installation_of(request).database.write() as session:
            found = await desk.find(session, request_id, to_change=True)
            known = await desk.point_to(session, found, values.get("address", ""))
            await did(request, session, Act.REQUEST_CHANGED, subject_id=found.id)
    except InvalidInput as error:
        return await _request_page(request, request_id, values, error.fields)
    if not known:
        wrong = {"address": "Nobody subscribes with this address. Is there another one they may have used?"}
        return await _request_page(request, request_id, values, wrong)
    return see_other(f"/console/rights/{request_id}")


@post("/rights/{request_id:str}/identity", include_in_schema=False, status_code=303)
async def identify(request: WebRequest, request_id: FromPath[str]) -> Response[Any]:
    """Record how it was made sure who is asking."""
    installation = installation_of(request)
    values = await read_form(request)
    if wrong := too_long(values):
        return await _request_page(request, request_id, values, wrong)
    try:
        async with installation.database.write() as session:
            found = await desk.find(session, request_id, to_change=True)
            await desk.identify(session, installation, found, values.get("identity", ""), actor_of(request))
            await did(request, session, Act.REQUEST_CHANGED, subject_id=found.id)
    except InvalidInput as error:
        return await _request_page(request, request_id, values, error.fields)
    return see_other(f"/console/rights/{request_id}")


@post("/rights/{request_id:str}/answer", include_in_schema=False, status_code=303)
async def answer(request: WebRequest, request_id: FromPath[str]) -> Response[Any]:
    """Record the answer, and forget who it was."""
    installation = installation_of(request)
    values = await read_form(request)
    wrong: dict[str, str] = {}
    outcome = choice(Outcome, values, "outcome", "Please choose what came of the request.", wrong)
    if outcome is None:
        return await _request_page(request, request_id, values, wrong)
    async with installation.database.write() as session:
        found = await desk.find(session, request_id, to_change=True)
        await desk.close(session, installation, found, outcome, actor_of(request))
        await note(session, installation, actor_of(request), Act.REQUEST_ANSWERED, subject_id=found.id)
    return see_other(f"/console/rights/{request_id}")


async def _request_page(
    request: WebRequest, request_id: str, values: Mapping[str, str], wrong: Mapping[str, str]
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        found = await desk.find(session, request_id)
        subject = await desk.subject_of(session, found.id)
        person = await session.get(Subscriber, subject.subscriber_id) if subject and subject.subscriber_id else None
        editors = await _editors(session)
        steps = await desk.steps_of(session, found.id)
    await showed(request, Act.REQUEST_READ, subject_id=person.id if person else found.id)
    kept = {"who": subject.who, "note": subject.note, "identity": subject.identity} if subject else {}
    blank = {"who": "", "note": "", "identity": "", "address": "", "outcome": ""}
    return page(
        request,
        "rights/desk/request.html",
        status=422 if wrong else 200,
        private=True,
        asked=found,
        subject=subject,
        person=person,
        editors=editors,
        steps=steps,
        standing=rules.standing(found.due_on, installation.clock.now().date()),
        values=blank | kept | {name: values[name] for name in blank if name in values},
        errors=wrong,
    )


async def note_overdue(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let every page of the console say that requests are overdue; `layout/console_alerts.html` shows it."""
    installation = installation_of(connection)
    async with installation.database.read() as session:
        overdue = await desk.count_overdue(session, installation)
    connection.scope["state"]["overdue_requests"] = overdue


handlers = [requests, register, show, write_down, find_person, identify, answer]
