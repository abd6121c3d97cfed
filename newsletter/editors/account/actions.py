"""What editors change about their own account. The password is asked for, so that a session alone can't take it over;
wrong ones are counted.
"""

from newsletter.database import Session
from newsletter.editors import accounts, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.passwords import hashing
from newsletter.editors.signing_in import limits, recovery, second_factor
from newsletter.editors.signing_in.rules import KNOWN
from newsletter.editors.tables import Editor, EditorSession
from newsletter.errors import Conflict, InvalidInput
from newsletter.installation import Installation
from newsletter.tokens import InvalidToken

_WRONG_PASSWORD = "This is not your password."  # noqa: S105 (a sentence)
_WRONG_CODE = "This code is not right. It changes every 30 seconds; please take the one that is shown now."
_CHANGED = "Your account was changed elsewhere just now. Please try again."


async def change_password(
    installation: Installation, editor: Editor, session_now: EditorSession, old: str, new: str
) -> None:
    """Change the password, and end every other session. Raises InvalidInput, TooManyTries, or Busy."""
    await _check(installation, editor, old, "old")
    if new == old:
        sentence = "The new password is the old one."
        raise InvalidInput(sentence, {"new": sentence})
    try:
        made = await accounts.hash_password(new, editor.email, editor.name)
    except InvalidInput as error:
        raise InvalidInput(error.sentence, {"new": error.sentence}) from None
    async with installation.database.write() as session:
        current = await _current(session, editor)
        current.password_hash = made
        session.add(current)
        await session.flush()
        await sessions.end_all(session, current.id, but=session_now.id)
        kept = await session.get(EditorSession, session_now.key_hash)
        if kept is not None:
            kept.short_password = False
        await recovery.end_links(session, current.id)
        await audit.note(session, installation, current.id, Act.PASSWORD_CHANGED, subject_id=current.id)


async def switch_on(installation: Installation, editor: Editor, password: str, locked: str, code: str) -> list[str]:
    """Ask for a code at each sign-in from now on; give the recovery codes, shown this once.

    `locked` is the secret that the form showed. Raises InvalidInput, TooManyTries, or Busy.
    """
    await _check(installation, editor, password, "password")
    try:
        secret = second_factor.from_form(installation, editor, locked)
    except InvalidToken:
        raise InvalidInput(_CHANGED, {"code": _CHANGED}) from None
    at = second_factor.matching(installation, secret, code, 0)
    if at is None:
        raise InvalidInput(_WRONG_CODE, {"code": _WRONG_CODE})
    async with installation.database.write() as session:
        current = await _current(session, editor)
        codes = await second_factor.switch_on(session, installation, current, secret, at)
        await audit.note(session, installation, current.id, Act.SECOND_FACTOR_ON, subject_id=current.id)
    return codes


async def switch_off(installation: Installation, editor: Editor, password: str) -> None:
    """Ask for no code any more. Raises InvalidInput, TooManyTries, or Busy."""
    await _check(installation, editor, password, "password")
    async with installation.database.write() as session:
        current = await _current(session, editor)
        await second_factor.switch_off(session, current)
        await audit.note(session, installation, current.id, Act.SECOND_FACTOR_OFF, subject_id=current.id)


async def _check(installation: Installation, editor: Editor, password: str, field: str) -> None:
    taken = {limits.tag(installation.keys, "own password", editor.id): KNOWN}
    async with installation.database.write(quietly=True) as session:
        wait = await limits.take(session, installation, taken)
    if wait:
        raise limits.TooManyTries(wait)
    if not await hashing.matches(editor.password_hash, password):
        raise InvalidInput(_WRONG_PASSWORD, {field: _WRONG_PASSWORD})
    async with installation.database.write(quietly=True) as session:
        await limits.give_back(session, installation, taken)


async def _current(session: Session, editor: Editor) -> Editor:
    """Give the editor, locked, as the password was asked of; raises Conflict where they are not that any more."""
    current = await accounts.locked(session, editor.id)
    if current is None or current.password_hash != editor.password_hash:
        raise Conflict(_CHANGED)
    return current
