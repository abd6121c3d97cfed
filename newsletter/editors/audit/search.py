"""Reading the audit trail: newest first, by who, what, whom and when, a page at a time.

A page begins where the one before it ended, by time and id and not by counting, so that the millionth entry is as near
as the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.audit.tables import AuditEntry
from newsletter.editors.tables import ApiKey, Editor
from newsletter.errors import InvalidInput
from newsletter.tokens import InvalidToken, decode_id

PAGE = 50
_DAY = "Please give the day as 2026-12-24."
_ID = "An id has 26 letters and digits; it stands in the address of a person's page."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. Days are those of UTC, the last one included."""

    actor: str | None = None
    act: Act | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """A page of the trail; `next` is where the page after it begins, or None."""

    items: Sequence[AuditEntry]
    next: str | None


def read(values: Mapping[str, str]) -> Wanted:
    """Read what is looked for from a form: actor, act, subject, from and to. Raises InvalidInput for all at once."""
    wrong: dict[str, str] = {}
    act, subject = values.get("act", "").strip(), values.get("subject", "").strip()
    if act and act not in set(Act):
        wrong["act"] = "There is no such act."
    if subject and not _is_id(subject):
        wrong["subject"] = _ID
    actor = values.get("actor", "").strip()
    if actor and actor not in (audit.CLI, audit.NOBODY) and not _is_id(actor.removeprefix(audit.KEY)):
        wrong["actor"] = "There is nobody of that id."
    days = {name: _day(values.get(name, "").strip(), name, wrong) for name in ("from", "to")}
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return Wanted(
        actor=actor or None,
        act=Act(act) if act else None,
        subject_id=subject or None,
        since=days["from"],
        until=days["to"] + timedelta(days=1) if days["to"] else None,
    )


def _is_id(text: str) -> bool:
    try:
        return bool(decode_id(text))
    except InvalidToken:
        return False


def _day(text: str, name: str, wrong: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        wrong[name] = _DAY
        return None


async def search(session: Session, wanted: Wanted, after: str | None = None, limit: int = PAGE) -> Entries:
    """Give a page of the trail, the newest first. Raises InvalidInput for an `after` that is none of ours."""
    query = select(AuditEntry).order_by(col(AuditEntry.at).desc(), col(AuditEntry.id).desc()).limit(limit + 1)
    for condition in _conditions(wanted):
        query = query.where(condition)
    if after:
        query = query.where(_after(after))
    rows = (await session.exec(query)).all()
    return Entries(rows[:limit], _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[Any] = []
    if wanted.actor:
        conditions.append(col(AuditEntry.actor) == wanted.actor)
    if wanted.act:
        conditions.append(col(AuditEntry.act) == wanted.act)
    if wanted.subject_id:
        conditions.append(col(AuditEntry.subject_id) == wanted.subject_id)
    if wanted.since:
        conditions.append(col(AuditEntry.at) >= wanted.since)
    if wanted.until:
        conditions.append(col(AuditEntry.at) < wanted.until)
    return conditions


def _cursor(entry: AuditEntry) -> str:
    # Whole microseconds: a float would not tell two entries of one millisecond apart.
    since = entry.at - datetime(1970, 1, 1, tzinfo=UTC)
    return f"{since // timedelta(microseconds=1)}-{entry.id}"


def _after(cursor: str) -> ColumnElement[bool]:
    number, _, entry_id = cursor.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) <= len("1000000000000000")):
        raise InvalidInput("This page of the trail can't be found; please begin with the first.")
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(number))
    # The first condition says nothing new, but is one that an index can begin at.
    return and_(col(AuditEntry.at) <= at, or_(col(AuditEntry.at) < at, col(AuditEntry.id) < entry_id))


async def actors(session: Session) -> dict[str, str]:
    """Give everybody who can act, with the name that is shown: editors, API keys, the command line."""
    names = {editor.id: editor.name for editor in (await session.exec(select(Editor).order_by(Editor.name))).all()}
    for key in (await session.exec(select(ApiKey).order_by(ApiKey.name))).all():
        names[f"{audit.KEY}{key.id}"] = f"API key {key.name}"
    return names | {audit.CLI: "the command line", audit.NOBODY: "nobody known"}
