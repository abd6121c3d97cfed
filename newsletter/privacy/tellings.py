"""Who was told that somebody's data was erased, corrected or restricted (GDPR art. 19): companies, days and numbers."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, select

from newsletter.database import Session
from newsletter.errors import InvalidInput
from newsletter.installation import Installation
from newsletter.newsletters.processor_tables import Processor
from newsletter.privacy.tables import Telling, Told
from newsletter.tokens import new_id

SHOWN = 100
MOST = 10_000_000


async def to_be_told(session: Session) -> Sequence[Processor]:
    """Give the processors that keep copies, and so must be told of each erasure, by name."""
    query = select(Processor).where(col(Processor.keeps_copies)).order_by(col(Processor.name))
    return (await session.exec(query)).all()


async def record(
    session: Session,
    installation: Installation,
    processor: Processor,
    about: Told,
    told_on: date,
    count: int,
    editor_id: str,
) -> None:
    """Write down that a recipient was told of `count` erasures, corrections or restrictions. Raises InvalidInput."""
    wrong: dict[str, str] = {}
    if told_on > installation.clock.now().date():
        wrong["told_on"] = "This day is still to come."
    if not 1 <= count <= MOST:
        wrong["count"] = "Please say how many it was about, in digits."
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    session.add(
        Telling(id=new_id(), recipient=processor.name, about=about, told_on=told_on, count=count, editor_id=editor_id)
    )


async def latest(session: Session) -> Sequence[Telling]:
    """Give who was told last, at most a hundred."""
    query = select(Telling).order_by(col(Telling.told_on).desc(), col(Telling.id)).limit(SHOWN)
    return (await session.exec(query)).all()
