"""What the page of an import shows: how it stands, and, before it has begun, its file and what was said of it."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from newsletter.database import Session
from newsletter.imports import actions, staging
from newsletter.imports.evidence import BASES, LONGEST_SOURCE
from newsletter.imports.reading import columns
from newsletter.imports.reading.records import records
from newsletter.imports.reading.shape import Shape, read_again
from newsletter.imports.reasons import sentence
from newsletter.imports.rules import WORKING
from newsletter.imports.tables import Import, Mode
from newsletter.installation import Installation
from newsletter.signup.offers import Offer

_PREVIEW = 5
_LONGEST_CELL = 60
_REFUSALS = 20


async def standing(session: Session, job: Import) -> dict[str, Any]:
    """Give how far it has come, and the first rows that were refused."""
    counted = await actions.reasons(session, job.id) if job.refused else {}
    listed = await actions.refusals(session, job.id, limit=_REFUSALS) if job.refused else []
    return {
        "job": job,
        "working": job.state in WORKING,
        "percent": round(100 * job.done_to / max(job.size, 1)),
        "reasons": [(sentence(reason), count) for reason, count in counted.items()],
        "refusals": [(row, sentence(reason)) for row, reason in listed],
    }


def described(installation: Installation, job: Import, offer: Offer, typed: Mapping[str, str]) -> dict[str, Any]:
    """Give the file's beginning and what is said of it, with what was just typed; the file must be here."""
    shape, preview = _preview(installation, job)
    meaning = {position: field for field, position in columns.from_text(job.columns).items()}
    values = {
        "mode": job.mode,
        "basis": next((word for word, pair in BASES.items() if pair == (job.gdpr_basis, job.marketing_basis)), ""),
        "source": job.source,
        "notice": job.notice or "current",
        "opt_out_shown": "on" if job.opt_out_shown else "",
    }
    return {
        "header": [
            (position, name, typed.get(f"column-{position}", meaning.get(position, "")))
            for position, name in enumerate(shape.header)
        ],
        "preview": preview,
        "fields": columns.FIELDS,
        "bases": list(BASES),
        "modes": list(Mode),
        "offer": offer,
        "longest_source": LONGEST_SOURCE,
        "values": values | {name: typed[name] for name in (*values,) if name in typed},
    }


def _preview(installation: Installation, job: Import) -> tuple[Shape, list[list[str]]]:
    with staging.place(installation, job.id).open("rb") as file:
        shape = read_again(file, job.encoding, job.delimiter)
        first = islice((record.cells for record in records(file, shape) if record.cells), _PREVIEW)
        return shape, [[cell[:_LONGEST_CELL] for cell in cells] for cells in first]
