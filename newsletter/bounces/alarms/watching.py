"""Watching our own sending: what a relay's refusals say of addresses, and of us (RULES F2, F3).

Runs in the transaction that records the results, so that no signal is lost and none comes twice.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from newsletter.bounces import came_back, signals
from newsletter.bounces.alarms import actions as alarms
from newsletter.bounces.came_back import Back
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.rules import verdict_of
from newsletter.bounces.signals import Counts, Dead, Tallies
from newsletter.database import Session
from newsletter.delivery.lane.sending import Reported
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.mail.wire.smtp import Outcome, OutcomeKind
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import DeadSignal, Subscriber, Subscription

_ACCEPTED, _DEAD = Counts(accepted=1), Counts(dead=1)


async def watch(installation: Installation, session: Session, reported: Sequence[Reported]) -> None:
    """Take note of what a window of a mailing brought: tally it, stop sending to the dead, and mind the alarms."""
    tallies = Tallies(installation.keys)
    signs: list[tuple[Reported, Verdict]] = []
    for report in reported:
        if report.outcome.kind is OutcomeKind.DELIVERED:
            tallies.add(report.email, report.mailing_id, _ACCEPTED)
        elif (verdict := verdict_of(report.outcome)) is not None:
            signs.append((report, verdict))
    # In one order everywhere, so that two mailings with the same dead can't each wait for the other.
    for report, verdict in sorted(signs, key=lambda sign: sign[0].subscriber_id):
        if await _is_dead(installation, session, report, verdict):
            dead = Dead(report.mailing_id, report.subscriber_id, report.email, report.outcome.enhanced or "")
            await signals.raise_signal(session, installation, dead)
            tallies.add(report.email, report.mailing_id, _DEAD)
    # Before the alarms and the tallies, as with reports: whoever locks these rows does so in this order.
    backs = [Back(report.mailing_id, report.email, verdict, report.outcome.enhanced) for report, verdict in signs]
    await came_back.count(session, installation, backs, at_once=True)
    await _note_alarms(session, reported, signs)
    await tallies.write(session, installation.clock.now())


async def _is_dead(installation: Installation, session: Session, report: Reported, verdict: Verdict) -> bool:
    if verdict is Verdict.DEAD_IF_REPEATED:
        code = report.outcome.enhanced or ""
        return await signals.is_second(session, installation, report.subscriber_id, code)
    return verdict is Verdict.DEAD


async def _note_alarms(
    session: Session, reported: Sequence[Reported], signs: Sequence[tuple[Reported, Verdict]]
) -> None:
    alarming = [report for report, verdict in signs if verdict is Verdict.ALARM]
    for mailing_id, count in sorted(Counter(each.mailing_id for each in alarming if each.mailing_id).items()):
        code = next(each.outcome.enhanced or "" for each in alarming if each.mailing_id == mailing_id)
        results = sum(each.mailing_id == mailing_id for each in reported)
        await alarms.note(session, mailing_id, code, count, results)


async def watch_letter(installation: Installation, session: Session, letter: Letter, outcome: Outcome) -> None:
    """Take note of a refused letter: forget the request that its address can't confirm, stop sending to the dead."""
    verdict = verdict_of(outcome)
    if verdict not in (Verdict.DEAD, Verdict.DEAD_IF_REPEATED):
        return
    if letter.subscription_id is None and letter.request_id is not None and verdict is not Verdict.DEAD:
        return
    subscriber = await of_letter(session, letter.subscription_id, letter.request_id)
    if subscriber is not None and await session.get(DeadSignal, subscriber.id) is None:
        await watch(installation, session, [Reported(None, subscriber.id, subscriber.email, outcome)])


async def of_letter(session: Session, subscription_id: str | None, request_id: str | None) -> Subscriber | None:
    """Give the subscriber whom a letter that came back as dead was to; the request that it asked about is forgotten.

    Whoever is subscribed already and is told so counts too, but only at the very spelling they gave: what a stranger
    typed says nothing about them.
    """
    theirs: ColumnElement[bool]
    if subscription_id is not None:
        theirs = col(Subscriber.id).in_(select(Subscription.subscriber_id).where(Subscription.id == subscription_id))
    elif request_id is not None:
        request = await session.get(SignupRequest, request_id, with_for_update=True)
        if request is None or request.confirmed_at is not None:
            return None
        theirs = col(Subscriber.email) == request.email
        await session.delete(request)
    else:
        return None
    return (await session.exec(select(Subscriber).where(theirs))).first()
