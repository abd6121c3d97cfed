"""Privacy in the console: the record of processing, the processors, whom a breach would touch, and who was told."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.response import Stream

from newsletter.agreements.opening import change_newsletter
from newsletter.editors.audit.actions import Act, actor_of, note, showed
from newsletter.errors import InvalidInput
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters import processors
from newsletter.newsletters.processors import Described
from newsletter.newsletters.tables import Newsletter
from newsletter.privacy import breach, tellings
from newsletter.privacy.record import as_json, record_of
from newsletter.privacy.tables import Told
from newsletter.web import PRIVATE_HEADERS, WebRequest, installation_of, page, read_form, reading, see_other

_PROCESSOR = ("name", "purpose", "country", "transfer_ground", "contract_on")
# What a spreadsheet would take for a formula gets a mark before it (RULES H8).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@reading("/privacy")
async def privacy(request: WebRequest) -> Response[Any]:
    """Show the record, the processors and who was told."""
    return await _privacy_page(request, {}, {})


async def _privacy_page(request: WebRequest, values: Mapping[str, str], wrong: Mapping[str, str]) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        record = await record_of(session, installation)
        listed = await processors.listed(session)
        on_offer = await newsletters.on_offer(session)
        to_tell = await tellings.to_be_told(session)
        told = await tellings.latest(session)
    return page(
        request,
        "privacy/console.html",
        status=422 if wrong else 200,
        private=True,
        record=record,
        processors=[
            {"processor": one, "only": only, "transfer": not processors.in_eea(one.country)} for one, only in listed
        ],
        newsletters=on_offer,
        responsible=list(newsletters.RESPONSIBLE),
        countries=processors.countries("en"),
        to_tell=to_tell,
        told=told,
        today=installation.clock.now().date(),
        values=values,
        errors=wrong,
    )


@reading("/privacy/record")
async def record(request: WebRequest) -> Response[Any]:
    """Show the record by itself, for printing."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        found = await record_of(session, installation)
    return page(request, "privacy/record.html", private=True, record=found)


@reading("/privacy/record.json")
async def record_as_json(request: WebRequest) -> Response[Any]:
    """Give the record for other programs."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        found = await record_of(session, installation)
    headers = PRIVATE_HEADERS | {"content-disposition": 'attachment; filename="record-of-processing.json"'}
    return Response(as_json(found), media_type="application/json", headers=headers)


@post("/privacy/processors", include_in_schema=False, status_code=303)
async def put_processor(request: WebRequest) -> Response[Any]:
    """Add a processor, or change one."""
    installation = installation_of(request)
    values = await read_form(request)
    try:
        async with installation.database.write() as session:
            chosen = [one.id for one in await newsletters.on_offer(session) if values.get(f"newsletter-{one.id}")]
            await processors.put(session, _read_processor(values, chosen), values.get("id") or None)
            await note(session, installation, actor_of(request), Act.PRIVACY_CHANGED)
    except InvalidInput as error:
        return await _privacy_page(request, values, error.fields)
    return see_other("/console/privacy#processors")


def _read_processor(values: Mapping[str, str], chosen: list[str]) -> Described:
    """Read a processor's form; no newsletter ticked stands for all of them."""
    try:
        contract_on = date.fromisoformat(values["contract_on"]) if values.get("contract_on") else None
    except ValueError as error:
        sentence = "Please give the day of the contract, such as 2026-11-22, or leave it empty."
        raise InvalidInput(sentence, {"contract_on": sentence}) from error
    texts = {field: values.get(field, "") for field in _PROCESSOR if field != "contract_on"}
    return Described(
        **texts,
        contract_on=contract_on,
        keeps_copies=bool(values.get("keeps_copies")),
        newsletter_ids=chosen or None,
    )


@post("/privacy/processors/{processor_id:str}/remove", include_in_schema=False, status_code=303)
async def remove_processor(request: WebRequest, processor_id: FromPath[str]) -> Response[Any]:
    """Take a processor off the list."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        await processors.remove(session, processor_id)
        await note(session, installation, actor_of(request), Act.PRIVACY_CHANGED)
    return see_other("/console/privacy#processors")


@post("/privacy/newsletters/{slug:str}", include_in_schema=False, status_code=303)
async def put_responsible(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Change who answers for a newsletter, and where its readers write. What is left empty is as in the settings."""
    installation = installation_of(request)
    values = await read_form(request)
    try:
        async with installation.database.write() as session:
            newsletter = await newsletters.by_slug(session, slug)
            given = {field: values.get(field, "") for field in newsletters.RESPONSIBLE}
            await change_newsletter(session, installation, newsletter, given)
            await note(session, installation, actor_of(request), Act.PRIVACY_CHANGED, newsletter_id=newsletter.id)
    except InvalidInput as error:
        return await _privacy_page(request, values | {"slug": slug}, error.fields)
    return see_other("/console/privacy#responsible")


@post("/privacy/tellings", include_in_schema=False, status_code=303)
async def tell(request: WebRequest) -> Response[Any]:
    """Write down that a recipient was told."""
    installation = installation_of(request)
    values = await read_form(request)
    try:
        about, told_on, count = _read_telling(values)
        async with installation.database.write() as session:
            processor = await processors.by_id(session, values.get("processor", ""))
            await tellings.record(session, installation, processor, about, told_on, count, actor_of(request))
            await note(session, installation, actor_of(request), Act.PRIVACY_CHANGED, count=count)
    except InvalidInput as error:
        return await _privacy_page(request, values, error.fields)
    return see_other("/console/privacy#told")


def _read_telling(values: Mapping[str, str]) -> tuple[Told, date, int]:
    count = values.get("count", "")
    try:
        about, told_on = Told(values.get("about", "")), date.fromisoformat(values.get("told_on", ""))
    except ValueError as error:
        sentence = "Please say what they were told of, and on which day."
        raise InvalidInput(sentence, {"told_on": sentence}) from error
    return about, told_on, int(count) if count.isascii() and count.isdecimal() and len(count) < 9 else 0


@reading("/privacy/breach/{slug:str}")
async def whom_a_breach_touches(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show how many people a breach would touch, and with which data."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        touched = await breach.touched_by(session, newsletter.id)
    return page(request, "privacy/breach.html", private=True, newsletter=newsletter, touched=touched)


@post("/privacy/breach/{slug:str}/list", include_in_schema=False, status_code=200)
async def list_touched(request: WebRequest, slug: FromPath[str]) -> Stream:
    """Give the list of whom to tell, as CSV. It is noted before the first line leaves."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        touched = await breach.touched_by(session, newsletter.id)
    count = touched.active + touched.pending
    await showed(request, Act.SUBSCRIBERS_EXPORTED, newsletter_id=newsletter.id, count=count)
    headers = PRIVATE_HEADERS | {"content-disposition": 'attachment; filename="people-to-tell.csv"'}
    return Stream(_as_csv(installation, newsletter), media_type="text/csv; charset=utf-8", headers=headers)


async def _as_csv(installation: Installation, newsletter: Newsletter) -> AsyncIterator[str]:
    yield "email,language,state\r\n"
    async for rows in breach.people(installation, newsletter.id):
        lines = io.StringIO()
        csv.writer(lines).writerows([_plain(value) for value in row] for row in rows)
        yield lines.getvalue()


def _plain(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


handlers = [
    privacy,
    record,
    record_as_json,
    put_processor,
    remove_processor,
    put_responsible,
    tell,
    whom_a_breach_touches,
    list_touched,
]
