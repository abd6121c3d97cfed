"""What the tests of imports share: a newsletter, files of invented people, and an import carried through."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from sqlmodel import col, select

from newsletter.agreements.opening import open_newsletter
from newsletter.imports import actions, staging
from newsletter.imports.evidence import read_evidence
from newsletter.imports.reading import columns
from newsletter.imports.tables import Import
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState

SAID = {"mode": "agreed", "basis": "consent", "source": "orders in the shop, 2024"}
SETTINGS = {"name": "Weekly", "sender": "Example Books <weekly@example.com>", "language": "nb"}


async def open_weekly(installation: Installation, slug: str = "weekly") -> Newsletter:
    """Give a newsletter."""
    async with installation.database.write() as session:
        return await open_newsletter(session, installation, slug, SETTINGS)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Give a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def people(count: int, first: int = 0) -> bytes:
    """Give a file of that many people."""
    rows = [
        (f"reader{number}@example.com", "Kari", "Nordmann", "Example Books AS")
        for number in range(first, first + count)
    ]
    return table(("email", "given_name", "family_name", "employer"), rows)


async def prepare(
    installation: Installation,
    newsletter: Newsletter,
    content: bytes,
    said: Mapping[str, str] = SAID,
    *,
    preset: str = "",
    chosen: Mapping[str, str] | None = None,
) -> str:
    """Put a file into its place and describe it; give the id of its import."""
    staged = await staging.receive(installation, _coming_in(content))
    meaning = columns.choose(staged.shape.header, chosen or {}, columns.guess(staged.shape.header, preset))
    async with installation.database.write() as session:
        job = await actions.begin(session, installation, newsletter, "cli", staged, "people.csv")
        await actions.describe(session, installation, job, read_evidence(said), meaning)
    return job.id


async def carry_out(installation: Installation, import_id: str, act: str = "start") -> Import:
    """Let it be done, or checked, as the worker does it; give how it ended."""
    async with installation.database.write() as session:
        job = await actions.by_id(session, import_id, lock=True)
        await (actions.start if act == "start" else actions.check)(session, installation, job)
    await Importer(installation, "a worker").work_on(import_id)
    return await standing(installation, import_id)


async def bring_in(
    installation: Installation, newsletter: Newsletter, content: bytes, said: Mapping[str, str] = SAID, preset: str = ""
) -> Import:
    """Import a file; give how it ended."""
    return await carry_out(installation, await prepare(installation, newsletter, content, said, preset=preset))


async def standing(installation: Installation, import_id: str) -> Import:
    """Give how an import stands."""
    async with installation.database.read() as session:
        return await actions.by_id(session, import_id)


async def refused(installation: Installation, job: Import) -> dict[int, str]:
    """Give the refused rows and the codes of their reasons."""
    async with installation.database.read() as session:
        return dict(await actions.refusals(session, job.id))


async def subscribed(installation: Installation, newsletter: Newsletter) -> dict[str, Subscriber]:
    """Give the active subscribers by address."""
    query = (
        select(Subscriber)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .where(Subscription.newsletter_id == newsletter.id, Subscription.state == SubscriptionState.ACTIVE)
    )
    async with installation.database.read() as session:
        return {person.email: person for person in (await session.exec(query)).all()}


def counts(job: Import) -> dict[str, int]:
    """Give what became of the rows."""
    return {name: getattr(job, name) for name in ("rows", "accepted", "known", "refused", "withheld")}


async def _coming_in(content: bytes) -> AsyncIterator[bytes]:
    yield content
