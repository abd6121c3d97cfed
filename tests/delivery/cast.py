"""The cast of a mailing: a newsletter, its readers, an issue, and a worker that sends it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, end_subscription, erase_person
from newsletter.agreements.opening import open_newsletter
from newsletter.bounces.alarms import watching as bounces
from newsletter.clock import TurnedClock
from newsletter.delivery import actions
from newsletter.delivery.doubts import actions as doubts
from newsletter.delivery.lane.sending import Sender
from newsletter.delivery.pace.tables import Pace
from newsletter.delivery.progress import Progress
from newsletter.delivery.progress import progress as progress_of
from newsletter.delivery.tables import Block, Delivery, Mailing, Result
from newsletter.installation import Installation
from newsletter.issues import actions as issues
from newsletter.mail.dkim.signing import Signer
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes, read_relay
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from newsletter.tokens import new_id
from tests.support.peer import SmtpPeer

BODY = (
    "Hello {{ given_name }},\n\nread [the story](https://example.com/story) or [the other](https://example.com/other)."
)


def people(count: int, domain: str = "example.com") -> list[str]:
    """Give `count` invented addresses."""
    return [f"reader{number:03}@{domain}" for number in range(count)]


async def found(installation: Installation, slug: str = "books") -> Newsletter:
    """Open a newsletter."""
    async with installation.database.write() as session:
        settings = {"name": "Books", "sender": "Books <books@example.com>", "language": "en"}
        return await open_newsletter(session, installation, slug, settings)


async def subscribe(installation: Installation, newsletter: Newsletter, emails: Sequence[str]) -> None:
    """Subscribe these addresses, whoever they are."""
    now = installation.clock.now()
    async with installation.database.write() as session:
        for email in emails:
            address = read_address(email)
            known = await session.exec(select(Subscriber.id).where(Subscriber.canonical == address.canonical))
            if (subscriber_id := known.first()) is None:
                subscriber_id = new_id()
                session.add(
                    Subscriber(
                        id=subscriber_id,
                        email=address.email,
                        canonical=address.canonical,
                        given_name=email.partition("@")[0].capitalize(),
                        language="en",
                        created_at=now,
                    )
                )
                await session.flush()
            session.add(
                Subscription(
                    id=new_id(),
                    subscriber_id=subscriber_id,
                    newsletter_id=newsletter.id,
                    state=SubscriptionState.ACTIVE,
                    created_at=now,
                )
            )


async def begin(installation: Installation, newsletter: Newsletter, body: str = BODY) -> Mailing:
    """Write an issue and let its mailing begin: the audience is frozen, nothing has left."""
    async with installation.database.write() as session:
        issue = await issues.write(session, installation.clock, newsletter.id, "News of the week", body)
        await actions.schedule(session, installation, issue.id, undo=False)
    async with installation.database.write() as session:
        await actions.start_due(session, installation.clock)
    async with installation.database.read() as session:
        mailing = await actions.of_issue(session, issue.id)
    assert mailing is not None
    return mailing


async def mailing_to(installation: Installation, emails: Sequence[str]) -> Mailing:
    """Give a mailing that has just begun, to these readers of a new newsletter."""
    newsletter = await found(installation)
    await subscribe(installation, newsletter, emails)
    return await begin(installation, newsletter)


@asynccontextmanager
async def worker(
    installation: Installation,
    peer: SmtpPeer,
    connections: int = 10,
    name: str = "worker-0",
    kind: type[Sender] = Sender,
    lanes: int = 1,
    largest: int | None = None,
    signer: Signer | None = None,
) -> AsyncIterator[Sender]:
    """Give a worker's sender, wired as in the program, but with windows as small as its connections."""
    lines = Lines(Routes((read_relay(peer.url),), {}), connections, "news.example.com", signer)
    try:
        watcher = partial(bounces.watch, installation)
        yield kind(installation, lines, name, watcher, lanes=lanes, largest=largest or connections)
    finally:
        await lines.close()


async def send(installation: Installation, peer: SmtpPeer, mailing: Mailing, connections: int = 10) -> None:
    """Send all that is due."""
    async with worker(installation, peer, connections) as sender:
        await sender.work_on(mailing.id)


async def steer(installation: Installation, mailing: Mailing, verb: str) -> None:
    """Pause, resume or cancel."""
    async with installation.database.write() as session:
        await actions.steer(session, installation.clock, mailing.issue_id, verb)


async def finish(installation: Installation) -> None:
    """Do what the worker does every moment: finish what is done."""
    async with installation.database.write() as session:
        await actions.finish_done(session, installation.clock)


async def standing(installation: Installation, mailing: Mailing) -> Progress:
    """Give how the mailing stands; whatever happens, the counts add up to the audience."""
    async with installation.database.read() as session:
        current = await session.get_one(Mailing, mailing.id)
        progress = await progress_of(session, current)
    counts = (progress.queued, progress.delivered, progress.deferred, progress.refused, progress.in_doubt)
    assert min(*counts, progress.withdrawn) >= 0, progress
    assert sum(counts) + progress.withdrawn == progress.audience, progress
    return progress


async def in_doubt(installation: Installation, mailing: Mailing) -> set[str]:
    """Give who is listed as in doubt."""
    async with installation.database.read() as session:
        page = await doubts.undecided(session, mailing)
        found = {each.email for each in page.items}
        while page.next:
            page = await doubts.undecided(session, mailing, page.next)
            found |= {each.email for each in page.items}
        return found


async def results(installation: Installation, mailing: Mailing, email: str) -> list[Result]:
    """Give what the ledger holds about one reader's tries."""
    async with installation.database.read() as session:
        query = (
            select(Result)
            .join(Delivery, (col(Delivery.mailing_id) == Result.mailing_id) & (col(Delivery.number) == Result.number))
            .join(Subscription, col(Subscription.id) == Delivery.subscription_id)
            .join(Subscriber, col(Subscriber.id) == Subscription.subscriber_id)
            .where(Subscriber.canonical == email, Result.mailing_id == mailing.id)
            .order_by(col(Result.attempt))
        )
        return list((await session.exec(query)).all())


async def wait_for_retries(installation: Installation) -> None:
    """Turn time on until the deferred are due, and nobody is slowed down any more for having deferred them.

    Waits and leases go by the database's own clock, which a test can't turn: so what is waited for is moved back.
    """
    async with installation.database.write() as session:
        await session.execute(update(Result).where(col(Result.retry_at).is_not(None)).values(retry_at=1.0))
        await session.execute(update(Block).values(due_at=0.0))
        await session.execute(update(Pace).values(full_at=0.0, queue_at=0.0, level=0))


async def wait_for_leases(installation: Installation) -> None:
    """Turn time on until every lease has run out: by the database's clock, by moving them back, and by the worker's."""
    clock = installation.clock
    assert isinstance(clock, TurnedClock)
    clock.turn(clock.now() + timedelta(minutes=1))
    async with installation.database.write() as session:
        await session.execute(update(Block).values(leased_until=1.0))


async def erase(installation: Installation, email: str) -> None:
    """Delete a person, as on their own demand."""
    async with installation.database.write() as session:
        found = await session.exec(select(Subscriber.id).where(Subscriber.canonical == email))
        if subscriber_id := found.first():
            await erase_person(session, installation, subscriber_id, Cause.ERASED, Origin("subject", "page"))


async def unsubscribe(installation: Installation, email: str, newsletter_id: str | None = None) -> None:
    """End a reader's subscriptions, or the one to that newsletter."""
    async with installation.database.write() as session:
        query = select(Subscription.id).join(Subscriber, col(Subscriber.id) == Subscription.subscriber_id)
        if newsletter_id:
            query = query.where(Subscription.newsletter_id == newsletter_id)
        for subscription_id in (await session.exec(query.where(Subscriber.canonical == email))).all():
            await end_subscription(session, installation, subscription_id, Cause.WITHDRAWN, Origin("subject", "link"))


def lose_journals(installation: Installation) -> None:
    """Lose what a machine keeps of its own."""
    shutil.rmtree(installation.settings.journal_dir, ignore_errors=True)


async def abandoned(sending: "asyncio.Task[None]") -> None:
    """Cut a worker's work off, as a crash does."""
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
