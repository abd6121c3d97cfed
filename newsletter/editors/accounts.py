"""Editors' accounts and passwords. Argon2id takes its time, so it runs in a thread."""

import asyncio
from functools import cache

from pwdlib import PasswordHash
from sqlalchemy import ColumnElement, delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.clock import Clock
from newsletter.database import Session, rows_of
from newsletter.editors.audit.retention import MONTH
from newsletter.editors.tables import Editor, EditorSession
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.tokens import new_id

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
_TAKEN = "There is an editor with that address already; `newsletter editor reset` sets a new password."


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody's password")


async def hash_password(password: str) -> str:
    """Give the Argon2id hash of a password. Raises InvalidInput where it is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        sentence = f"The password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise InvalidInput(sentence, {"password": sentence})
    return await asyncio.to_thread(_hasher().hash, password)


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
        password_hash=await hash_password(password),
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
        raise NotFound("There is no editor with that address.")
    editor.password_hash = await hash_password(password)
    session.add(editor)
    return editor


async def remove(session: Session, clock: Clock, email: str) -> str:
    """Take an editor's account away; give its id. Raises NotFound.

    Address, password and sessions go at once. The name stays, so that the audit trail says who it was, until the rule
    `editor removed` takes it (see `count_removed`).
    """
    editor = await by_address(session, email)
    if editor is None:
        raise NotFound("There is no editor with that address.")
    # No address is that short, so nobody is ever found by it; and the real one is free for somebody else.
    editor.email, editor.canonical, editor.password_hash = "", editor.id, ""
    editor.removed_at = clock.now()
    session.add(editor)
    await session.execute(delete(EditorSession).where(col(EditorSession.editor_id) == editor.id))
    await session.execute(delete(Letter).where(col(Letter.editor_id) == editor.id))
    return editor.id


async def count_removed(session: Session, installation: Installation) -> int:
    """Give how many removed editors' names no entry of the audit trail can need any more."""
    return (await session.exec(select(func.count()).select_from(Editor).where(_long_removed(installation)))).one()


async def purge_removed(session: Session, installation: Installation) -> int:
    """Delete what is left of editors who were removed before the oldest entry of the audit trail; give how many."""
    return rows_of(await session.execute(delete(Editor).where(_long_removed(installation))))


def _long_removed(installation: Installation) -> ColumnElement[bool]:
    return col(Editor.removed_at) < installation.clock.now() - installation.settings.retention_audit * MONTH


async def check(editor: Editor | None, password: str) -> bool:
    """Say whether the password is the editor's. It takes as long where there is no such editor."""
    return await asyncio.to_thread(_verify, editor.password_hash if editor else None, password[:LONGEST_PASSWORD])


def _verify(known: str | None, password: str) -> bool:
    # Made whether it is needed or not: else the first unknown address of a process would take twice as long.
    nobody = _nobody()
    return _hasher().verify(password, known or nobody) and known is not None
