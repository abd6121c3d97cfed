"""Readers who agreed to a notice that is followed by another one, and a worker that writes to them."""

from datetime import datetime, timedelta
from functools import partial

from sqlmodel import col, select

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices import drafts as notice_drafts
from newsletter.agreements.tables import Agreement, AgreementEvent
from newsletter.bounces.alarms import watching as bounces
from newsletter.clock import TurnedClock
from newsletter.mail.outbox import Outbox
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes, read_relay
from newsletter.newsletters.tables import Newsletter
from newsletter.renewal import actions
from newsletter.renewal.announcing import mailings
from newsletter.renewal.announcing.mailings import Telling
from newsletter.renewal.tables import NoticeMailing, NoticeMailingKind
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.worker.letters import writers
from tests.signup.site import Site
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer

KARI, OLA, SIRI = "kari@example.com", "ola@example.com", "siri@example.com"
ANNOUNCED = Telling(NoticeMailingKind.ANNOUNCEMENT)
ASKED = Telling(NoticeMailingKind.RECONFIRMATION, days=14, ends=True)
NEW_TEXT = "**Hva er nytt?** Vi bruker adressen din også til å spørre deg om hva du synes."


def turn(site: Site, **by: float) -> None:
    """Turn the clock on."""
    clock = site.installation.clock
    assert isinstance(clock, TurnedClock)
    clock.turn(clock.now() + timedelta(**by))


async def publish(
    site: Site, how: Telling | None, text: str = NEW_TEXT, valid_from: datetime | None = None, language: str = "nb"
) -> NoticeMailing | None:
    """Put a new notice in force, a minute later than whatever was before, and let its letters begin."""
    turn(site, minutes=1)
    installation, newsletter = site.installation, site.weekly
    async with installation.database.write() as session:
        current = (await notices.in_force(session, newsletter.id, installation.clock.now()))[language]
        draft = {"label": current.label, "text": f"{current.text}\n\n{text}"}
        kept = await notice_drafts.save(session, installation, newsletter.id, language, draft)
        starts = valid_from or installation.clock.now()
        notice = await notice_drafts.put_draft_in_force(
            session,
            installation,
            newsletter.id,
            language,
            seen=notice_drafts.wording_of(kept).hash,
            valid_from=starts,
            material=how is not None,
        )
        return await mailings.start(session, installation, newsletter.id, notice, starts, how) if how else None


async def mail(site: Site, peer: SmtpPeer, *, rounds: int = 3) -> list[ReceivedMail]:
    """Do what the worker does every moment about letters to many; give what this brought."""
    before = len(peer.mails)
    await deliver(site, peer, bulk=False)
    for _ in range(rounds):
        await actions.feed(site.installation)
        await deliver(site, peer, bulk=True)
    await actions.feed(site.installation)
    return peer.mails[before:]


async def deliver(site: Site, peer: SmtpPeer, *, bulk: bool) -> None:
    """Mail what waits in the outbox, in one of its lanes."""
    installation = site.installation
    lines = Lines(Routes((read_relay(peer.url),), {}), 4, "news.example.com")
    watcher = partial(bounces.watch_letter, installation)
    outbox = Outbox(installation.database, installation.clock, lines, writers(installation), watcher)
    await outbox.mail_waiting(bulk=bulk)
    await lines.close()


async def standing(site: Site, mailing: NoticeMailing | None) -> NoticeMailing:
    """Give how a mailing stands."""
    assert mailing is not None
    async with site.installation.database.read() as session:
        return await session.get_one(NoticeMailing, mailing.id)


async def history(site: Site, email: str) -> list[str]:
    """Give what happened to the agreements of an address, in the order of time."""
    async with site.installation.database.read() as session:
        found = await session.exec(
            select(AgreementEvent.kind)
            .join(Agreement, col(Agreement.id) == col(AgreementEvent.agreement_id))
            .join(Subscription, col(Subscription.id) == col(Agreement.subscription_id))
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(Subscriber.canonical == email)
            .order_by(col(AgreementEvent.at), col(AgreementEvent.kind))
        )
        return list(found.all())


async def change_settings(site: Site, values: dict[str, int]) -> None:
    """Set how long an agreement holds, and when its reader is reminded."""
    async with site.installation.database.write() as session:
        newsletter = await session.get_one(Newsletter, site.weekly.id)
        newsletter.sqlmodel_update(values)
