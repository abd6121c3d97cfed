"""What the commands about editors and API keys do, each with its line in the audit trail."""

from collections.abc import Sequence

from newsletter.database import Session
from newsletter.editors import accounts, keys, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.installation import Installation


async def add(session: Session, installation: Installation, address: str, name: str, password: str) -> None:
    """Add an editor. Raises Conflict or InvalidInput."""
    added = await accounts.add(session, installation.clock, address, name, password)
    await audit.note(session, installation, audit.CLI, Act.EDITOR_ADDED, subject_id=added.id)


async def reset(session: Session, installation: Installation, address: str, password: str) -> None:
    """Give an editor a new password, and end their sessions. Raises NotFound or InvalidInput."""
    changed = await accounts.set_password(session, address, password)
    await sessions.end_all(session, changed.id)
    await audit.note(session, installation, audit.CLI, Act.PASSWORD_RESET, subject_id=changed.id)


async def remove(session: Session, installation: Installation, address: str) -> None:
    """Take an editor's account away. Raises NotFound."""
    removed = await accounts.remove(session, installation.clock, address)
    await audit.note(session, installation, audit.CLI, Act.EDITOR_REMOVED, subject_id=removed)


async def make_key(session: Session, installation: Installation, name: str, scopes: Sequence[str]) -> str:
    """Make an API key, and give it. Raises InvalidInput."""
    made, key_id = await keys.create_with_id(session, installation.clock, name, scopes)
    await audit.note(session, installation, audit.CLI, Act.API_KEY_MADE, subject_id=key_id)
    return made
