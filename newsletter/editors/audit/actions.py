"""Writing the audit trail (RULES B6): every read, export and change of a person, and of what decides about persons.

Whoever changes something notes it in the transaction that changes it; whoever shows something notes it before it is
shown, so that nothing is seen without a trace. A GET may write this trail and nothing else (promise P5); a HEAD shows
nothing and so leaves none.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any

from litestar import HttpMethod
from litestar.connection import ASGIConnection
from sqlalchemy import insert

from newsletter.chain.rules import canonical, sha256
from newsletter.database import Session, table_of
from newsletter.editors.audit.tables import AuditEntry
from newsletter.editors.tables import Editor
from newsletter.installation import Installation
from newsletter.tokens import new_id
from newsletter.web import installation_of

CLI = "cli"
NOBODY = "nobody"
KEY = "key/"
# A search that finds so few is a look at each of them.
_FEW = 10
_ENTRIES = table_of(AuditEntry)
_SEAL = "audit"


class Act(StrEnum):
    """What can be done. A name reads as a sentence: subject, then what became of it."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    EDITOR_ADDED = "editor_added"
    EDITOR_REMOVED = "editor_removed"
    PASSWORD_RESET = "password_reset"  # noqa: S105 (the name of an act)
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (likewise)
    PASSWORD_RECOVERED = "password_recovered"  # noqa: S105 (likewise)
    RECOVERY_ASKED = "recovery_asked"
    SESSIONS_ENDED = "sessions_ended"
    SECOND_FACTOR_ON = "second_factor_on"
    SECOND_FACTOR_OFF = "second_factor_off"
    API_KEY_MADE = "api_key_made"
    API_KEY_REVOKED = "api_key_revoked"
    NEWSLETTER_MADE = "newsletter_made"
    NEWSLETTER_CHANGED = "newsletter_changed"
    NOTICE_PUBLISHED = "notice_published"
    NOTICE_TAKEN_BACK = "notice_taken_back"
    NOTICE_MAILING_STARTED = "notice_mailing_started"
    NOTICE_MAILING_STEERED = "notice_mailing_steered"
    SUBSCRIBERS_LISTED = "subscribers_listed"
    SUBSCRIBERS_SEARCHED = "subscribers_searched"
    SUBSCRIBERS_EXPORTED = "subscribers_exported"
    SUBSCRIBERS_IMPORTED = "subscribers_imported"
    PERSON_READ = "person_read"
    PERSON_EXPORTED = "person_exported"
    PERSON_CORRECTED = "person_corrected"
    PERSON_RESTRICTED = "person_restricted"
    PERSON_UNRESTRICTED = "person_unrestricted"
    PERSON_ERASED = "person_erased"
    AGREEMENT_READ = "agreement_read"
    AGREEMENT_EXPORTED = "agreement_exported"
    REQUESTS_LISTED = "requests_listed"
    REQUEST_READ = "request_read"
    REQUEST_ENTERED = "request_entered"
    REQUEST_CHANGED = "request_changed"
    REQUEST_ANSWERED = "request_answered"
    PRIVACY_CHANGED = "privacy_changed"
    RETURNED_MAIL_READ = "returned_mail_read"
    RETURNED_MAIL_RELEASED = "returned_mail_released"
    RETURNED_MAIL_CONFIRMED = "returned_mail_confirmed"
    ALARM_SEEN = "alarm_seen"
    ISSUE_BEGUN = "issue_begun"
    ISSUE_CHANGED = "issue_changed"
    ISSUE_TESTED = "issue_tested"
    MAILING_SCHEDULED = "mailing_scheduled"
    MAILING_PAUSED = "mailing_paused"
    MAILING_RESUMED = "mailing_resumed"
    MAILING_CANCELLED = "mailing_cancelled"
    DOUBTS_READ = "doubts_read"
    DOUBTS_RESENT = "doubts_resent"
    DOUBTS_LET_BE = "doubts_let_be"
    RETENTION_TRIED = "retention_tried"
    RETENTION_RUN = "retention_run"
    AUDIT_TRAIL_READ = "audit_trail_read"


async def note(
    session: Session,
    installation: Installation,
    editor_id: str,
    act: Act,
    *,
    subject_id: str | None = None,
    newsletter_id: str | None = None,
    count: int | None = None,
) -> None:
    """Append an act to the trail. `editor_id` is who did it: an editor's id, or what `actor_of` gives.

    `subject_id` is the person it was done to (a subscriber's id), or the thing; `count` how many were concerned.
    """
    entry: dict[str, Any] = {
        "id": new_id(),
        "at": installation.clock.now(),
        "actor": editor_id,
        "act": act,
        "subject_id": subject_id,
        "newsletter_id": newsletter_id,
        "count": count,
    }
    entry["salt"] = new_id()
    entry["seal"] = installation.keys.seal(_SEAL, content(entry))
    await session.execute(insert(_ENTRIES), entry)


async def did(
    connection: ASGIConnection[Any, Any, Any, Any],
    session: Session,
    act: Act,
    *,
    subject_id: str | None = None,
    newsletter_id: str | None = None,
    count: int | None = None,
) -> None:
    """Note what whoever asks is doing, in the transaction that does it."""
    installation, actor = installation_of(connection), actor_of(connection)
    await note(session, installation, actor, act, subject_id=subject_id, newsletter_id=newsletter_id, count=count)


async def showed(
    connection: ASGIConnection[Any, Any, Any, Any],
    act: Act,
    *,
    subject_id: str | None = None,
    newsletter_id: str | None = None,
    count: int | None = None,
) -> None:
    """Note what whoever asks is about to be shown, in a transaction of its own. A HEAD is shown nothing."""
    if connection.scope.get("method") == HttpMethod.HEAD:
        return
    installation, actor = installation_of(connection), actor_of(connection)
    async with installation.database.write() as session:
        await note(session, installation, actor, act, subject_id=subject_id, newsletter_id=newsletter_id, count=count)


async def found(
    connection: ASGIConnection[Any, Any, Any, Any], act: Act, newsletter_id: str, subjects: Iterable[str | None]
) -> None:
    """Note whom a search has found: each by id where they are few, else only how many they are."""
    people = list(subjects)
    if not people or len(people) > _FEW:
        await showed(connection, act, newsletter_id=newsletter_id, count=len(people))
        return
    installation, actor = installation_of(connection), actor_of(connection)
    async with installation.database.write() as session:
        for subject_id in people:
            await note(session, installation, actor, act, subject_id=subject_id, newsletter_id=newsletter_id, count=1)


def actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Give who asks: the id of the editor who is signed in, `key/` and the id of the API key, or `nobody`."""
    user, key = connection.scope.get("user"), connection.scope.get("auth")
    if isinstance(user, Editor):
        return user.id
    return f"{KEY}{key}" if isinstance(key, str) else NOBODY


def content(entry: Mapping[str, Any]) -> str:
    """Give the text of an entry that its seal and its leaf in the chain are made over."""
    names = ("id", "at", "actor", "act", "subject_id", "newsletter_id", "count", "salt")
    values = {name: entry[name] for name in names}
    values["at"] = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return canonical(values)


def leaf(entry: Mapping[str, Any]) -> str:
    """Give the leaf that stands for an entry in the chain: nobody can guess the entry from it, for its salt is in it.

    It stays when the entry goes.
    """
    return sha256(content(entry))


def is_sealed(installation: Installation, entry: Mapping[str, Any]) -> bool:
    """Say whether the entry is as we wrote it: whoever has the database alone can't make its seal."""
    return installation.keys.is_sealed(_SEAL, content(entry), entry["seal"])
