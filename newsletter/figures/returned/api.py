"""What came back, for other programs: the figures of the console, without the single reports."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from newsletter.bounces.ways_in import WayIn, ways_in
from newsletter.delivery.api import mailing_of
from newsletter.editors.keys import Scope, require
from newsletter.figures.returned import actions as returned
from newsletter.figures.returned import alarms
from newsletter.figures.returned.actions import OfDomain, Told
from newsletter.figures.returned.alarms import Sounded
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import IssueId
from newsletter.web.operations import Operation


class VerdictOutput(msgspec.Struct):
    """How many came back with a verdict: `at_once` were refused, `later` were reported after they had been accepted.

    `codes` are the most frequent enhanced status codes.
    """

    verdict: str
    at_once: int
    later: int
    codes: list[str]


class DomainOutput(msgspec.Struct):
    """How many came back from a domain, by kind; `domain` is null for the rest together.

    At most 25 are named, and none with which fewer than five people subscribed then.
    """

    domain: str | None
    count: int
    kinds: dict[str, int]


class IssueReturnedOutput(msgspec.Struct):
    """What came back of a mailing. `bounced` of the `delivered` did not arrive."""

    delivered: int
    bounced: int
    verdicts: list[VerdictOutput]
    domains: list[DomainOutput]


class DayOutput(msgspec.Struct):
    """What came back on a day of UTC, by kind."""

    day: date
    kinds: dict[str, int]


class CameInOutput(msgspec.Struct):
    """How much came in by a way, and what was done with it: `forged`, `foreign` and `expired` lead nowhere, `unproven`
    is what no service seems to have sent.
    """

    way: str
    taken: str
    count: int


class AlarmOutput(msgspec.Struct):
    """How many were refused in the last seven days through a fault of ours, and which; `fresh` are those that nobody
    has seen, as whoever has says with `up_to`.
    """

    code: str
    reason: str
    count: int
    fresh: int
    up_to: str
    seen_at: datetime | None


class WayInOutput(msgspec.Struct):
    """A way in that is in use: where it is, what keeps anything from coming in there just now, and since when.

    `believed` is the hour in which something came last that was for us, `doubted` that was not, or proved nothing.
    """

    way: str
    place: str | None
    trouble: str | None
    since: datetime | None
    believed: datetime | None
    doubted: datetime | None


class ReturnedOutput(msgspec.Struct):
    """What came back of all mail in the last 30 days."""

    alarms: list[AlarmOutput]
    days: list[DayOutput]
    verdicts: list[VerdictOutput]
    domains: list[DomainOutput]
    came_in: list[CameInOutput]
    ways_in: list[WayInOutput]


@Operation(
    "GET",
    "/issues/{issue_id:str}/returned",
    require(Scope.FIGURES),
    name="getReturnedOfIssue",
    summary="Read what came back of an issue",
    tag="figures",
)
async def get_returned_of_issue(request: WebRequest, issue_id: IssueId) -> IssueReturnedOutput:
    """Give what came back of the mailing of an issue."""
    async with installation_of(request).database.read() as session:
        figures = await returned.of_mailing(session, await mailing_of(session, issue_id))
    return IssueReturnedOutput(
        figures.delivered, figures.bounced, _verdicts(figures.verdicts), _domains(figures.domains)
    )


@Operation(
    "GET",
    "/returned",
    require(Scope.FIGURES),
    name="getReturned",
    summary="Read what came back",
    tag="figures",
)
async def get_returned(request: WebRequest) -> ReturnedOutput:
    """Give what came back of all mail in the last 30 days."""
    installation = installation_of(request)
    now = installation.clock.now()
    async with installation.database.read() as session:
        return ReturnedOutput(
            alarms=[_alarm(each) for each in await alarms.sounded(session, now)],
            days=[DayOutput(each.day.date(), _kinds(each.kinds)) for each in await returned.trend(session, now)],
            verdicts=_verdicts(await returned.verdicts(session, now)),
            domains=_domains(await returned.domains(session, now)),
            came_in=[CameInOutput(each.way, each.taken, each.count) for each in await returned.came_in(session, now)],
            ways_in=[_way_in(each) for each in await ways_in(session, installation)],
        )


def _alarm(each: Sounded) -> AlarmOutput:
    seen_at = each.seen.at if each.seen else None
    return AlarmOutput(each.code, each.reason, each.count, each.fresh, str(each.up_to), seen_at)


def _way_in(each: WayIn) -> WayInOutput:
    return WayInOutput(each.way, each.place or None, each.trouble, each.since, each.believed, each.doubted)


def _verdicts(told: Sequence[Told]) -> list[VerdictOutput]:
    return [VerdictOutput(each.verdict, each.at_once, each.later, list(each.codes)) for each in told]


def _domains(domains: Sequence[OfDomain]) -> list[DomainOutput]:
    return [DomainOutput(each.domain or None, each.count, _kinds(each.kinds)) for each in domains]


def _kinds(kinds: Mapping[returned.Kind, int]) -> dict[str, int]:
    return {kind.value: count for kind, count in kinds.items() if count}


handlers = [get_returned, get_returned_of_issue]
