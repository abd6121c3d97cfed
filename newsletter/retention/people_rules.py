"""The rules about people: what they asked for, what is left of them, and what came in about them from elsewhere."""

from datetime import timedelta

from newsletter.agreements.traces import receipts, suppression, tombstones
from newsletter.agreements.traces.tables import RECEIPTS, SUPPRESSIONS, TOMBSTONES
from newsletter.database import Session
from newsletter.imports import actions as imports
from newsletter.imports.tables import RULE as IMPORTS
from newsletter.installation import Installation
from newsletter.limits import actions as limits
from newsletter.limits.tables import RULE as LIMITS
from newsletter.retention.rule import DAY, Rule
from newsletter.rights.desk import actions as desk
from newsletter.rights.desk.tables import RULE as RIGHTS_REQUESTS
from newsletter.rights.my import address_change, links
from newsletter.rights.my.tables import RULE as MY_PAGE
from newsletter.signup import actions as signup
from newsletter.signup.tables import RULE as UNCONFIRMED


async def _count_unconfirmed(session: Session, installation: Installation) -> int:
    return await signup.count_unconfirmed(session, installation.clock)


async def _purge_unconfirmed(session: Session, installation: Installation) -> int:
    return await signup.purge_unconfirmed(session, installation.clock)


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
        LIMITS,
        "Keyed tags of networks, addresses and domains, with how much was asked for; and plain numbers, for a week",
        "So that nobody floods a mailbox with our letters, or signs up others in masses",
        lambda _: limits.KEPT,
        limits.count_expired,
        limits.purge_expired,
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
)
