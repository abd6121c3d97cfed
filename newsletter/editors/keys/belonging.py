"""Which newsletter a thing belongs to that the address of a route names.

The tables are those of floors above, and are named as foreign keys name them. A name in an address that stands nowhere
here belongs to no newsletter, so that a key for some of them does not open it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, column, select, table

from newsletter.database import Session

_NEWSLETTERS = table("newsletter", column("id"), column("slug"), column("name"))
_ISSUES = table("issue", column("id"), column("newsletter_id"))
_IMPORTS = table("import_job", column("id"), column("newsletter_id"))
_NAMED: dict[str, Callable[[str], Select[Any]]] = {
    "slug": lambda value: select(_NEWSLETTERS.c.id).where(_NEWSLETTERS.c.slug == value),
    "issue_id": lambda value: select(_ISSUES.c.newsletter_id).where(_ISSUES.c.id == value),
    "import_id": lambda value: select(_IMPORTS.c.newsletter_id).where(_IMPORTS.c.id == value),
}


def says_a_newsletter(parameters: Mapping[str, Any]) -> bool:
    """Say whether an address with these parameters is about one newsletter's things, and nothing else."""
    return bool(parameters) and set(parameters) <= set(_NAMED)


async def newsletters_of(session: Session, parameters: Mapping[str, Any]) -> set[str]:
    """Give the ids of the newsletters to which belongs what an address names; empty where it is not there."""
    found: set[str] = set()
    for name, value in parameters.items():
        rows = (await session.execute(_NAMED[name](str(value)))).scalars().all()
        if not rows:
            return set()
        found.update(rows)
    return found


async def newsletters(session: Session) -> Sequence[tuple[str, str, str]]:
    """Give id, short name and name of every newsletter, by name."""
    rows = await session.execute(
        select(_NEWSLETTERS.c.id, _NEWSLETTERS.c.slug, _NEWSLETTERS.c.name).order_by(_NEWSLETTERS.c.name)
    )
    return [(row[0], row[1], row[2]) for row in rows.all()]
