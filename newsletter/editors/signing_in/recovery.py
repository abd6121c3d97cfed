"""A new password for who forgot theirs: a link mailed to the editor's address, good once and for half an hour.

It exists where a relay is set; else the operator's command is the way. Asking does the same work for every address, and
is answered alike: one row and one letter. Whom it concerns the worker finds out when it would write the letter.
"""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.addresses import Address
from newsletter.database import Session, rows_of
from newsletter.editors import accounts, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.signing_in import limits, networks
from newsletter.editors.signing_in.rules import LETTERS
from newsletter.editors.tables import Editor, EditorRecovery
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.mail.outbox import enqueue
from newsletter.mail.tables import LetterKind
from newsletter.tokens import InvalidToken, decode_id, encode_id, new_id

LIFE = timedelta(minutes=30)
# Not mailed within that time, a link is of no use any more.
_WAIT = timedelta(hours=1)
_PURPOSE = "recovery"


class LinkOver(NotFound):
    """The link was used up, has expired, or was never ours."""

    status = 410
    title = "This link no longer works"


async def ask(installation: Installation, address: Address, network: str, language: str) -> None:
    """Take that somebody asks for the link. Raises TooManyTries for a network from which too much is asked.

    What is asked too often for one address is let drop in silence.
    """
    async with installation.database.write() as session:
        own = {limits.tag(installation.keys, "letters to", address.canonical): LETTERS}
        theirs = {limits.tag(installation.keys, "letters from", network): LETTERS}
        wait = await limits.take(session, installation, theirs)
        if not wait and not await limits.take(session, installation, own):
            await _ask(session, installation, address, language)
    if wait:
        raise limits.TooManyTries(wait)


async def _ask(session: Session, installation: Installation, address: Address, language: str) -> None:
    editor = await accounts.by_address(session, address.email)
    recovery = EditorRecovery(
        id=new_id(),
        editor_id=editor.id if editor else None,
        language=language,
        expires_at=installation.clock.now() + _WAIT,
    )
    session.add(recovery)
    await session.flush()
    enqueue(session, installation.clock, LetterKind.RECOVERY, recovery_id=recovery.id)
    await audit.note(session, installation, audit.NOBODY, Act.RECOVERY_ASKED, subject_id=recovery.editor_id)


def link_token(installation: Installation, recovery: EditorRecovery) -> str:
    """Give the token of a link; the same each time, so that a letter mailed twice has one link."""
    return installation.keys.sign(_PURPOSE, decode_id(recovery.id))


async def settle(
    session: Session, installation: Installation, recovery_id: str
) -> tuple[EditorRecovery, Editor] | None:
    """Give whom the link is mailed to, from when on its half hour runs; None where there is nobody, or no longer."""
    recovery = await session.get(EditorRecovery, recovery_id, with_for_update=True, populate_existing=True)
    now = installation.clock.now()
    if recovery is None or recovery.editor_id is None or recovery.expires_at <= now:
        return None
    editor = await session.get(Editor, recovery.editor_id)
    if editor is None or editor.removed_at is not None:
        return None
    if recovery.mailed_at is None:
        recovery.mailed_at, recovery.expires_at = now, now + LIFE
    return recovery, editor


async def look(session: Session, installation: Installation, token: str) -> Editor:
    """Give the editor of a link that can be used. Raises LinkOver."""
    return (await _look(session, installation, token))[1]


async def _look(
    session: Session, installation: Installation, token: str, *, lock: bool = False
) -> tuple[EditorRecovery, Editor]:
    try:
        recovery_id = encode_id(installation.keys.read(_PURPOSE, token))
    except InvalidToken:
        recovery_id = ""
    recovery = await session.get(EditorRecovery, recovery_id, with_for_update=lock)
    editor = await session.get(Editor, recovery.editor_id) if recovery and recovery.editor_id else None
    good = recovery is not None and recovery.mailed_at is not None and recovery.expires_at > installation.clock.now()
    if not good or recovery is None or editor is None or editor.removed_at is not None:
        raise LinkOver("This link has been used or has expired. You are welcome to ask for a new one.")
    return recovery, editor


async def use(installation: Installation, token: str, password: str, network: str) -> None:
    """Give the link's editor a new password, and end their sessions. Raises LinkOver, InvalidInput or Busy.

    A password that won't do does not use the link up.
    """
    async with installation.database.read() as session:
        editor = await look(session, installation, token)
    made = await accounts.hash_password(password, editor.email, editor.name)
    async with installation.database.write() as session:
        # The editor first, as whoever removes them does.
        current = await accounts.locked(session, editor.id)
        await _look(session, installation, token, lock=True)
        assert current is not None
        current.password_hash = made
        session.add(current)
        await session.flush()
        await sessions.end_all(session, current.id)
        await end_links(session, current.id)
        # Whoever reads the editor's mail there is not kept out by what strangers try.
        await networks.forget(session, current.id)
        await networks.remember(session, installation, current.id, network)
        await audit.note(session, installation, current.id, Act.PASSWORD_RECOVERED, subject_id=current.id)


async def end_links(session: Session, editor_id: str) -> None:
    """Spoil every link that was mailed to an editor."""
    await session.execute(delete(EditorRecovery).where(col(EditorRecovery.editor_id) == editor_id))


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many links are over."""
    over = col(EditorRecovery.expires_at) <= installation.clock.now()
    return (await session.exec(select(func.count()).select_from(EditorRecovery).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete those; give how many."""
    over = col(EditorRecovery.expires_at) <= installation.clock.now()
    return rows_of(await session.execute(delete(EditorRecovery).where(over)))
