"""A newsletter whose agreements are chained, for whoever can write the database, and no more, to tamper with."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text
from sqlmodel import select

from newsletter.addresses import Address
from newsletter.agreements import ending
from newsletter.agreements.actions import Origin
from newsletter.agreements.notices import actions as notices
from newsletter.agreements.opening import open_newsletter
from newsletter.agreements.proof import chaining, verifying
from newsletter.agreements.tables import AgreementEvent
from newsletter.chain.findings import Finding
from newsletter.chain.heads import sign_heads
from newsletter.chain.heads_file import HeadsFile
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.signup import actions as signup
from newsletter.signup.rules import FIELDS, Signup
from newsletter.subscribers.tables import Subscriber

Rows = list[dict[str, Any]]


@dataclass
class Evidence:
    """The evidence of one newsletter."""

    installation: Installation
    weekly: Newsletter
    numbers: Any = field(default_factory=itertools.count)

    @property
    def chain(self) -> str:
        """Give the name of the newsletter's chain."""
        return chaining.chain_of(self.weekly.id)

    @property
    def heads(self) -> HeadsFile:
        """Give the file of the heads."""
        return HeadsFile(self.installation.settings.heads)

    async def ask(self) -> str:
        """Let somebody new ask; give the token of their link."""
        address = f"reader{next(self.numbers)}@example.com"
        async with self.installation.database.write() as session:
            shown = (await notices.in_force(session, self.weekly.id, self.installation.clock.now()))["en"]
            wish = Signup(Address(address, address), "en", dict.fromkeys(FIELDS))
            asked = signup.Asked(shown, witnessed=True, origin=Origin("subject", "form", "/weekly"), hours=72)
            request_id = await signup.ask(session, self.installation, self.weekly, wish, asked)
        return signup.confirmation_token(self.installation.keys, request_id)

    async def subscribe(self, people: int = 1) -> None:
        """Let so many new people ask and confirm, and chain it."""
        for _ in range(people):
            token = await self.ask()
            async with self.installation.database.write() as session:
                await signup.confirm(session, self.installation, token)
        await self.chain_all()

    async def chain_all(self) -> None:
        """Do what the worker's loop does."""
        await chaining.Chaining(self.installation).work()

    async def chain_unsigned(self) -> None:
        """Do it as a worker that is killed before it signs the head."""
        while await chaining.chain_due(self.installation):
            pass

    async def sign(self) -> int:
        """Sign the heads that are due; give how many that were."""
        return await sign_heads(self.installation, self.heads)

    async def erase_one(self) -> None:
        """Erase somebody."""
        async with self.installation.database.write() as session:
            subscriber = (await session.exec(select(Subscriber.id).limit(1))).one()
            cause, origin = ending.Cause.ERASED, Origin("subject", "page")
            await ending.erase_person(session, self.installation, subscriber, cause, origin)

    async def events(self) -> list[AgreementEvent]:
        """Give the events that are chained, in the order of the chain."""
        async with self.installation.database.read() as session:
            found = (await session.exec(select(AgreementEvent))).all()
        return sorted((event for event in found if event.position), key=lambda event: event.position or 0)

    async def entries(self) -> Rows:
        """Give the entries of the chain, in their order."""
        return await self.sql("SELECT * FROM chain_entry WHERE chain = :chain ORDER BY number", chain=self.chain)

    async def sql(self, statement: str, **values: Any) -> Rows:
        """Be the attacker: run a statement on the database."""
        async with self.installation.database.write() as session:
            result: Any = await session.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def verify(self) -> list[Finding]:
        """Give what `agreements verify` finds."""
        async with self.installation.database.snapshot() as session:
            return list(await verifying.verify(session, self.installation))

    async def faults(self) -> set[tuple[str, int | None]]:
        """Give what it finds, shortly: what, and where."""
        return {(str(finding.fault), finding.number) for finding in await self.verify()}

    def run_by(self, **changed: Any) -> "Evidence":
        """Give the same with an installation that differs."""
        return replace(self, installation=replace(self.installation, **changed))


async def gathered(installation: Installation, people: int = 3) -> Evidence:
    """Give a newsletter to which so many have agreed: two entries of the chain each."""
    async with installation.database.write() as session:
        given = {"name": "The weekly", "sender": "News <weekly@example.com>", "language": "en"}
        weekly = await open_newsletter(session, installation, "weekly", given)
    evidence = Evidence(installation, weekly)
    await evidence.subscribe(people)
    return evidence
