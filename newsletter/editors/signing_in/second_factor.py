"""The second factor: codes of six digits that a telephone makes anew every 30 seconds (TOTP, RFC 6238).

Each code counts once. Ten recovery codes stand in where the telephone is lost, each once. The secret is locked with the
root secret, which is not in the database; of the recovery codes keyed hashes are kept.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.database import Session, rows_of
from newsletter.editors.tables import Editor, RecoveryCode
from newsletter.errors import NewsletterError
from newsletter.installation import Installation
from newsletter.tokens import InvalidToken, decode_id, encode_id, fingerprint, new_id

CODES = 10
STEP_LIFE = timedelta(minutes=5)
_SECONDS = 30
_STEP, _LOCK = "second factor/step", "second factor"
_TIME_BYTES, _HASH_BYTES = 6, 8


class StepOver(NewsletterError):
    """Too long after the password, or after a new one."""

    status = 422
    title = "Please sign in again"


def step(installation: Installation, editor: Editor) -> str:
    """Give the token that says that an editor's password was right just now."""
    ends = int((installation.clock.now() + STEP_LIFE).timestamp()).to_bytes(_TIME_BYTES, "big")
    return installation.keys.sign(_STEP, decode_id(editor.id) + ends + _password_mark(editor))


def _password_mark(editor: Editor) -> bytes:
    return bytes.fromhex(fingerprint(editor.password_hash))[:_HASH_BYTES]


async def editor_of(session: Session, installation: Installation, token: str) -> Editor:
    """Give the editor of such a token. Raises StepOver."""
    over = StepOver("That took too long. Please sign in again.")
    try:
        read = installation.keys.read(_STEP, token)
    except InvalidToken:
        raise over from None
    editor_id, ends, mark = read[:16], read[16 : 16 + _TIME_BYTES], read[16 + _TIME_BYTES :]
    editor = await session.get(Editor, encode_id(editor_id))
    is_over = int.from_bytes(ends, "big") <= installation.clock.now().timestamp()
    if is_over or editor is None or not editor.totp_locked or mark != _password_mark(editor):
        raise over
    return editor


def new_secret() -> str:
    """Give a fresh secret for a telephone, in base32."""
    # An id is 128 random bits; RFC 4226 asks for that many at least.
    return new_id().upper()


def uri(installation: Installation, editor: Editor, secret: str) -> str:
    """Give the address that a telephone reads from the picture."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=editor.email, issuer_name=installation.settings.host)


def picture(text: str) -> str:
    """Give the QR code of a text, as SVG to stand in a page."""
    import segno

    code: str = segno.make(text, micro=False, error="m").svg_inline(
        scale=6, border=4, light="#fff", dark="#000", svgclass="qr", lineclass=None, title="QR code", omitsize=True
    )
    return code


def matching(installation: Installation, secret: str, code: str, after: int) -> int | None:
    """Give the step of a code, of this half minute or a neighbour; None where it is wrong, or not `after` the last."""
    import pyotp

    now = int(installation.clock.now().timestamp()) // _SECONDS
    digits = code.replace(" ", "")
    totp = pyotp.TOTP(secret)
    right = [each for each in (now - 1, now, now + 1) if totp.verify(digits, for_time=each * _SECONDS)]
    return next((each for each in right if each > after), None)


async def switch_on(session: Session, installation: Installation, editor: Editor, secret: str, at: int) -> list[str]:
    """Ask for codes from now on; give the recovery codes, which are shown this once. `at` is the step of the first."""
    editor.totp_locked, editor.totp_step = installation.keys.lock(_LOCK, secret), at
    session.add(editor)
    await session.execute(delete(RecoveryCode).where(col(RecoveryCode.editor_id) == editor.id))
    codes = [_as_shown(new_id()) for _ in range(CODES)]
    session.add_all([RecoveryCode(code_hash=_hash(installation, editor, code), editor_id=editor.id) for code in codes])
    return codes


async def switch_off(session: Session, editor: Editor) -> None:
    """Ask for no code any more."""
    editor.totp_locked = None
    session.add(editor)
    await session.execute(delete(RecoveryCode).where(col(RecoveryCode.editor_id) == editor.id))


async def use(session: Session, installation: Installation, editor: Editor, code: str) -> bool:
    """Use a code up, from the telephone or of the ten; say whether it was right. The editor is locked meanwhile."""
    if not editor.totp_locked:
        return False
    secret = installation.keys.unlock(_LOCK, editor.totp_locked)
    if (at := matching(installation, secret, code, editor.totp_step)) is not None:
        editor.totp_step = at
        session.add(editor)
        return True
    one = col(RecoveryCode.code_hash) == _hash(installation, editor, code)
    return bool(rows_of(await session.execute(delete(RecoveryCode).where(one))))


async def codes_left(session: Session, editor: Editor) -> int:
    """Give how many recovery codes are left."""
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.editor_id == editor.id)
    return (await session.exec(query)).one()


def _as_shown(random: str) -> str:
    return f"{random[:5]}-{random[5:10]}"


def _hash(installation: Installation, editor: Editor, code: str) -> str:
    typed = "".join(code.split()).replace("-", "").casefold()[:64]
    return installation.keys.tag("recovery code", f"{editor.id}/{typed}".encode()).hex()


def lock_for_form(installation: Installation, editor: Editor, secret: str) -> str:
    """Lock a secret that waits in a form for its first code."""
    return installation.keys.lock(f"{_LOCK}/form/{editor.id}", secret)


def from_form(installation: Installation, editor: Editor, locked: str) -> str:
    """Give that secret. Raises InvalidToken."""
    return installation.keys.unlock(f"{_LOCK}/form/{editor.id}", locked)


def as_read_aloud(secret: str) -> Sequence[str]:
    """Give a secret in pieces of four, for who types it."""
    return [secret[begin : begin + 4] for begin in range(0, len(secret), 4)]
