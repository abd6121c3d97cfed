"""The report of an import: each refused row by its number and why, as CSV; it holds no address (RULES C4, C7)."""

import csv
import io
from collections.abc import AsyncIterator

from newsletter.imports import actions
from newsletter.imports.reasons import sentence
from newsletter.installation import Installation

_PAGE = 5_000


async def report(installation: Installation, import_id: str) -> AsyncIterator[bytes]:
    """Give the report in pieces."""
    yield _lines([("row", "reason")])
    after = 0
    while True:
        async with installation.database.read() as session:
            page = await actions.refusals(session, import_id, after, _PAGE)
        if not page:
            return
        after = page[-1][0]
        yield _lines([(str(row), sentence(reason)) for row, reason in page])


def _lines(rows: list[tuple[str, str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
