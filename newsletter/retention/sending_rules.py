"""The rules about mail: how far it has come, what came back, and how often it was read."""

from datetime import timedelta

from newsletter.bounces import actions as bounces
from newsletter.bounces import came_back, signals
from newsletter.bounces import rules as bounce_rules
from newsletter.bounces.alarms import seen as alarms_seen
from newsletter.bounces.reports import actions as reports
from newsletter.bounces.reports import tables as report_tables
from newsletter.bounces.webhooks import tables as webhook_tables
from newsletter.bounces.webhooks import tokens as webhook_tokens
from newsletter.database import Session
from newsletter.delivery import actions as delivery
from newsletter.delivery import ledger
from newsletter.delivery.lane import journal
from newsletter.delivery.pace import actions as paces
from newsletter.delivery.pace import rows as pace_rows
from newsletter.installation import Installation
from newsletter.renewal import actions as renewal
from newsletter.retention.rule import DAY, Rule


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
        report_tables.SEEN_RULE,
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
)
