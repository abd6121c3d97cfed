"""One agreement in the console: a page for paper in its reader's language, and the signed record (RULES A10).

Each look and each download leaves a trace in the audit trail.
"""

from typing import Any

from litestar import Response
from litestar.params import FromPath

from newsletter.agreements.proof import export
from newsletter.agreements.proof.record import Record, record_of
from newsletter.editors.audit.actions import Act, showed
from newsletter.errors import NotFound
from newsletter.rights.holding import HeldAgreement
from newsletter.rights.my.shown import agreement_shown
from newsletter.web import PRIVATE_HEADERS, WebRequest, installation_of, page, reading


@reading("/agreements/{agreement_id:str}")
async def agreement(request: WebRequest, agreement_id: FromPath[str]) -> Response[Any]:
    """Show an agreement as it is printed: what was shown, by whom and when it was given, and how that is proven."""
    record = await _read(request, agreement_id, Act.AGREEMENT_READ)
    held = HeldAgreement(record.agreement, record.notice, [each.event for each in record.events])
    return page(
        request,
        "rights/desk/agreement.html",
        language=record.language,
        private=True,
        record=record,
        shown=agreement_shown(held, record.language, record.terms),
        keys_at=installation_of(request).url(export.WELL_KNOWN),
    )


@reading("/agreements/{agreement_id:str}/record")
async def signed_record(request: WebRequest, agreement_id: FromPath[str]) -> Response[Any]:
    """Give the signed record as a file (JSON-LD)."""
    record = await _read(request, agreement_id, Act.AGREEMENT_EXPORTED)
    named = {"content-disposition": f'attachment; filename="agreement-{record.agreement.id}.jsonld"'}
    content = export.signed(installation_of(request), record)
    return Response(content, media_type=export.MEDIA_TYPE, headers=PRIVATE_HEADERS | named)


async def _read(request: WebRequest, agreement_id: str, act: Act) -> Record:
    installation = installation_of(request)
    async with installation.database.read() as session:
        record = await record_of(session, installation, agreement_id)
    if record.subscriber is None:
        raise NotFound("This agreement waits for its mailbox; it is none until it is confirmed.")
    await showed(request, act, subject_id=record.subscriber.id, newsletter_id=record.newsletter.id)
    return record


handlers = [agreement, signed_record]
