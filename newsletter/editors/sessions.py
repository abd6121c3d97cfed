"""Who is signed in. A session's key is made at sign-in and never taken from a browser, and only its hash is stored."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from litestar import HttpMethod, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from sqlalchemy import delete, func, update
from sqlmodel import col, select

from newsletter.database import Session, rows_of
from newsletter.editors.tables import Editor, EditorSession
from newsletter.errors import NotSignedIn
from newsletter.installation import Installation
from newsletter.tokens import fingerprint, new_id, new_secret
from newsletter.web import WebRequest, installation_of

COOKIE = "newsletter_session"
LIFE = timedelta(hours=12)
# How exactly it is known when a session was seen last; more would be a diary.
_SEEN = timedelta(minutes=10)


async def begin(
    session: Session, installation: Installation, editor: Editor, device: str = "", *, short_password: bool = False
) -> Cookie:
    """Sign an editor in; give the cookie for the browser. It lasts twelve hours."""
    key, now = new_secret(), installation.clock.now()
    session.add(
        EditorSession(
            key_hash=fingerprint(key),
            id=new_id(),
            editor_id=editor.id,
            begun_at=now,
            seen_at=now,
            expires_at=now + LIFE,
            device=device,
            short_password=short_password,
        )
    )
    await session.flush()
    return _cookie(installation, key, int(LIFE.total_seconds()))


async def end(session: Session, installation: Installation, request: WebRequest) -> Cookie:
    """Sign the browser out; give the cookie that makes it forget."""
    if key := request.cookies.get(COOKIE):
        await session.execute(delete(EditorSession).where(col(EditorSession.key_hash) == fingerprint(key)))
    return _cookie(installation, "", 0)


async def end_all(session: Session, editor_id: str, *, but: str = "") -> int:
    """Sign an editor out everywhere, as after a new password, `but` in the session of that id; give from how many."""
    theirs = (col(EditorSession.editor_id) == editor_id, col(EditorSession.id) != but)
    return rows_of(await session.execute(delete(EditorSession).where(*theirs)))


async def end_one(session: Session, editor_id: str, session_id: str) -> bool:
    """End one of an editor's sessions; say whether there was such a one."""
    one = (col(EditorSession.editor_id) == editor_id, col(EditorSession.id) == session_id)
    return bool(rows_of(await session.execute(delete(EditorSession).where(*one))))


async def of_editor(session: Session, installation: Installation, editor_id: str) -> Sequence[EditorSession]:
    """Give where an editor is signed in, the one last seen first."""
    query = select(EditorSession).where(
        EditorSession.editor_id == editor_id, EditorSession.expires_at > installation.clock.now()
    )
    return (await session.exec(query.order_by(col(EditorSession.seen_at).desc(), col(EditorSession.id)))).all()


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many sessions are over."""
    over = col(EditorSession.expires_at) <= installation.clock.now()
    return (await session.exec(select(func.count()).select_from(EditorSession).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the sessions that are over; give how many."""
    over = col(EditorSession.expires_at) <= installation.clock.now()
    return rows_of(await session.execute(delete(EditorSession).where(over)))


async def require_editor(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only a signed-in editor pass, who is then the connection's user, and their session what it came in with.

    Raises NotSignedIn.
    """
    installation = installation_of(connection)
    key = connection.cookies.get(COOKIE, "")
    async with installation.database.read() as session:
        query = select(Editor, EditorSession).join(EditorSession, col(EditorSession.editor_id) == col(Editor.id))
        found = await session.exec(
            query.where(
                EditorSession.key_hash == fingerprint(key),
                EditorSession.expires_at > installation.clock.now(),
                col(Editor.removed_at).is_(None),
            )
        )
        pair = found.first()
    if pair is None:
        raise NotSignedIn("Please sign in to the console.")
    connection.scope["user"], connection.scope["auth"] = pair
    connection.scope["state"]["short_password"] = pair[1].short_password
    await _note_seen(connection, pair[1])


async def _note_seen(connection: ASGIConnection[Any, Any, Any, Any], seen: EditorSession) -> None:
    """Note that a session was seen, where that is news."""
    installation = installation_of(connection)
    now = installation.clock.now()
    if now - seen.seen_at < _SEEN or connection.scope.get("method") not in (HttpMethod.GET, HttpMethod.POST):
        return
    async with installation.database.write(quietly=True) as session:
        stale = (col(EditorSession.key_hash) == seen.key_hash, col(EditorSession.seen_at) < now)
        await session.execute(update(EditorSession).where(*stale).values(seen_at=now))


def current(request: WebRequest) -> EditorSession:
    """Give the session that a request of an editor came in with."""
    session = request.scope["auth"]
    assert isinstance(session, EditorSession)
    return session


def _cookie(installation: Installation, key: str, max_age: int) -> Cookie:
    secure = installation.settings.base_url.startswith("https://")
    return Cookie(COOKIE, value=key, max_age=max_age, path="/console", httponly=True, secure=secure, samesite="lax")


def with_cookie(response: Response[object], cookie: Cookie) -> Response[object]:
    """Give the response with the cookie."""
    response.cookies.append(cookie)
    return response
