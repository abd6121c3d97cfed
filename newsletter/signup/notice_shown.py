"""The notice that a form shows, and the proof that it did: the form carries the notice's hash, signed, so that a notice
that changed between GET and POST is noticed (RULES A6).
"""

from datetime import datetime

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.tables import Notice
from newsletter.database import Session
from newsletter.errors import InvalidInput, NotFound
from newsletter.newsletters.tables import Newsletter
from newsletter.signup.offers import NOT_OPEN
from newsletter.tokens import InvalidToken, Keyring

NOTICE_CHANGED = (
    "The notice has changed since you opened this page. Please read it again, and tick the box if you agree."
)


async def current_notice(session: Session, newsletter: Newsletter, language: str, at: datetime) -> Notice:
    """Give the notice in force at that time in that language, else in the newsletter's own. Raises NotFound where it
    has none yet.
    """
    in_force = await notices.in_force(session, newsletter.id, at)
    notice = in_force.get(language) or in_force.get(newsletter.language) or next(iter(in_force.values()), None)
    if notice is None:
        raise NotFound(NOT_OPEN)
    return notice


def sign_notice(keys: Keyring, newsletter_id: str, notice_hash: str) -> str:
    """Give the token that proves our own form showed that notice."""
    return keys.sign(f"notice/{newsletter_id}", bytes.fromhex(notice_hash))


def was_shown(keys: Keyring, newsletter_id: str, token: str, notice_hash: str) -> bool:
    """Say whether our own form showed the notice. A form of another site brings no token, and is taken at its word."""
    if not token:
        return False
    try:
        shown = keys.read(f"notice/{newsletter_id}", token).hex()
    except InvalidToken:
        shown = ""
    if shown != notice_hash:
        raise InvalidInput(NOTICE_CHANGED, {"notice": NOTICE_CHANGED})
    return True
