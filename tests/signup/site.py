"""The website of an installation, asked over HTTP as browsers and mail programs do, with one newsletter on it."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any, TypeVar

import httpx
from litestar import Litestar
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel, col, select

from newsletter import schema
from newsletter.agreements.opening import open_newsletter
from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind, Notice
from newsletter.installation import Installation
from newsletter.newsletters.actions import by_slug
from newsletter.newsletters.tables import Newsletter
from newsletter.serving.app import create_app
from newsletter.signup.actions import confirmation_token
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from newsletter.unsubscribe.actions import unsubscribe_token

# What a signup request may write; everything else is about people who exist.
OF_A_REQUEST = {"signup_request", "agreement", "agreement_event", "letter"}
Row = TypeVar("Row", bound=SQLModel)
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Site:
    """A running website without a worker; its letters wait in the outbox."""

    http: httpx.AsyncClient
    installation: Installation
    weekly: Newsletter

    async def open(self, slug: str) -> Newsletter:
        """Open one more newsletter."""
        return await _opened(self.installation, slug)

    async def form_token(self, slug: str = "weekly", language: str = "nb") -> str:
        """Give the signed notice of the signup form, as the browser finds it there."""
        page = await self.http.get(f"/newsletters/{slug}", params={"language": language})
        return hidden(page.text, "notice")

    async def ask(self, email: str, slug: str = "weekly", **values: str) -> httpx.Response:
        """Fill in the signup form and send it."""
        token = await self.form_token(slug, values.get("language", "nb"))
        given = {"email": email, "agreed": "true", "notice": token, "language": "nb"} | values
        return await self.http.post(f"/newsletters/{slug}/signup", data=given)

    async def confirmation_path(self, email: str) -> str:
        """Give the path of the link in the newest confirmation letter to that address."""
        async with self.installation.database.read() as session:
            query = select(SignupRequest.id).where(SignupRequest.email == email)
            newest = query.order_by(col(SignupRequest.requested_at).desc(), col(SignupRequest.id))
            request_id = (await session.exec(newest)).first()
        assert request_id, f"nobody asked for {email}"
        return f"/confirm/{confirmation_token(self.installation.keys, request_id)}"

    async def all_confirmation_paths(self) -> list[str]:
        """Give the path of the link of every request that is on record."""
        keys = self.installation.keys
        return [f"/confirm/{confirmation_token(keys, request.id)}" for request in await self.all(SignupRequest)]

    async def subscribe(self, email: str, slug: str = "weekly", **values: str) -> str:
        """Ask and confirm; give the path of the unsubscribe link."""
        assert (await self.ask(email, slug, **values)).status_code == httpx.codes.SEE_OTHER
        answer = await self.http.post(await self.confirmation_path(email))
        assert answer.status_code == httpx.codes.OK, answer.text
        return await self.unsubscribe_path(email, slug)

    async def unsubscribe_path(self, email: str, slug: str = "weekly") -> str:
        """Give the path of the unsubscribe link of that address's subscription."""
        async with self.installation.database.read() as session:
            query = (
                select(Subscription.id)
                .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
                .join(Newsletter, col(Newsletter.id) == col(Subscription.newsletter_id))
                .where(
                    Subscriber.canonical == email.lower(),
                    Newsletter.slug == slug,
                    Subscription.state != SubscriptionState.ENDED,
                )
            )
            subscription_id = (await session.exec(query)).one()
        return f"/unsubscribe/{unsubscribe_token(self.installation.keys, subscription_id)}"

    async def rows(self, *, without: set[str] = frozenset()) -> Rows:  # type: ignore[assignment]  # an empty set that nobody changes
        """Give everything that is stored, table by table."""
        return await everything(self.installation, without)

    async def witnessed(self) -> dict[str, bool]:
        """Give for each address that asked whether our own form showed it the notice."""
        async with self.installation.database.read() as session:
            query = select(SignupRequest.email, Agreement.witnessed).join(
                Agreement, col(Agreement.request_id) == col(SignupRequest.id)
            )
            return {email: bool(witnessed) for email, witnessed in (await session.exec(query)).all() if email}

    async def all(self, table: type[Row]) -> list[Row]:
        """Give every row of a table."""
        async with self.installation.database.read() as session:
            return list((await session.exec(select(table))).all())

    async def subscriptions(self) -> list[Subscription]:
        """Give every subscription."""
        return await self.all(Subscription)

    async def people(self) -> list[Subscriber]:
        """Give every subscriber."""
        return await self.all(Subscriber)

    async def agreements(self) -> list[Agreement]:
        """Give every agreement."""
        return await self.all(Agreement)

    async def notice(self, notice_hash: str) -> Notice:
        """Give the notice of that hash."""
        (found,) = [notice for notice in await self.all(Notice) if notice.hash == notice_hash]
        return found

    async def happened(self) -> list[str]:
        """Give what happened to agreements, in the order of time."""
        events = await self.all(AgreementEvent)
        order = list(EventKind)
        return [event.kind for event in sorted(events, key=lambda each: (each.at, order.index(EventKind(each.kind))))]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Give the SQL statements that are run within the block, as they are run."""
        said: list[str] = []

        def note(_c: Connection, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
            # Other processes are told in a while of what was committed, of several commits at once.
            if "pg_notify" not in statement:
                said.append(statement)

        database = self.installation.database
        engines = [engine for engine in (database._engine.sync_engine, database._plain_engine) if engine is not None]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield said
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)


@asynccontextmanager
async def open_site(installation: Installation, *, there_already: bool = False) -> AsyncIterator[Site]:
    """Give the website of an installation, with the newsletter `weekly` on it (there already after a restore)."""
    settings = installation.settings.model_copy(update={"secret_key": installation.keys.root.decode()})
    app = create_app(settings, worker=False, clock=installation.clock)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx and Litestar spell ASGI differently
    async with _running(app), httpx.AsyncClient(transport=transport, base_url=settings.base_url) as http:
        weekly = await _weekly(app.state.installation, there_already=there_already)
        yield Site(http, app.state.installation, weekly)


@asynccontextmanager
async def _running(app: Litestar) -> AsyncIterator[None]:
    """Keep the app running, in a task of its own: a fixture is set up in one task and torn down in another."""
    ready, stop = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with app.lifespan():
            ready.set()
            await stop.wait()

    running = asyncio.create_task(run())
    await asyncio.wait([running, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        stop.set()
        await running


async def _weekly(installation: Installation, *, there_already: bool) -> Newsletter:
    if not there_already:
        return await _opened(installation, "weekly")
    async with installation.database.read() as session:
        return await by_slug(session, "weekly")


async def _opened(installation: Installation, slug: str) -> Newsletter:
    settings = {"name": f"The {slug}", "sender": f"News <{slug}@example.com>", "language": "nb"}
    async with installation.database.write() as session:
        return await open_newsletter(session, installation, slug, settings)


async def everything(installation: Installation, without: set[str]) -> Rows:
    """Give every row of every table but those of `without`."""
    async with installation.database.read() as session:
        return {
            table.name: sorted((tuple(row) for row in (await session.execute(table.select())).all()), key=repr)
            for table in schema.METADATA.sorted_tables
            if table.name not in without
        }


def hidden(html: str, name: str) -> str:
    """Give the value of a hidden field of a form."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', html)
    assert found, f"no hidden field {name}"
    return unescape(found[1])


def shown(answer: httpx.Response) -> tuple[int, str, Mapping[str, str]]:
    """Give all of an answer that a stranger can compare."""
    return answer.status_code, answer.text, dict(answer.headers)
