"""Editors' accounts and passwords."""

from sqlalchemy import ColumnElement, delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.clock import Clock
from newsletter.database import Session, rows_of
from newsletter.editors.audit.retention import MONTH
from newsletter.editors.passwords import hashing, rules
from newsletter.editors.tables import Editor, EditorNetwork, EditorRecovery, EditorSession, RecoveryCode
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.tokens import new_id

_TAKEN = "There is an editor with that address already; `newsletter editor reset` sets a new password."
_NONE = "There is no editor with that address."


async def hash_password(password: str, *about: str) -> str:
    """Give the hash of a new password; `about` is the address and the name of whoever is to have it.

    Raises InvalidInput where it won't do.
    """
    if sentence := rules.fault(password, about):
        raise InvalidInput(sentence, {"password": sentence})
    return await hashing.hashed(password)


async def add(session: Session, clock: Clock, email: str, name: str, password: str) -> Editor:
    """Add an editor. Raises InvalidInput, or Conflict where the address is taken."""
    address = read_address(email)
    if await by_address(session, email) is not None:
        raise Conflict(_TAKEN)
    editor = Editor(
        id=new_id(),
        email=address.email,
        canonical=address.canonical,
        name=name.strip() or address.email.partition("@")[0],
        password_hash=await hash_password(password, address.email, name),
        created_at=clock.now(),
    )
    session.add(editor)
    try:
        await session.flush()
    except IntegrityError as error:
        # Somebody else added it while the password was hashed.
        raise Conflict(_TAKEN) from error
    return editor


async def by_address(session: Session, email: str) -> Editor | None:
    """Give the editor of that address."""
    found = await session.exec(select(Editor).where(Editor.canonical == read_address(email).canonical))
    return found.first()


async def set_password(session: Session, email: str, password: str) -> Editor:
    """Give an editor a new password. Raises NotFound, InvalidInput."""
    editor = await by_address(session, email)
    if editor is None:
        raise NotFound(_NONE)
    editor.password_hash = await hash_password(password, editor.email, editor.name)
    session.add(editor)
    # Now, so that whoever signs in with the old one meanwhile waits for this, or is found by what ends their session.
    await session.flush()
    return editor


async def locked(session: Session, editor_id: str) -> Editor | None:
    """Give an editor as they are now, locked against changes until the end of the transaction; None once removed."""
    editor = await session.get(Editor, editor_id, with_for_update=True, populate_existing=True)
    return None if editor is None or editor.removed_at is not None else editor


async def remove(session: Session, clock: Clock, email: str) -> str:
    """Take an editor's account away; give its id. Raises NotFound.

    Address, password, sessions and second factor go at once. The name stays, so that the audit trail says who it was,
    until the rule `editor removed` takes it (see `count_removed`).
    """
    editor = await by_address(session, email)
    if editor is None:
        raise NotFound(_NONE)
    # No address is that short, so nobody is ever found by it; and the real one is free for somebody else.
    editor.email, editor.canonical, editor.password_hash = "", editor.id, ""
    editor.removed_at, editor.totp_locked = clock.now(), None
    session.add(editor)
    await session.flush()
    for table in (EditorSession, EditorNetwork, EditorRecovery, RecoveryCode, Letter):
        await session.execute(delete(table).where(col(table.editor_id) == editor.id))
    return editor.id


async def count_removed(session: Session, installation: Installation) -> int:
    """Give how many removed editors' names no entry of the audit trail can need any more."""
    return (await session.exec(select(func.count()).select_from(Editor).where(_long_removed(installation)))).one()


async def purge_removed(session: Session, installation: Installation) -> int:
    """Delete what is left of editors who were removed before the oldest entry of the audit trail; give how many."""
    return rows_of(await session.execute(delete(Editor).where(_long_removed(installation))))


def _long_removed(installation: Installation) -> ColumnElement[bool]:
    return col(Editor.removed_at) < installation.clock.now() - installation.settings.retention_audit * MONTH
