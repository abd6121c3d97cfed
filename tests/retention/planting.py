"""For each rule of retention, something that it keeps for a time."""

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta

from newsletter.addresses import read_address
from newsletter.agreements.opening import open_newsletter
from newsletter.agreements.traces import suppression, tags, tombstones
from newsletter.agreements.traces.tables import RECEIPTS, Receipt
from newsletter.bounces.reports.tables import AlarmSeen, CameBack, Received, Report
from newsletter.bounces.tables import Tally
from newsletter.bounces.webhooks.tables import UsedToken
from newsletter.database import Session
from newsletter.delivery.pace.tables import Pace
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.editors import accounts, keys, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.keys import actions as key_actions
from newsletter.editors.signing_in import limits, networks
from newsletter.editors.signing_in.rules import STRANGERS
from newsletter.editors.tables import EditorRecovery
from newsletter.imports.tables import Import, ImportState
from newsletter.installation import Installation
from newsletter.issues.actions import write
from newsletter.limits.rules import WEEK
from newsletter.limits.tables import LimitAddress
from newsletter.measurement.counting import prepare
from newsletter.newsletters.actions import on_offer
from newsletter.renewal.tables import RenewalLetter, RenewalState
from newsletter.retention.tables import RetentionRun
from newsletter.rights.desk.tables import RightsRequest
from newsletter.rights.my.tables import MyVisit
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import enter, subscribe
from newsletter.subscribers.tables import FirstSignal, Subscriber
from newsletter.tokens import new_id

ADDRESS = "kari@example.com"
Planting = Callable[[Session, Installation], Awaitable[None]]


async def newsletter_id(session: Session, installation: Installation) -> str:
    """Give the id of the one newsletter, which is made first."""
    if not (found := await on_offer(session)):
        given = {"name": "Weekly news", "sender": "Example <news@example.com>", "language": "en"}
        return (await open_newsletter(session, installation, "weekly", given)).id
    return found[0].id


async def unconfirmed(session: Session, installation: Installation) -> None:
    """Somebody asks, and never confirms."""
    now, weekly = installation.clock.now(), await newsletter_id(session, installation)
    ends = now + timedelta(hours=72)
    session.add(
        SignupRequest(
            id=new_id(),
            newsletter_id=weekly,
            email=ADDRESS,
            canonical=ADDRESS,
            language="nb",
            requested_at=now,
            expires_at=ends,
        )
    )


async def visit(session: Session, installation: Installation) -> None:
    """Somebody asks for their page."""
    now = installation.clock.now()
    ends = now + timedelta(minutes=30)
    session.add(MyVisit(id=new_id(), email=ADDRESS, canonical=ADDRESS, language="nb", asked_at=now, expires_at=ends))


async def receipt(session: Session, installation: Installation) -> None:
    """An agreement has ended."""
    now, tagger = installation.clock.now(), await tags.current(session, installation, RECEIPTS)
    session.add(
        Receipt(
            id=new_id(),
            epoch_id=tagger.epoch_id,
            tag=tagger.tag(ADDRESS.encode()),
            newsletter_id=await newsletter_id(session, installation),
            agreement_id=new_id(),
            notice_hash="0" * 64,
            given_on=now,
            ended_on=now,
            outcome="withdrawn",
            expires_at=now + timedelta(days=installation.settings.retention_receipts),
        )
    )


async def suppressed(session: Session, installation: Installation) -> None:
    """Somebody complains."""
    await suppression.suppress(session, installation, [ADDRESS], "complained")


async def tombstone(session: Session, installation: Installation) -> None:
    """Somebody leaves."""
    await tombstones.note(session, installation, ADDRESS, "person")


async def counted(session: Session, installation: Installation) -> None:
    """A letter leaves that a stranger may have caused."""
    now = installation.clock.now().timestamp()
    session.add(LimitAddress(tag="0" * 64, times=str(now), until=now + WEEK))


async def rights_request(session: Session, installation: Installation) -> None:
    """A request is closed."""
    today = installation.clock.now().date()
    session.add(
        RightsRequest(id=new_id(), kind="access", arrival="letter", received_on=today, due_on=today, closed_on=today)
    )


async def imported(session: Session, installation: Installation) -> None:
    """A file is uploaded."""
    now = installation.clock.now()
    session.add(
        Import(
            id=new_id(),
            newsletter_id=await newsletter_id(session, installation),
            actor=audit.CLI,
            state=ImportState.UPLOADED,
            file_name="people.csv",
            size=1,
            file_hash="0" * 64,
            encoding="utf-8",
            delimiter=",",
            created_at=now,
            changed_at=now,
        )
    )


async def marks(session: Session, installation: Installation) -> None:
    """A measured mailing is finished."""
    now, weekly = installation.clock.now(), await newsletter_id(session, installation)
    issue = await write(session, installation.clock, weekly, "Hello", "Hello")
    await session.flush()
    await prepare(session, issue.id)
    session.add(
        Mailing(
            id=new_id(),
            issue_id=issue.id,
            newsletter_id=weekly,
            state=MailingState.FINISHED,
            created_at=now,
            starts_at=now,
            finished_at=now,
        )
    )


async def tally(session: Session, installation: Installation) -> None:
    """A domain takes mail."""
    session.add(Tally(tag="0" * 64, hour=installation.clock.now().replace(minute=0), accepted=1))


async def report(session: Session, installation: Installation) -> None:
    """A mail comes back."""
    now = installation.clock.now()
    session.add(
        Report(
            id="0" * 64,
            way="listener",
            received_at=now,
            sent_on=now,
            due_at=now,
            verdict="unknown",
            reason="Nothing says why.",
        )
    )


async def received(session: Session, installation: Installation) -> None:
    """Something comes in."""
    session.add(Received(day=installation.clock.now(), way="listener", taken="forged", count=1))


async def came_back(session: Session, installation: Installation) -> None:
    """Somebody is found dead while an issue is sent."""
    day = installation.clock.now()
    session.add(CameBack(mailing_id="", day=day, domain="", verdict="dead", code="5.1.1", at_once=True, count=1))


async def alarm_seen(session: Session, installation: Installation) -> None:
    """An editor has seen an alarm."""
    now = installation.clock.now()
    session.add(AlarmSeen(code="5.7.26", day=now, count=1, seen_at=now, actor=new_id()))


async def heard(session: Session, installation: Installation) -> None:
    """A sending service tells something."""
    session.add(UsedToken(digest="0" * 64, used_at=installation.clock.now()))


async def closed(session: Session, installation: Installation) -> None:
    """A mailbox is found closed."""
    now, subscriber_id = installation.clock.now(), new_id()
    address = "ola@example.org"
    session.add(Subscriber(id=subscriber_id, email=address, canonical=address, language="nb", created_at=now))
    await session.flush()
    session.add(FirstSignal(subscriber_id=subscriber_id, day=now, code="5.2.1"))


async def pace(session: Session, _: Installation) -> None:
    """A domain was slow in 1970: paces keep to the database's clock, which no test turns."""
    session.add(Pace(tag="0" * 64))


async def journal(_: Session, installation: Installation) -> None:
    """A worker has left a journal."""
    folder, now = installation.settings.journal_dir, installation.clock.now().timestamp()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "lost-1-1.journal"
    file.write_bytes(b"")
    os.utime(file, (now, now))


async def lettered(session: Session, installation: Installation) -> None:
    """Somebody is told of a new notice."""
    now, weekly = installation.clock.now(), await newsletter_id(session, installation)
    person = await enter(session, installation.clock, read_address("kari@example.org"), "nb", {})
    subscription = await subscribe(session, installation.clock, person.id, weekly)
    await session.flush()
    session.add(
        RenewalLetter(
            id=new_id(),
            kind="reminder",
            occasion="1",
            subscription_id=subscription.id,
            state=RenewalState.SENT,
            at=now,
        )
    )


async def signed_in(session: Session, installation: Installation) -> None:
    """An editor signs in."""
    editor = await accounts.add(session, installation.clock, "olga@example.com", "Olga", "a long enough password")
    await sessions.begin(session, installation, editor)


async def tried(session: Session, installation: Installation) -> None:
    """Somebody tries a password."""
    await limits.take(session, installation, {limits.tag(installation.keys, "account", "somebody"): STRANGERS})


async def from_home(session: Session, installation: Installation) -> None:
    """An editor signs in at home."""
    editor = await accounts.add(session, installation.clock, "oda@example.com", "Oda", "a long enough password")
    await networks.remember(session, installation, editor.id, "192.0.2.7/32")


async def forgotten(session: Session, installation: Installation) -> None:
    """Somebody has forgotten a password."""
    ends = installation.clock.now() + timedelta(minutes=30)
    session.add(EditorRecovery(id=new_id(), language="nb", expires_at=ends))


async def revoked(session: Session, installation: Installation) -> None:
    """A key is revoked."""
    _key, key_id = await keys.create_with_id(session, installation.clock, "website")
    await key_actions.revoke(session, installation.clock, key_id)


async def removed(session: Session, installation: Installation) -> None:
    """An editor leaves the company."""
    await accounts.add(session, installation.clock, "ola@example.com", "Ola", "a long enough password")
    await accounts.remove(session, installation.clock, "ola@example.com")


async def act(session: Session, installation: Installation) -> None:
    """Somebody is looked up."""
    await audit.note(session, installation, audit.CLI, audit.Act.PERSON_READ, subject_id=new_id())


async def run(session: Session, installation: Installation) -> None:
    """A rule has run."""
    session.add(RetentionRun(id=new_id(), rule="unconfirmed", at=installation.clock.now(), purged=1))


PLANTS: dict[str, Planting] = {
    "unconfirmed": unconfirmed,
    "my page": visit,
    "limits": counted,
    "receipts": receipt,
    "suppressions": suppressed,
    "tombstones": tombstone,
    "rights requests": rights_request,
    "imports": imported,
    "measurement marks": marks,
    "bounce tallies": tally,
    "reports": report,
    "counts of what came in": received,
    "counts of what came back": came_back,
    "alarms that were seen": alarm_seen,
    "webhook tokens": heard,
    "first signals": closed,
    "paces": pace,
    "delivery journals": journal,
    "renewal letters": lettered,
    "editor sessions": signed_in,
    "sign-in limits": tried,
    "editor networks": from_home,
    "recovery links": forgotten,
    "API keys": revoked,
    "editor removed": removed,
    "audit trail": act,
    "retention runs": run,
}
OLD_AT_ONCE = {"paces"}
