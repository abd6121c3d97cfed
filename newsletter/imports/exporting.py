"""Taking a newsletter's subscribers out: CSV, or JSON with a line for each, streamed page by page.

A million take no more memory than a thousand. Where a spreadsheet would take a cell for a formula, it gets a mark
before it, which an import takes off again (RULES H8). Who restricted their data is left out: it may only be kept.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from sqlmodel import col, select

from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import InvalidInput
from newsletter.imports.choices import Format
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.actions import count_active
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState

HEADER = ("email", "given_name", "family_name", "title", "employer", "language", "since")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = 5_000
# By this mark at the beginning a spreadsheet knows that the file is UTF-8.
MARK = b"\xef\xbb\xbf"

Row = tuple[str, ...]


def read_format(text: str) -> Format:
    """Read a format. Raises InvalidInput for the field `format`."""
    if text not in set(Format):
        sentence = f"The format is one of {', '.join(Format)}."
        raise InvalidInput(sentence, {"format": sentence})
    return Format(text)


async def begin(session: Session, installation: Installation, slug: str, actor: str) -> Newsletter:
    """Give the newsletter whose people are taken out; the audit trail notes by whom, and how many. Raises NotFound."""
    newsletter = await newsletters.by_slug(session, slug)
    count, act = await count_active(session, newsletter.id), Act.SUBSCRIBERS_EXPORTED
    await audit.note(session, installation, actor, act, newsletter_id=newsletter.id, count=count)
    return newsletter


async def export(installation: Installation, newsletter_id: str, form: Format) -> AsyncIterator[bytes]:
    """Give the active subscribers of a newsletter in pieces of some thousand, in an order that means nothing."""
    if form is Format.CSV:
        yield as_csv([HEADER])
    after = ""
    while page := await _page(installation, newsletter_id, after):
        after = page[-1][0]
        rows = [row for _, row in page]
        yield as_csv(rows) if form is Format.CSV else as_json(rows)


async def _page(installation: Installation, newsletter_id: str, after: str) -> list[tuple[str, Row]]:
    names = [col(getattr(Subscriber, name)) for name in HEADER[:-1]]
    query = (
        select(col(Subscription.id), col(Subscription.created_at), *names)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(
            col(Subscription.id) > after,
            Subscription.newsletter_id == newsletter_id,
            Subscription.state == SubscriptionState.ACTIVE,
            col(Subscriber.restricted_at).is_(None),
        )
        .order_by(col(Subscription.id))
        .limit(_PAGE)
    )
    async with installation.database.read() as session:
        found = (await session.exec(query)).all()
    return [_row(*row) for row in found]


def _row(subscription_id: str, since: datetime, *values: str | None) -> tuple[str, Row]:
    return subscription_id, (*(value or "" for value in values), f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


def as_csv(rows: Sequence[Row]) -> bytes:
    """Write rows as CSV, none of whose cells is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([[_harmless(cell) for cell in row] for row in rows])
    return text.getvalue().encode()


def as_json(rows: Sequence[Row]) -> bytes:
    """Write rows as JSON, a line for each; what is empty is null."""
    people = ({name: cell or None for name, cell in zip(HEADER, row, strict=True)} for row in rows)
    return "".join(f"{json.dumps(person, ensure_ascii=False)}\n" for person in people).encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
