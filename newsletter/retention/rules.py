"""The rules of retention: everything that is kept for a time, each with what it is, why it is kept and how long.

A rule knows how to count what is over, which is the dry run, and how to purge it. It purges within one transaction that
it is handed, and never commits. A personal column that no deletion of a subscriber reaches names its rule by
`purged_by`; so this list is what the privacy notice and the record of processing say about time, too (RULES B5).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from newsletter.agreements import receipts, suppression, tombstones
from newsletter.agreements.tag_tables import RECEIPTS, SUPPRESSIONS, TOMBSTONES
from newsletter.bounces import actions as bounces
from newsletter.bounces import alarms_seen, came_back, report_tables, reports, signals
from newsletter.bounces import rules as bounce_rules
from newsletter.bounces.webhooks import tables as webhook_tables
from newsletter.bounces.webhooks import tokens as webhook_tokens
from newsletter.database import Session
from newsletter.delivery import actions as delivery
from newsletter.delivery import journal, ledger, pace_rows, paces
from newsletter.editors import accounts, audit_retention, sessions
from newsletter.editors import audit_tables as audit
from newsletter.editors import tables as editors
from newsletter.imports import actions as imports
from newsletter.imports.tables import RULE as IMPORTS
from newsletter.installation import Installation
from newsletter.renewal import actions as renewal
from newsletter.retention import runs
from newsletter.rights import address_change, desk, links
from newsletter.rights.desk_tables import RULE as RIGHTS_REQUESTS
from newsletter.rights.tables import RULE as MY_PAGE
from newsletter.settings import Settings
from newsletter.signup import actions as signup
from newsletter.signup.tables import RULE as UNCONFIRMED

Counting = Callable[[Session, Installation], Awaitable[int]]
MONTH = timedelta(days=30)
TEN_MINUTES = timedelta(minutes=10)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `name` is what `personal(purged_by=...)` names; `every` is how often it runs.

    `period` gives how long it is kept from when its time begins, `due` how many are over now, and `purge` deletes them
    and gives how many that were.
    """

    name: str
    what: str
    why: str
    period: Callable[[Settings], timedelta]
    due: Counting
    purge: Counting
    every: timedelta = TEN_MINUTES


async def _count_unconfirmed(session: Session, installation: Installation) -> int:
    return await signup.count_unconfirmed(session, installation.clock)


async def _purge_unconfirmed(session: Session, installation: Installation) -> int:
    return await signup.purge_unconfirmed(session, installation.clock)


async def _count_marks(session: Session, installation: Installation) -> int:
    return len(await delivery.old_marks(session, installation.clock))


async def _purge_marks(session: Session, installation: Installation) -> int:
    return await delivery.forget_old_marks(session, installation.clock)


async def _count_paces(session: Session, _: Installation) -> int:
    return await paces.count_idle(session, await ledger.now(session))


async def _purge_paces(session: Session, _: Installation) -> int:
    return await paces.forget_idle(session, await ledger.now(session))


async def _count_journals(session: Session, installation: Installation) -> int:
    leases = await ledger.leases(session)
    return len(journal.old(installation.settings.journal_dir, leases, installation.clock.now().timestamp()))


async def _purge_journals(session: Session, installation: Installation) -> int:
    leases = await ledger.leases(session)
    return journal.sweep(installation.settings.journal_dir, leases, installation.clock.now().timestamp())


RULES: tuple[Rule, ...] = (
    Rule(
        UNCONFIRMED,
        "Signups that nobody confirmed, with the agreement that waited with them",
        "So that whoever asked can still confirm, and nobody stays here who did not",
        lambda settings: timedelta(hours=settings.retention_unconfirmed),
        _count_unconfirmed,
        _purge_unconfirmed,
    ),
    Rule(
        MY_PAGE,
        "Visits to one's own page and the links to it, and new addresses that wait to be confirmed",
        "So that people reach what is held about them without a password",
        lambda _: address_change.LIFE,
        links.count_expired,
        links.purge_expired,
    ),
    Rule(
        RECEIPTS,
        "Receipts: a keyed tag of the address, which agreement it was, and the days on which it was given and ended",
        "To answer a dispute about an agreement that has ended",
        lambda settings: timedelta(days=settings.retention_receipts),
        receipts.count_expired,
        receipts.purge_expired,
        DAY,
    ),
    Rule(
        SUPPRESSIONS,
        "Suppressions: a keyed tag of an address that must not be mailed",
        "So that no import brings back who has complained or never wants to be asked again",
        lambda settings: timedelta(days=settings.retention_suppressions),
        suppression.count_expired,
        suppression.purge_expired,
        DAY,
    ),
    Rule(
        TOMBSTONES,
        "Tombstones: keyed tags of who left or chose something, in the database and in a file beside it",
        "So that a restored backup brings nobody back",
        lambda settings: timedelta(days=settings.retention_tombstones) + tombstones.MARGIN,
        tombstones.count_expired,
        tombstones.purge_expired,
        DAY,
    ),
    Rule(
        RIGHTS_REQUESTS,
        "Closed rights requests: their kind, dates, steps and outcome; what named somebody went when they were closed",
        "To show that rights were met, and in time",
        lambda _: desk.KEPT,
        desk.count_expired,
        desk.purge_expired,
        DAY,
    ),
    Rule(
        IMPORTS,
        "Files that were uploaded for an import and not used for a week, and the reports of refused rows",
        "So that an import can be checked first, and looked through afterwards; what it was stays as evidence",
        lambda _: imports.REPORTS_FOR,
        imports.count_expired,
        imports.purge_expired,
    ),
    Rule(
        "measurement marks",
        "The keyed marks that tell a first open or click from the next, and their key",
        "So that nobody is counted twice; the counters stay",
        lambda _: delivery.MARKS_LIFE,
        _count_marks,
        _purge_marks,
    ),
    Rule(
        "bounce tallies",
        "How many mails a domain or a mailing took and how many it found dead, by the hour",
        "To tell a provider's mistake from dead addresses",
        lambda _: bounces.TALLY_LIFE,
        bounces.count_tallies,
        bounces.purge_tallies,
    ),
    Rule(
        report_tables.RULE,
        "What came back: the status fields of each report, without the mail that it returned",
        "To see why mail does not arrive, and that no report counts twice",
        lambda _: reports.KEPT,
        reports.count_expired,
        reports.purge_expired,
        DAY,
    ),
    Rule(
        "counts of what came in",
        "How many mails came in on a day, by which way, and what was done with them",
        "To see whether bounces reach us, and whether somebody forges them",
        lambda _: reports.COUNTS_KEPT,
        reports.count_old_counts,
        reports.purge_old_counts,
        DAY,
    ),
    Rule(
        "counts of what came back",
        "How many mails came back on a day, of which mailing and as what; by domain where at least five people have it",
        "To see whether fewer arrive, and where",
        lambda _: came_back.KEPT,
        came_back.count_expired,
        came_back.purge_expired,
        DAY,
    ),
    Rule(
        "alarms that were seen",
        "Which editor or key has seen the alarms of a code, and when",
        "So that the others know, and a later one is news",
        lambda _: alarms_seen.SHOWN,
        alarms_seen.count_over,
        alarms_seen.purge_over,
        DAY,
    ),
    Rule(
        webhook_tables.RULE,
        "Which tokens of a sending service's messages were shown here, as a hash",
        "So that nobody shows one again, before a message of their own",
        lambda _: webhook_tokens.KEPT,
        webhook_tokens.count_old,
        webhook_tokens.purge_old,
    ),
    Rule(
        "first signals",
        "That a mailbox was closed, or its domain gone, on a day",
        "To tell a mailbox that is gone from a passing fault; forgotten sooner where mail arrives again",
        lambda _: bounce_rules.REMEMBERED,
        signals.count_forgotten,
        signals.forget_first,
        DAY,
    ),
    Rule(
        "paces",
        "How fast mail may go to a domain just now",
        "So that all workers keep to one pace",
        lambda _: timedelta(seconds=pace_rows.IDLE_SECONDS),
        _count_paces,
        _purge_paces,
    ),
    Rule(
        "delivery journals",
        "Files on this machine that say how far each window of a mailing has come",
        "So that nobody gets an issue twice after a crash",
        lambda _: timedelta(seconds=journal.OLD_SECONDS),
        _count_journals,
        _purge_journals,
    ),
    Rule(
        renewal.RULE,
        "Which letters about an agreement were sent, and whether they were answered",
        "So that nobody is written to twice for the same reason, and an answer finds its question",
        lambda _: renewal.LIFE,
        renewal.count_expired,
        renewal.purge_expired,
        DAY,
    ),
    Rule(
        "editor sessions",
        "The sign-ins of editors, as a hash of their cookie",
        "So that editors need not sign in for each page",
        lambda _: sessions.LIFE,
        sessions.count_expired,
        sessions.purge_expired,
    ),
    Rule(
        editors.RULE,
        "The names of editors who were removed; their address and password went at once",
        "So that the audit trail says who it was",
        lambda settings: settings.retention_audit * MONTH,
        accounts.count_removed,
        accounts.purge_removed,
        DAY,
    ),
    Rule(
        audit.RULE,
        "The audit trail: which editor, key or command read or changed what, and when",
        "To show who had to do with personal data",
        lambda settings: settings.retention_audit * MONTH,
        audit_retention.count_expired,
        audit_retention.purge_expired,
        DAY,
    ),
    Rule(
        "retention runs",
        "When each rule here ran and how many it purged",
        "To show that what is over goes",
        lambda settings: settings.retention_audit * MONTH,
        runs.count_expired,
        runs.purge_expired,
        DAY,
    ),
)
