"""Who is on their page: the browser holds a key for half an hour, of which the hash alone is kept (RULES H5).

Every form carries a token made from that key, so that no other site can send one in the reader's name (RULES H8).
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie
from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.errors import NewsletterError, NotAllowed
from newsletter.installation import Installation
from newsletter.rights.my.links import VISIT_LIFE, canonical_of
from newsletter.rights.my.tables import MyVisit
from newsletter.tokens import Keyring, equal, fingerprint
from newsletter.web import WebRequest

COOKIE = "newsletter_my"
FORM_TOKEN = "form_token"  # noqa: S105 (the name of a field)
_PURPOSE = "my page/form"


class VisitOver(NewsletterError):
    """Nobody is on their page with this browser, or no longer."""

    status = 401
    title = "Your visit has ended"


async def visit_of(session: Session, installation: Installation, request: WebRequest) -> tuple[MyVisit, str] | None:
    """Give the visit of a browser and the address it is about; None where there is none, or no longer."""
    key = request.cookies.get(COOKIE, "")
    if not key:
        return None
    found = await session.exec(
        select(MyVisit).where(MyVisit.key_hash == fingerprint(key), col(MyVisit.expires_at) > installation.clock.now())
    )
    visit = found.first()
    canonical = await canonical_of(session, visit) if visit else None
    return (visit, canonical) if visit and canonical else None


async def require(session: Session, installation: Installation, request: WebRequest) -> tuple[MyVisit, str]:
    """Give the same. Raises VisitOver."""
    found = await visit_of(session, installation, request)
    if found is None:
        raise VisitOver("A visit lasts half an hour. Please ask for a new link to your page.")
    return found


def form_token(keys: Keyring, visit: MyVisit) -> str:
    """Give the token of every form of a visit."""
    return keys.tag(_PURPOSE, (visit.key_hash or "").encode()).hex()


def check_form(keys: Keyring, visit: MyVisit, values: Mapping[str, str]) -> None:
    """Raise NotAllowed for a form that our page did not give to this very visit."""
    if not equal(values.get(FORM_TOKEN, ""), form_token(keys, visit)):
        raise NotAllowed("This form is too old, or was sent from elsewhere. Go back, load the page anew and try again.")


async def end(session: Session, visit: MyVisit) -> None:
    """End a visit."""
    await session.execute(delete(MyVisit).where(col(MyVisit.id) == visit.id))


def remembering(installation: Installation, response: Response[Any], key: str) -> Response[Any]:
    """Let the browser hold the key of its visit; with an empty one it forgets."""
    life = int(VISIT_LIFE.total_seconds()) if key else 0
    secure = installation.settings.base_url.startswith("https://")
    cookie = Cookie(COOKIE, value=key, max_age=life, path="/my", httponly=True, secure=secure, samesite="strict")
    response.cookies.append(cookie)
    return response
