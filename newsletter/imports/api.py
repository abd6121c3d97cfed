"""Imports and exports for other programs. Each has a scope of its own (RULES H8)."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from litestar.openapi import spec
from litestar.params import JSONBody
from litestar.response import Stream
from msgspec import Meta

from newsletter.editors.audit import actions as audit
from newsletter.editors.keys import Scope, require
from newsletter.errors import InvalidInput
from newsletter.imports import actions, exporting, staging
from newsletter.imports.choices import Format
from newsletter.imports.evidence import CURRENT, read_evidence
from newsletter.imports.reading import columns
from newsletter.imports.reasons import sentence
from newsletter.imports.tables import Import
from newsletter.newsletters import actions as newsletters
from newsletter.web import PRIVATE_HEADERS, WebRequest, installation_of
from newsletter.web.api import ImportId, Slug
from newsletter.web.inputs import Input, values_of
from newsletter.web.operations import Body, Described, Operation

Text = Annotated[str, Meta(max_length=1000)]
_LARGEST = 16 * 1024 * 1024
_MOST = 20_000
_SHOWN = 100
_SOURCE = "Where they come from, on one line."
_NOTICE = "The hash of the notice they agreed under."
_EVIDENCE = "The SHA-256 of what shows that they agreed."
_STATEMENTS, _TRUE_OR_FALSE = ("opt_out_shown", "dry_run"), "This is either true or false."
_KINDS = ("text/csv", "application/x-ndjson")
_FIELDS = ("email", "given_name", "family_name", "title", "employer", "language", "agreed_at", "sale_reference")


class PersonInput(Input):
    """One person. What can't be taken is refused by its number, not with the whole request."""

    email: Text
    given_name: Text | None = None
    family_name: Text | None = None
    title: Text | None = None
    employer: Text | None = None
    language: Text | None = None
    agreed_at: Annotated[str, Meta(max_length=1000, description="When they agreed: 2024-05-17.")] | None = None
    sale_reference: Annotated[str, Meta(max_length=1000, description="Needed for existing customers.")] | None = None


class ImportInput(Input):
    """People, and what is to be known of them (RULES H7). The first person is row 2, as in a file with a header."""

    people: Annotated[list[PersonInput], Meta(min_length=1, max_length=_MOST)]
    source: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f]*[!-~][^\x00-\x1f]*$", description=_SOURCE)]
    basis: Annotated[
        Literal["consent", "contract", "existing_customer", "legitimate_interest"],
        Meta(description="On which ground you write to them."),
    ]
    mode: Annotated[
        Literal["confirm", "agreed", "suppress"],
        Meta(description="Ask each of them, subscribe them for they have agreed before, or never bring them in."),
    ] = "confirm"
    notice: Annotated[str, Meta(pattern=f"^({CURRENT}|[0-9a-f]{{64}})$", description=_NOTICE)] = CURRENT
    evidence: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", description=_EVIDENCE)] = ""
    opt_out_shown: Annotated[bool, Meta(description="Needed for existing customers.")] = False
    dry_run: Annotated[bool, Meta(description="Look through them, and change nothing.")] = False


class RefusalOutput(msgspec.Struct):
    """A row that was not taken, and why."""

    row: int
    reason: str


class ImportOutput(msgspec.Struct):
    """How an import stands; state is checking, checked, running, finished, cancelled, failed or uploaded.

    `known` are subscribed already, `withheld` left or must not be mailed; the first hundred refused rows are told.
    """

    id: str
    state: str
    mode: str
    rows: int
    accepted: int
    known: int
    refused: int
    withheld: int
    refusals: list[RefusalOutput]
    trouble: str | None


class ExportInput(Input):
    """How the people are to be written down."""

    format: Literal["csv", "json"] = "csv"


async def judge(request: WebRequest) -> None:
    """Let nothing but true and false stand for them: other values are turned into them before anybody looks.

    Raises InvalidInput.
    """
    given = await values_of(request) or {}
    wrong = {name: _TRUE_OR_FALSE for name in _STATEMENTS if name in given and not isinstance(given[name], bool)}
    if wrong:
        raise InvalidInput(" ".join(f"{name}: {why}" for name, why in wrong.items()), wrong)


@Operation(
    "POST",
    "/newsletters/{slug:str}/imports",
    require(Scope.IMPORT),
    name="importPeople",
    summary="Import people",
    tag="imports",
    status=202,
    body=Body(_LARGEST),
    errors=(409,),
    before=judge,
)
async def import_people(request: WebRequest, slug: Slug, data: JSONBody[ImportInput]) -> ImportOutput:
    """Let a worker take people in; ask for the import's id how it goes."""
    installation = installation_of(request)
    said = {name: getattr(data, name) for name in ("mode", "basis", "notice", "source", "evidence")}
    evidence = read_evidence({**said, "opt_out_shown": "true" if data.opt_out_shown else ""})
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
    staged = await staging.receive(installation, _written(data.people))
    try:
        async with installation.database.write() as session:
            actor = audit.actor_of(request)
            job = await actions.begin(session, installation, newsletter, actor, staged, "")
            await actions.describe(session, installation, job, evidence, columns.guess(staged.shape.header))
            await (actions.check if data.dry_run else actions.start)(session, installation, job)
    except BaseException:
        staging.discard(installation, staged.import_id)
        raise
    return _output(job, [])


async def _written(people: list[PersonInput]) -> AsyncIterator[bytes]:
    """Give people as the file they could have come in."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_FIELDS)
    for person in people:
        # A blank row would be passed over, and each must keep its number.
        writer.writerow(
            [(getattr(person, field) or "").replace("\0", "\N{REPLACEMENT CHARACTER}") for field in _FIELDS]
        )
    yield text.getvalue().encode("utf-8", "replace")


@Operation(
    "GET",
    "/imports/{import_id:str}",
    require(Scope.IMPORT),
    name="getImport",
    summary="Read how an import stands",
    tag="imports",
)
async def get_import(request: WebRequest, import_id: ImportId) -> ImportOutput:
    """Give how an import stands."""
    async with installation_of(request).database.read() as session:
        job = await actions.by_id(session, import_id)
        return _output(job, await actions.refusals(session, import_id, limit=_SHOWN))


def _output(job: Import, refused: list[tuple[int, str]]) -> ImportOutput:
    names = ("id", "state", "mode", "rows", "accepted", "known", "refused", "withheld", "trouble")
    told = [RefusalOutput(row, sentence(reason)) for row, reason in refused]
    return ImportOutput(**{name: getattr(job, name) for name in names}, refusals=told)


@dataclass
class _Downloaded(Described):
    """An operation whose answer is a file."""

    def __post_init__(self) -> None:
        """Say what the file may be: Litestar takes every answer for JSON."""
        super().__post_init__()
        answer = (self.responses or {}).get("200")
        if isinstance(answer, spec.OpenAPIResponse):
            answer.description = "The file."
            answer.content = {kind: spec.OpenAPIMediaType(schema=spec.Schema()) for kind in _KINDS}


@Operation(
    "POST",
    "/newsletters/{slug:str}/exports",
    require(Scope.EXPORT),
    name="exportSubscribers",
    summary="Export subscribers",
    tag="exports",
    body=Body(),
    described=_Downloaded,
)
async def export_subscribers(request: WebRequest, slug: Slug, data: JSONBody[ExportInput]) -> Stream:
    """Give a newsletter's active subscribers, as CSV or as JSON with a line for each. The audit trail notes it."""
    installation = installation_of(request)
    form = Format(data.format)
    async with installation.database.write() as session:
        newsletter = await exporting.begin(session, installation, slug, audit.actor_of(request))
    pieces = exporting.export(installation, newsletter.id, form)
    return Stream(pieces, media_type=form.media_type, headers=PRIVATE_HEADERS)


handlers = [import_people, get_import, export_subscribers]
