"""Signing in: what is tried is counted before it is looked at, and an editor is read anew before they are let in.

Tries are counted for the account that was named, be there one or not, and for the network. A network from which the
account was signed in to has tries of its own first, which no stranger can use up; what was right is given back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.datastructures import Cookie

from newsletter.addresses import read_address
from newsletter.database import Session
from newsletter.editors import accounts, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.passwords import hashing
from newsletter.editors.passwords.rules import is_short
from newsletter.editors.signing_in import limits, networks, second_factor
from newsletter.editors.signing_in.limits import TooManyTries
from newsletter.editors.signing_in.rules import CODES, KNOWN, NOTED, STRANGERS, Allowance
from newsletter.editors.tables import Editor
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.installation import Installation

_LONGEST_ADDRESS = 254
Taken = Mapping[str, Allowance]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the door: from which network, and with what device."""

    network: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody is in: the cookie for their browser, and whether they are to think of a longer password."""

    cookie: Cookie
    short_password: bool = False


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """The password was right, and a code is asked for: `step` is to come back with it."""

    step: str


class Wrong(NewsletterError):
    """The address, the password or the code is not right; it isn't said which."""

    status = 422
    title = "Not signed in"


async def with_password(
    installation: Installation, visitor: Visitor, email: str, password: str
) -> SignedIn | CodeWanted:
    """Let somebody in by a password. Raises Wrong, TooManyTries, or Busy."""
    async with installation.database.read() as session:
        editor = await _editor(session, email)
        editor_id = editor.id if editor else ""
        known = await networks.is_known(session, installation, editor_id, visitor.network)
    taken = await _take(installation, _account(email), visitor, known=known)
    try:
        right = await hashing.matches(editor.password_hash if editor else None, password, stranger=not known)
    except hashing.Busy:
        await _give_back(installation, taken)
        raise
    async with installation.database.write() as session:
        current = await accounts.locked(session, editor_id) if right else None
        # Whoever was given another password meanwhile, or was removed, is not let in with this one.
        if current and editor and current.password_hash == editor.password_hash:
            await limits.give_back(session, installation, taken)
            if current.totp_locked:
                return CodeWanted(second_factor.step(installation, current))
            return await _let_in(session, installation, current, visitor, short_password=is_short(password))
        await _note_failure(session, installation, editor_id)
    raise Wrong("The address or the password is not right.")


async def with_code(installation: Installation, visitor: Visitor, step: str, code: str) -> SignedIn:
    """Let somebody in by the code that was asked for. Raises Wrong, TooManyTries, or StepOver."""
    async with installation.database.read() as session:
        editor = await second_factor.editor_of(session, installation, step)
        known = await networks.is_known(session, installation, editor.id, visitor.network)
    kind = limits.tag(installation.keys, "codes", editor.id, visitor.network if known else "")
    taken = {kind: CODES}
    async with installation.database.write() as session:
        wait = await limits.take(session, installation, taken)
    if wait:
        raise TooManyTries(wait)
    async with installation.database.write() as session:
        current = await accounts.locked(session, editor.id)
        same = current is not None and current.password_hash == editor.password_hash
        if current and same and await second_factor.use(session, installation, current, code):
            await limits.give_back(session, installation, taken)
            return await _let_in(session, installation, current, visitor)
        await _note_failure(session, installation, editor.id)
    raise Wrong("This code is not right, or was used before.")


async def _editor(session: Session, email: str) -> Editor | None:
    try:
        return await accounts.by_address(session, email)
    except InvalidInput:
        return None


def _account(email: str) -> str:
    """Give the account that somebody means, which there need not be."""
    try:
        return read_address(email).canonical
    except InvalidInput:
        return email.strip().casefold()[:_LONGEST_ADDRESS]


async def _take(installation: Installation, account: str, visitor: Visitor, *, known: bool) -> Taken:
    """Take a try, and commit that before anything is looked at. Raises TooManyTries."""
    own: Taken = {limits.tag(installation.keys, "known", account, visitor.network): KNOWN}
    others: Taken = {
        limits.tag(installation.keys, "account", account): STRANGERS,
        limits.tag(installation.keys, "network", visitor.network): STRANGERS,
    }
    async with installation.database.write(quietly=True) as session:
        if known and not await limits.take(session, installation, own):
            return own
        wait = await limits.take(session, installation, others)
    if wait:
        raise TooManyTries(wait)
    return others


async def _give_back(installation: Installation, taken: Taken) -> None:
    async with installation.database.write(quietly=True) as session:
        await limits.give_back(session, installation, taken)


async def _let_in(
    session: Session, installation: Installation, editor: Editor, visitor: Visitor, *, short_password: bool = False
) -> SignedIn:
    cookie = await sessions.begin(session, installation, editor, visitor.device, short_password=short_password)
    await networks.remember(session, installation, editor.id, visitor.network)
    await audit.note(session, installation, editor.id, Act.SIGNED_IN)
    return SignedIn(cookie, short_password)


async def _note_failure(session: Session, installation: Installation, editor_id: str) -> None:
    """Note it in the audit trail, but no more than some an hour of anybody: strangers are not to fill it.

    An address that is no editor's is not kept: somebody may have typed a password there.
    """
    actor = editor_id or audit.NOBODY
    if not await limits.take(session, installation, {limits.tag(installation.keys, "noted", actor): NOTED}):
        await audit.note(session, installation, actor, Act.SIGN_IN_FAILED)


async def forget(session: Session, installation: Installation, editor: Editor) -> None:
    """Forget what was tried for an editor and from where they have signed in, as the operator may ask for."""
    names = (("account", editor.canonical), ("codes", editor.id, ""))
    await limits.forget(session, *(limits.tag(installation.keys, *name) for name in names))
    await networks.forget(session, editor.id)
