"""A password that is changed while somebody signs in with the old one lets nobody in, and no session outlives it."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from newsletter.database import Session
from newsletter.editors import accounts, sessions
from newsletter.editors.passwords import hashing
from newsletter.editors.tables import Editor, EditorSession
from newsletter.installation import Installation
from tests.editors.desk import EMAIL, Desk
from tests.editors.passwords.test_the_line import held_up

Change = Callable[[Session, Installation], Awaitable[object]]


async def reset(session: Session, _: Installation) -> None:
    olga = await accounts.by_address(session, EMAIL)
    assert olga
    olga.password_hash = "another hash"
    session.add(olga)
    await session.flush()
    await sessions.end_all(session, olga.id)


async def remove(session: Session, installation: Installation) -> None:
    await accounts.remove(session, installation.clock, EMAIL)


@pytest.mark.parametrize("change", [reset, remove])
async def test_who_signs_in_with_what_was_right_a_moment_ago_is_not_let_in(any_desk: Desk, change: Change) -> None:
    installation = any_desk.site.installation
    with held_up(hashing._line()):
        asked = [asyncio.create_task(any_desk.elsewhere(f"203.0.113.{n}").sign_in()) for n in range(4)]
        while hashing._line()._waiting < len(asked):
            await asyncio.wait(asked, timeout=0.02)
        async with installation.database.write() as session:
            await change(session, installation)
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {422}
    assert await any_desk.site.all(EditorSession) == []


async def test_a_session_of_somebody_who_was_removed_opens_nothing(desk: Desk) -> None:
    """Whatever row is there: the editor is looked at, too."""
    await desk.sign_in()
    async with desk.site.installation.database.write() as session:
        (olga,) = await desk.site.all(Editor)
        olga.removed_at = desk.site.installation.clock.now()
        await session.merge(olga)
    assert (await desk.http.get("/console/newsletters")).status_code == httpx.codes.SEE_OTHER
