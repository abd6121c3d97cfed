"""Who is signed in. A session's key is made at sign-in and never taken from a browser, and only its hash is stored."""

from datetime import timedelta
from typing import Any

from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.database import Session, rows_of
from newsletter.editors.tables import Editor, EditorSession
from newsletter.errors import NotSignedIn
from newsletter.installation import Installation
from newsletter.tokens import fingerprint, new_secret
from newsletter.web import WebRequest, installation_of

COOKIE = "newsletter_session"
LIFE = timedelta(hours=12)


async def begin(session: Session, installation: Installation, editor: Editor) -> Cookie:
    """Sign an editor in; give the cookie for the browser. It lasts twelve hours."""
    key = new_secret()
    session.add(
        EditorSession(key_hash=fingerprint(key), editor_id=editor.id, expires_at=installation.clock.now() + LIFE)
    )
    await session.flush()
    return _cookie(installation, key, int(LIFE.total_seconds()))


async def end(session: Session, installation: Installation, request: WebRequest) -> Cookie:
    """Sign the browser out; give the cookie that makes it forget."""
    if key := request.cookies.get(COOKIE):
        await session.execute(delete(EditorSession).where(col(EditorSession.key_hash) == fingerprint(key)))
    return _cookie(installation, "", 0)


async def end_all(session: Session, editor_id: str) -> None:
    """Sign an editor out everywhere, as after a new password."""
    await session.execute(delete(EditorSession).where(col(EditorSession.editor_id) == editor_id))


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many sessions are over."""
    over = col(EditorSession.expires_at) <= installation.clock.now()
    return (await session.exec(select(func.count()).select_from(EditorSession).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the sessions that are over; give how many."""
    over = col(EditorSession.expires_at) <= installation.clock.now()
    return rows_of(await session.execute(delete(EditorSession).where(over)))


async def require_editor(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only a signed-in editor pass, who is then the connection's user. Raises NotSignedIn."""
    installation = installation_of(connection)
    key = connection.cookies.get(COOKIE, "")
    async with installation.database.read() as session:
        found = await session.exec(
            select(Editor)
            .join(EditorSession, col(EditorSession.editor_id) == col(Editor.id))
            .where(EditorSession.key_hash == fingerprint(key), EditorSession.expires_at > installation.clock.now())
        )
        editor = found.first()
    if editor is None:
        raise NotSignedIn("Please sign in to the console.")
    connection.scope["user"] = editor


def _cookie(installation: Installation, key: str, max_age: int) -> Cookie:
    secure = installation.settings.base_url.startswith("https://")
    return Cookie(COOKIE, value=key, max_age=max_age, path="/console", httponly=True, secure=secure, samesite="lax")


def with_cookie(response: Response[object], cookie: Cookie) -> Response[object]:
    """Give the response with the cookie."""
    response.cookies.append(cookie)
    return response
