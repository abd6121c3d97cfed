"""What the commands about editors and API keys do, each with its line in the audit trail."""

from collections.abc import Sequence
from typing import Any

from newsletter.database import Session
from newsletter.editors import accounts, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import actions as keys
from newsletter.editors.keys.rules import Scope, Wanted, expiry
from newsletter.editors.signing_in import actions as signing_in
from newsletter.editors.signing_in import recovery, second_factor
from newsletter.installation import Installation


async def add(session: Session, installation: Installation, address: str, name: str, password: str) -> None:
    """Add an editor. Raises Conflict or InvalidInput."""
    added = await accounts.add(session, installation.clock, address, name, password)
    await audit.note(session, installation, audit.CLI, Act.EDITOR_ADDED, subject_id=added.id)


async def reset(
    session: Session, installation: Installation, address: str, password: str, *, without_second_factor: bool
) -> None:
    """Give an editor a new password, end their sessions, and forget what strangers tried.

    Raises NotFound or InvalidInput.
    """
    changed = await accounts.set_password(session, address, password)
    await sessions.end_all(session, changed.id)
    await recovery.end_links(session, changed.id)
    await signing_in.forget(session, installation, changed)
    await audit.note(session, installation, audit.CLI, Act.PASSWORD_RESET, subject_id=changed.id)
    if without_second_factor:
        await second_factor.switch_off(session, changed)
        await audit.note(session, installation, audit.CLI, Act.SECOND_FACTOR_OFF, subject_id=changed.id)


async def remove(session: Session, installation: Installation, address: str) -> None:
    """Take an editor's account away. Raises NotFound."""
    removed = await accounts.remove(session, installation.clock, address)
    await audit.note(session, installation, audit.CLI, Act.EDITOR_REMOVED, subject_id=removed)


def scopes() -> list[str]:
    """Give every scope."""
    return [scope.value for scope in Scope]


async def make_key(
    session: Session,
    installation: Installation,
    name: str,
    wanted: Sequence[str],
    newsletters: Sequence[str] = (),
    days: int = 0,
) -> str:
    """Make an API key, and give it. Raises InvalidInput."""
    ends = expiry(days, installation.clock.now())
    described = Wanted(name, wanted or scopes(), await keys.ids_of(session, newsletters), ends)
    made, key_id = await keys.make(session, installation.clock, described)
    await audit.note(session, installation, audit.CLI, Act.API_KEY_MADE, subject_id=key_id)
    return made


async def list_keys(session: Session, installation: Installation) -> list[dict[str, Any]]:
    """Give every API key, as it is told to programs."""
    return [
        {
            "id": known.key.id,
            "name": known.key.name,
            "state": known.state,
            "scopes": known.key.scopes.split(),
            "newsletters": None if known.key.every_newsletter else list(known.newsletters),
            "created": known.key.created_at.date().isoformat(),
            "expires": known.key.expires_at.date().isoformat() if known.key.expires_at else None,
            "used": known.key.used_on.date().isoformat() if known.key.used_on else None,
        }
        for known in await keys.listed(session, installation)
    ]


async def revoke_key(session: Session, installation: Installation, key_id: str) -> None:
    """Revoke an API key. Raises NotFound."""
    await keys.revoke(session, installation.clock, key_id)
    await audit.note(session, installation, audit.CLI, Act.API_KEY_REVOKED, subject_id=key_id)
