"""A commit whose answer is lost on the way has come through all the same: nobody gets it twice, nobody is in doubt."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.database import Database, Session
from newsletter.delivery import ledger
from newsletter.delivery.tables import MailingState
from newsletter.installation import Installation
from tests.delivery.cast import finish, mailing_to, people, send, standing, wait_for_leases, wait_for_retries
from tests.support.peer import SmtpPeer


class LossyDatabase:
    """Loses the answer to one commit: the one, counted from 0, of those that appended results."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.lost = False
        self._left = number
        self._appended = False
        self._append, self._write, self._write_at_once = ledger.append, Database.write, Database.write_at_once
        lossy = self

        async def append(session: Session, mailing_id: str, recorded: list[ledger.Recorded]) -> None:
            await lossy._append(session, mailing_id, recorded)
            lossy._appended = bool(recorded)

        @asynccontextmanager
        async def write(database: Database, *, quietly: bool = False) -> AsyncIterator[Session]:
            async with lossy._write(database, quietly=quietly) as session:
                yield session
            lossy._lose()

        async def write_at_once(
            database: Database, work: Callable[[Session], Awaitable[Any]], *, quietly: bool = False
        ) -> Any:
            answer = await lossy._write_at_once(database, work, quietly=quietly)
            lossy._lose()
            return answer

        patch.setattr(ledger, "append", append)
        patch.setattr(Database, "write", write)
        patch.setattr(Database, "write_at_once", write_at_once)

    def _lose(self) -> None:
        appended, self._appended = self._appended, False
        self._left -= appended
        if appended and self._left < 0 and not self.lost:
            self.lost = True
            raise OperationalError("COMMIT", {}, Exception("the connection was lost"))


@pytest.mark.parametrize(
    ("readers", "window", "lost"),
    [(20, 5, 0), (20, 5, 1), (20, 5, 3), (5, 5, 0), (510, 50, 9)],
    ids=["first window", "second window", "last window", "only window", "last window of a block"],
)
async def test_nobody_gets_it_twice_and_nobody_is_in_doubt(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch, readers: int, window: int, lost: int
) -> None:
    everybody = people(readers)
    mailing = await mailing_to(installation, everybody)
    with monkeypatch.context() as patch:
        lossy = LossyDatabase(patch, lost)
        await send(installation, peer, mailing, window)
        assert lossy.lost
    for _ in range(2):
        # What had been marked in that commit comes back with its lease.
        await wait_for_leases(installation)
        await wait_for_retries(installation)
        await send(installation, peer, mailing, window)
    await finish(installation)
    assert peer.counted() == Counter(everybody)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.in_doubt) == (MailingState.FINISHED, readers, 0)
