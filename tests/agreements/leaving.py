"""Who leaves in these tests: people who agree to newsletters, and a database that comes back from the past."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlmodel import col, select

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, Ending, end_subscription, erase_person
from newsletter.agreements.opening import open_newsletter
from newsletter.database import Database
from newsletter.installation import Installation
from newsletter.newsletters.actions import by_slug
from newsletter.newsletters.tables import Newsletter
from newsletter.signup import actions as signup
from newsletter.signup.notice_shown import current_notice
from newsletter.signup.rules import read_signup
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from tests.support.postgresql import PostgreSQL

PAGE = Origin("subject", "page")


class People:
    """The people of an installation, and what they do."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    async def open(self, *slugs: str) -> None:
        """Open newsletters."""
        async with self.installation.database.write() as session:
            for slug in slugs:
                settings = {"name": f"The {slug}", "sender": "News <news@example.com>"}
                await open_newsletter(session, self.installation, slug, settings)

    async def ask(self, email: str, slug: str = "weekly", channel: str = "form") -> str:
        """Ask for a newsletter; give the token of the link that confirms it."""
        async with self.installation.database.write() as session:
            newsletter = await by_slug(session, slug)
            notice = await current_notice(session, newsletter, "nb", self.installation.clock.now())
            asked = signup.Asked(notice, True, Origin("subject", channel), 72)
            typed = read_signup({"email": email, "agreed": True, "given_name": "Kari"}, "nb")
            request = await signup.ask(session, self.installation, newsletter, typed, asked)
        return signup.confirmation_token(self.installation.keys, request)

    async def agree(self, email: str, slug: str = "weekly", channel: str = "form") -> None:
        """Subscribe somebody, who asked and confirmed."""
        token = await self.ask(email, slug, channel)
        async with self.installation.database.write() as session:
            await signup.confirm(session, self.installation, token)

    async def end(self, email: str, cause: Cause = Cause.WITHDRAWN, slug: str = "weekly") -> Ending:
        """End a subscription."""
        async with self.installation.database.write() as session:
            newsletter = await by_slug(session, slug)
            theirs = select(Subscription.id).join(Subscriber, col(Subscriber.id) == Subscription.subscriber_id)
            theirs = theirs.where(Subscriber.canonical == email, Subscription.newsletter_id == newsletter.id)
            current = theirs.where(Subscription.state != SubscriptionState.ENDED)
            subscription = (await session.exec(current)).one()
            return await end_subscription(session, self.installation, subscription, cause, PAGE)

    async def erase(self, email: str, cause: Cause = Cause.ERASED) -> bool:
        """Erase somebody."""
        async with self.installation.database.write() as session:
            person = (await session.exec(select(Subscriber.id).where(Subscriber.canonical == email))).one()
            return await erase_person(session, self.installation, person, cause, PAGE)

    async def there(self) -> dict[str, list[str]]:
        """Give who is there, each with the newsletters they are subscribed to."""
        people: dict[str, list[str]] = {}
        async with self.installation.database.read() as session:
            for person in (await session.exec(select(Subscriber).order_by(Subscriber.canonical))).all():
                people[person.canonical] = []
            for row in (await session.exec(select(Subscription))).all():
                if row.state == SubscriptionState.ACTIVE:
                    person = await session.get_one(Subscriber, row.subscriber_id)
                    newsletter = await session.get_one(Newsletter, row.newsletter_id)
                    people[person.canonical].append(newsletter.slug)
        return {email: sorted(slugs) for email, slugs in people.items()}

    async def rows(self, table: type[Any]) -> list[Any]:
        """Give all rows of a table."""
        async with self.installation.database.read() as session:
            return list((await session.exec(select(table))).all())


@asynccontextmanager
async def copied(installation: Installation, server: PostgreSQL | None, folder: Path) -> AsyncIterator[Installation]:
    """Give the installation on a copy of its database as it is now: what a backup would bring back."""
    await installation.database.close()
    url = installation.settings.database
    if server is None:
        file = folder / "copy.sqlite"
        shutil.copyfile(make_url(url).database or "", file)
        copy = f"sqlite:///{file}"
    else:
        copy = server.create(template=url)
    database = Database(copy)
    try:
        settings = installation.settings.model_copy(update={"database_url": copy})
        yield replace(installation, settings=settings, database=database)
    finally:
        await database.close()
        if server is not None:
            server.drop(copy)
