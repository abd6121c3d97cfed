"""The limits of signing in, in the database: every process keeps to the same, and none is forgotten by a restart."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import col, select

from newsletter.database import Session, insert, rows_of
from newsletter.editors.signing_in.rules import Allowance, longest
from newsletter.editors.tables import SignInLimit
from newsletter.errors import NewsletterError
from newsletter.installation import Installation
from newsletter.tokens import Keyring

# The longest that anything here is remembered after it was tried last.
LIFE = timedelta(hours=2)


class TooManyTries(NewsletterError):
    """More was tried than is let. The sentence is the same for whoever has an account and whoever has none."""

    status = 429
    title = "Please wait a little"

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too much has been tried here. Please wait some minutes, and try again then.")
        self.wait = wait


def tag(keys: Keyring, kind: str, *whose: str) -> str:
    """Give the keyed hash under which a limit is kept."""
    return keys.tag("sign-in limit", "\0".join((kind, *whose)).encode()).hex()


async def take(session: Session, installation: Installation, wanted: Mapping[str, Allowance]) -> timedelta | None:
    """Take one try of each of these, or none of any: give how long to wait then, and None where they were taken.

    Each is locked until the end of the transaction, in the order of the tags, so that of many at once no more are let
    than of one after another.
    """
    now = installation.clock.now()
    held = {name: await _locked(session, name, now) for name in sorted(wanted)}
    wait = longest([wanted[name].wait(clear_at, now) for name, clear_at in held.items()])
    if wait:
        return wait
    for name, clear_at in held.items():
        await _set(session, name, wanted[name].after_one_more(clear_at, now))
    return None


async def give_back(session: Session, installation: Installation, taken: Mapping[str, Allowance]) -> None:
    """Give back what was taken by a try that was right."""
    now = installation.clock.now()
    for name in sorted(taken):
        await _set(session, name, await _locked(session, name, now) - taken[name].every)


async def forget(session: Session, *tags: str) -> None:
    """Let these begin anew."""
    await session.execute(delete(SignInLimit).where(col(SignInLimit.tag).in_(tags)))


async def _locked(session: Session, name: str, now: datetime) -> datetime:
    made: Any = insert(session, SignInLimit).values(tag=name, clear_at=now)
    locked = made.on_conflict_do_update(index_elements=["tag"], set_={"tag": name}).returning(SignInLimit.clear_at)
    clear_at = (await session.execute(locked)).scalar_one()
    assert isinstance(clear_at, datetime)
    return clear_at


async def _set(session: Session, name: str, clear_at: datetime) -> None:
    await session.execute(update(SignInLimit).where(col(SignInLimit.tag) == name).values(clear_at=clear_at))


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many limits are as if nothing had been tried."""
    over = col(SignInLimit.clear_at) <= installation.clock.now()
    return (await session.exec(select(func.count()).select_from(SignInLimit).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete those; give how many."""
    return rows_of(
        await session.execute(delete(SignInLimit).where(col(SignInLimit.clear_at) <= installation.clock.now()))
    )
