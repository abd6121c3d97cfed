"""Alarms: refusals that are our own fault, as where SPF, DKIM and DMARC don't pass (RULES F2).

Where more than 1 % in a window of 500 results are such, the mailing pauses itself and says why. How many results there
were is read from the blocks, and only when an alarm comes; so a mailing without any pays nothing.
"""

from sqlalchemy import exists, func, update
from sqlmodel import col, select

from newsletter.bounces.reading.judging import alarm_reason
from newsletter.bounces.reports.tables import Alarm
from newsletter.bounces.rules import too_many_alarms
from newsletter.database import Session, insert
from newsletter.delivery.rules import move
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.installation import Installation
from newsletter.logs import get_logger
from newsletter.loops import AT_ONCE, Due

_log = get_logger(__name__)
_RESULTS = ("delivered", "refused", "deferred", "in_doubt")


async def note(session: Session, mailing_id: str, code: str, count: int, unwritten: int = 0) -> None:
    """Note alarms of a mailing; `unwritten` of its results are not in the ledger yet."""
    sums = [func.coalesce(func.sum(col(getattr(Block, name))), 0) for name in _RESULTS]
    results = sum((await session.exec(select(*sums).where(Block.mailing_id == mailing_id))).one())
    values = {"mailing_id": mailing_id, "after": int(results) + unwritten, "code": code, "count": count}
    statement = insert(session, Alarm).values(weighed=False, **values)
    # Those that came while an editor was told are weighed anew.
    changes = {"count": Alarm.count + statement.excluded.count, "weighed": False, "code": statement.excluded.code}
    await session.execute(statement.on_conflict_do_update(index_elements=["mailing_id", "after"], set_=changes))


def when_due() -> tuple[Due, ...]:
    """Say whether alarms of a mailing that is being sent are to be weighed."""
    unweighed = exists().where(col(Alarm.mailing_id) == col(Mailing.id), col(Alarm.weighed).is_(False))
    return (select(AT_ONCE).select_from(Mailing).where(Mailing.state == MailingState.SENDING, unweighed).limit(1),)


async def pause_alarmed(installation: Installation) -> None:
    """Pause the mailings that have too many alarms; each in a transaction of its own."""
    async with installation.database.read() as session:
        waiting = (
            select(Alarm.mailing_id)
            .join(Mailing, col(Mailing.id) == col(Alarm.mailing_id))
            .where(col(Alarm.weighed).is_(False), Mailing.state == MailingState.SENDING)
        )
        mailings = (await session.exec(waiting.distinct())).all()
    for mailing_id in mailings:
        async with installation.database.write() as session:
            await _weigh(session, mailing_id)


async def _weigh(session: Session, mailing_id: str) -> None:
    mailing = await session.get(Mailing, mailing_id, with_for_update=True)
    if mailing is None or mailing.state != MailingState.SENDING:
        return
    query = select(Alarm).where(Alarm.mailing_id == mailing_id, col(Alarm.weighed).is_(False))
    alarms = (await session.exec(query.order_by(col(Alarm.after)))).all()
    if not too_many_alarms([(alarm.after, alarm.count) for alarm in alarms]):
        return
    code, count = alarms[-1].code, sum(alarm.count for alarm in alarms)
    mailing.state, mailing.trouble = move(mailing.state, "pause"), sentence(code, count)
    _log.error("mailing_paused_by_alarms", mailing=mailing_id, code=code, alarms=count)
    # Whoever resumes it has read this: from then on it is counted anew.
    await session.execute(update(Alarm).where(col(Alarm.mailing_id) == mailing_id).values(weighed=True))


def sentence(code: str, count: int) -> str:
    """Give what an editor is told of a mailing that paused itself."""
    return (
        f"Too many mails, {count} of late, were refused through a fault of ours (code {code}). "
        f"{alarm_reason(code)} Please have it mended before you go on sending."
    )
