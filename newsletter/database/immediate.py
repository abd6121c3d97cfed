"""A session whose answers are there at once: for SQLite, where a whole transaction is one errand for a thread.

An asynchronous driver for SQLite does every statement in a thread, and each of them changes threads several times,
which on a busy loop costs more than the statement does. So a transaction that many mails wait for is carried out by
its own coroutine, unchanged, but over a plain session: nothing in it ever waits, so the coroutine runs from its
beginning to its end without the loop.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session as PlainSession
from sqlmodel.ext.asyncio.session import AsyncSession

T = TypeVar("T")


class _ImmediateConnection:
    """What of an asynchronous connection is used, over a plain one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        return self._connection.execute(*arguments, **options)

    async def exec_driver_sql(self, *arguments: Any, **options: Any) -> Any:
        return self._connection.exec_driver_sql(*arguments, **options)


class _ImmediateSession:
    """What of an asynchronous session is used, over a plain one."""

    def __init__(self, session: PlainSession) -> None:
        self._session = session
        self.get_bind = session.get_bind
        self.add = session.add
        self.add_all = session.add_all

    async def connection(self) -> _ImmediateConnection:
        return _ImmediateConnection(self._session.connection())

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        return self._session.execute(*arguments, **options)

    async def exec(self, *arguments: Any, **options: Any) -> Any:
        from sqlmodel.sql.expression import SelectOfScalar

        results = self._session.execute(*arguments, **options)
        return results.scalars() if isinstance(arguments[0], SelectOfScalar) else results

    async def get(self, *arguments: Any, **options: Any) -> Any:
        return self._session.get(*arguments, **options)

    async def get_one(self, *arguments: Any, **options: Any) -> Any:
        return self._session.get_one(*arguments, **options)

    async def flush(self) -> None:
        self._session.flush()

    async def refresh(self, *arguments: Any, **options: Any) -> None:
        self._session.refresh(*arguments, **options)

    async def delete(self, instance: object) -> None:
        self._session.delete(instance)


def carry_out(engine: Engine, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Do `work` in one transaction, here and now; call it in a thread.

    Raises RuntimeError for work that waits for anything but the session.
    """
    with PlainSession(engine, expire_on_commit=False) as session, session.begin():
        coroutine = cast(Coroutine[Any, Any, T], work(cast(AsyncSession, _ImmediateSession(session))))
        try:
            coroutine.send(None)
        except StopIteration as end:
            return cast(T, end.value)
        coroutine.close()
        raise RuntimeError("This work waits for something else than the database.")
