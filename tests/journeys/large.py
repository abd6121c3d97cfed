"""A large mailing without any page: set up and read by the program's own actions, sent by worker processes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import insert
from sqlmodel import col, select

from newsletter.agreements.opening import open_newsletter
from newsletter.database import Session
from newsletter.delivery import actions
from newsletter.delivery.progress import Progress, progress
from newsletter.delivery.tables import Delivery, Mailing, Result
from newsletter.installation import Installation, open_installation
from newsletter.issues import actions as issues
from newsletter.mail.outcome import OutcomeKind
from newsletter.settings import load
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from newsletter.tokens import new_id
from tests.support.sink import Sink
from tests.support.waiting import eventually

CONNECTIONS = 5
BODY = "Hello {{ given_name }},\n\nread [the story](https://example.com/story) of this week.\n" + "It is long. " * 200
SECRET = "a root secret for the tests of large mailings"
T = TypeVar("T")


def settings_of(database_url: str, smtp_url: str) -> dict[str, str]:
    """Give the settings of a company's workers, in small letters and without their prefix."""
    return {
        "base_url": "https://news.example.com",
        "database_url": database_url,
        "smtp_url": smtp_url,
        "smtp_connections": str(CONNECTIONS),
        "secret_key": SECRET,
        "controller_name": "Example Books AS",
        "controller_organisation_number": "999 999 999",
        "controller_address": "Eksempelgata 1, 0001 Oslo, Norway",
        "controller_email": "privacy@example.com",
    }


@dataclass(frozen=True)
class LargeMailing:
    """One issue that is on its way to so many readers."""

    environment: dict[str, str]
    id: str
    readers: frozenset[str]

    def standing(self) -> Progress:
        """Give how it stands; whatever happens, the counts add up to the audience."""

        async def read(installation: Installation, session: Session) -> Progress:
            return await progress(session, await session.get_one(Mailing, self.id))

        found = act(self.environment, read)
        counts = (found.queued, found.delivered, found.deferred, found.refused, found.in_doubt, found.withdrawn)
        assert min(counts) >= 0, found
        assert found.state == "scheduled" or sum(counts) == found.audience == len(self.readers), found
        return found

    def finished(self, seconds: float = 120) -> Progress:
        """Wait until it is finished; give how it stands."""

        def over() -> Progress | None:
            found = self.standing()
            return found if found.state == "finished" else None

        found = eventually(over, timeout=seconds, what="the end of the mailing")
        assert found is not None
        return found

    def whose(self, outcome: OutcomeKind) -> list[str]:
        """Give whose last outcome this is, by the ledger; somebody named twice has two results that say so."""

        async def read(_: Installation, session: Session) -> list[str]:
            query = (
                select(Subscriber.email)
                .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
                .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
                .join(
                    Result,
                    (col(Result.mailing_id) == Delivery.mailing_id) & (col(Result.number) == Delivery.number),
                )
                .where(Delivery.mailing_id == self.id, Result.outcome == outcome)
            )
            return list((await session.exec(query)).all())

        return act(self.environment, read)

    def check(self, sink: Sink, most_in_doubt: int, seconds: float = 120) -> Progress:
        """Wait for the end, and hold the ledger against the sink's own record (promise P4)."""
        found = self.finished(seconds)
        counted, delivered, doubtful = sink.counted, self.whose(OutcomeKind.DELIVERED), self.whose(OutcomeKind.IN_DOUBT)
        twice = {who: number for who, number in counted.items() if number > 1}
        assert not twice, f"{len(twice)} got it twice: {sorted(twice)[:5]}"
        assert set(counted) <= self.readers, "somebody got it who was not asked for"
        lost = self.readers - set(counted) - set(doubtful)
        assert not lost, f"{len(lost)} were left out: {sorted(lost)[:5]}"
        untrue = set(delivered) - set(counted)
        assert not untrue, f"{len(untrue)} are said to have got it: {sorted(untrue)[:5]}"
        assert len(set(delivered) | set(doubtful)) == len(delivered) + len(doubtful) == len(self.readers)
        assert (found.delivered, found.in_doubt) == (len(delivered), len(doubtful)), found
        assert found.in_doubt <= most_in_doubt, f"{found.in_doubt} in doubt, of at most {most_in_doubt}"
        return found


def begin(environment: dict[str, str], readers: int) -> LargeMailing:
    """Give a mailing to so many new readers, that begins as soon as a worker sees it."""
    emails = [f"reader{number}@example.com" for number in range(readers)]

    async def write(installation: Installation, session: Session) -> str:
        given = {"name": "Books", "sender": "Books <books@example.com>", "language": "en"}
        newsletter = await open_newsletter(session, installation, "books", given)
        await _subscribe(session, installation, newsletter.id, emails)
        issue = await issues.write(session, installation.clock, newsletter.id, "News of the week", BODY)
        return (await actions.schedule(session, installation, issue.id, undo=False)).id

    return LargeMailing(environment, act(environment, write), frozenset(emails))


async def _subscribe(session: Session, installation: Installation, newsletter_id: str, emails: list[str]) -> None:
    now = installation.clock.now()
    people = [
        {"id": new_id(), "email": email, "canonical": email, "given_name": "Kari", "language": "en", "created_at": now}
        for email in emails
    ]
    await session.execute(insert(Subscriber), people)
    subscriptions = [
        {
            "id": new_id(),
            "subscriber_id": person["id"],
            "newsletter_id": newsletter_id,
            "state": SubscriptionState.ACTIVE,
            "created_at": now,
        }
        for person in people
    ]
    await session.execute(insert(Subscription), subscriptions)


def act(environment: dict[str, str], work: Callable[[Installation, Session], Awaitable[T]]) -> T:
    """Do one thing to the database of a company, in a transaction."""

    async def run() -> T:
        installation = open_installation(load(environment))
        try:
            async with installation.database.write() as session:
                return await work(installation, session)
        finally:
            await installation.database.close()

    return asyncio.run(run())
