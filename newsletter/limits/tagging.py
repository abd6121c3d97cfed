"""The keyed tags of the limits: of networks, addresses and domains (RULES C5).

Their epochs last a month, longer than any of them lives. What was counted in an epoch before this one is looked up as
well, and so is what was counted under the root secret before this one: no limit begins anew with either.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import col

from newsletter.agreements.traces.tables import TagEpoch
from newsletter.agreements.traces.tags import keys_of
from newsletter.database import Session, insert, table_of
from newsletter.installation import Installation
from newsletter.tokens import keyed, new_salt

_PURPOSE = "limits"
_LENGTH = timedelta(days=30)
# The last tags of an epoch live for a week, and whoever made one has committed a day later.
_GRACE = timedelta(days=8)
# Of the table, and made once: every signup asks.
_EPOCHS = table_of(TagEpoch).c
_QUERY = select(_EPOCHS.ends_at, _EPOCHS.salt).where(_EPOCHS.purpose == _PURPOSE).order_by(_EPOCHS.ends_at.desc())


class Tags:
    """Gives tags. Get one with `living`, or with `current` where something is to be written."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def of(self, kind: str, what: str) -> list[str]:
        """Give every tag that something may have, the one to write first; none before the first epoch."""
        data = f"{kind} {what}".encode()
        return [keyed(key, data).hex() for key in self._keys]


async def living(session: Session, installation: Installation) -> Tags:
    """Give the tags of every epoch that still has its salt, the newest first."""
    return _tags(installation, await _epochs(session))


async def current(session: Session, installation: Installation) -> Tags:
    """Give the same, with a new epoch where the last one has ended."""
    now, epochs = installation.clock.now(), await _epochs(session)
    if not epochs or epochs[0][0] <= now:
        await _begin(session, now)
        epochs = await _epochs(session)
    return _tags(installation, epochs)


async def _begin(session: Session, now: datetime) -> None:
    number = int(now.timestamp() // _LENGTH.total_seconds())
    ends = datetime.fromtimestamp((number + 1) * _LENGTH.total_seconds(), UTC)
    # Named by its number, so that it is one, however many begin it at the same moment.
    row = {"id": f"{_PURPOSE}-{number}", "purpose": _PURPOSE, "salt": new_salt().hex(), "ends_at": ends}
    await session.execute(insert(session, TagEpoch).values(row).on_conflict_do_nothing())


async def _epochs(session: Session) -> Sequence[tuple[datetime, str]]:
    return [(ends_at, salt) for ends_at, salt in (await session.execute(_QUERY)).all()]


def _tags(installation: Installation, epochs: Sequence[tuple[datetime, str]]) -> Tags:
    return Tags([key for _, salt in epochs for key in keys_of(installation.keys, _PURPOSE, salt)])


async def forget_epochs(session: Session, installation: Installation) -> None:
    """Destroy the salts that no living tag was made with."""
    over = installation.clock.now() - _GRACE
    await session.execute(delete(TagEpoch).where(col(TagEpoch.purpose) == _PURPOSE, col(TagEpoch.ends_at) <= over))
