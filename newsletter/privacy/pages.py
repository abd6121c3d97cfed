"""The public privacy notice."""

from typing import Any

from litestar import Response

from newsletter.agreements.traces import tombstones
from newsletter.language import LANGUAGES
from newsletter.privacy.notice import notice_of
from newsletter.web import WebRequest, installation_of, page, reading, visitor_language

DAYS_A_MONTH = 30.5


@reading("/privacy")
async def privacy(request: WebRequest) -> Response[Any]:
    """Show the privacy notice, in the visitor's language."""
    installation = installation_of(request)
    settings = installation.settings
    language = visitor_language(request)
    async with installation.database.read() as session:
        notice = await notice_of(session, installation, language)
    return page(
        request,
        "privacy/notice.html",
        language=language,
        notice=notice,
        unconfirmed_hours=settings.retention_unconfirmed,
        receipt_days=settings.retention_receipts,
        suppression_months=round(settings.retention_suppressions / DAYS_A_MONTH),
        backup_days=settings.retention_tombstones + tombstones.MARGIN.days,
        audit_months=settings.retention_audit,
        languages=[
            {"code": code, "label": label, "url": f"/privacy?language={code}", "current": code == language}
            for code, label in LANGUAGES.items()
        ],
    )


handlers = [privacy]
