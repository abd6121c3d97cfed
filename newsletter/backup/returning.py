"""A database that came back from the past catches up before anything is sent (RULES C2).

However it came back, it lacks tombstones that are in their file. They are replayed; and every mailing that had not
ended is paused, for who has got it meanwhile is not in this database. An editor looks, and resumes it or lets it be.
"""

from sqlmodel import col, select

from newsletter.agreements.proof import chaining
from newsletter.agreements.replaying import Replayed, lacking, replay_if_behind
from newsletter.agreements.traces.tombstones import Lookout, file_new, file_of
from newsletter.database import Session
from newsletter.delivery.rules import move
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from newsletter.logs import get_logger

_log = get_logger(__name__)
_OPEN = (MailingState.SCHEDULED, MailingState.SENDING)
_CAUTION = (
    "The database was restored from an older one, which does not know who got this issue since. "
    "Please find out before you resume it."
)


class Returning:
    """Sees to it for one process: call `begin` before anything is sent, and `catch_up` before each bout of work."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._lookout = Lookout(installation)

    async def begin(self) -> None:
        """Compare the database with the whole file, and carry out what it lacks."""
        await file_of(self._installation).begin()
        await self._replay()

    async def catch_up(self) -> None:
        """Look at what was written to the file last, and carry out what the database lacks."""
        async with self._installation.database.read() as session:
            behind = await self._lookout.is_behind(session)
        if behind:
            await self._replay()

    async def keep(self) -> None:
        """Catch up, then append to the file what is not in it yet."""
        await self.catch_up()
        await file_new(self._installation)

    async def _replay(self) -> None:
        installation = self._installation
        entries = await file_of(installation).entries(installation.clock.now())
        async with installation.database.read() as session:
            if not await lacking(session, entries):
                return
        # First, so that nobody who is killed in between leaves it out; noted twice it does no harm.
        async with installation.database.write() as session:
            await chaining.note_restore(session, installation)

        async def replay(session: Session) -> Replayed | None:
            replayed = await replay_if_behind(session, installation, entries)
            if replayed is not None:
                await pause_open(session)
            return replayed

        replayed = await installation.database.write_at_once(replay)
        if replayed is not None:
            _log.warning(
                "database_is_an_older_one",
                entries=replayed.entries,
                persons=replayed.persons,
                subscriptions=replayed.subscriptions,
                choices=replayed.choices,
            )


async def pause_open(session: Session) -> int:
    """Pause every mailing that has not ended; give how many."""
    query = select(Mailing).where(col(Mailing.state).in_(_OPEN)).order_by(col(Mailing.id)).with_for_update()
    mailings = (await session.exec(query)).all()
    for mailing in mailings:
        mailing.state, mailing.trouble = move(mailing.state, "pause"), _CAUTION
    return len(mailings)
