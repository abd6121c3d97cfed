"""Promise P2 on the real program: whoever left, for whatever cause, is nowhere any more, and no old database brings
them back.

Fifty people with an unmistakable name; a thousand where NEWSLETTER_TEST_KILLS is set.
"""

import asyncio
import os
import shutil
import subprocess
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, make_url, update
from sqlmodel import col, select

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, end_subscription
from newsletter.agreements.traces.tables import Tombstone
from newsletter.installation import Installation, open_installation
from newsletter.mail.tables import Letter
from newsletter.newsletters.actions import by_slug
from newsletter.retention.rewriting import rewrite_changed
from newsletter.retention.rewriting_tables import Rewriting
from newsletter.settings import load
from newsletter.signup import actions as signup
from newsletter.signup.notice_shown import current_notice
from newsletter.signup.rules import read_signup
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.unsubscribe.actions import unsubscribe_token
from newsletter.unsubscribe.mailto import unsubscribe_mailbox
from tests.journeys import remains
from tests.journeys.story import SLUG, Company
from tests.support.peer import SmtpPeer
from tests.support.postgresql import binaries
from tests.support.waiting import eventually

STEM = "Qvzxjkwyft"
STAYING = "reader0@example.com"
PEOPLE = 1000 if os.environ.get("NEWSLETTER_TEST_KILLS") else 50
BOUNCES = "bounces.example.com"


def within(company: Company, act: Callable[[Installation], Awaitable[Any]]) -> Any:
    """Do something with the program's database, beside the program."""

    async def run() -> Any:
        installation = open_installation(load(company.program.environment))
        try:
            return await act(installation)
        finally:
            await installation.database.close()

    return asyncio.run(run())


async def subscribe(installation: Installation) -> None:
    """Let everybody ask, and all but every twelfth confirm, whose request runs out."""
    async with installation.database.write() as session:
        weekly = await by_slug(session, SLUG)
        notice = await current_notice(session, weekly, "nb", installation.clock.now())
        asked = signup.Asked(notice, True, Origin("subject", "form"), 72)
        for number in range(PEOPLE):
            names = {name: f"{STEM} {name} {number}" for name in ("given_name", "family_name", "title", "employer")}
            typed = read_signup({"email": f"{STEM}{number}@example.com", "agreed": True, **names}, "nb")
            request = await signup.ask(session, installation, weekly, typed, asked)
            if number % 12 != 11:
                await signup.confirm(session, installation, signup.confirmation_token(installation.keys, request))


async def subscriptions(installation: Installation) -> list[str]:
    """Give the subscriptions of those with the name."""
    async with installation.database.read() as session:
        query = select(Subscription.id).join(Subscriber, col(Subscriber.id) == Subscription.subscriber_id)
        theirs = query.where(col(Subscriber.canonical).startswith(STEM.lower())).order_by(col(Subscriber.canonical))
        return list((await session.exec(theirs)).all())


async def run_out(installation: Installation) -> None:
    """Let the time of the unconfirmed be over."""
    async with installation.database.write() as session:
        now = installation.clock.now()
        waiting = update(SignupRequest).where(col(SignupRequest.confirmed_at).is_(None))
        await session.execute(waiting.values(expires_at=now - timedelta(seconds=1)))
        await signup.purge_unconfirmed(session, installation.clock)


def end_all(company: Company) -> None:
    """End every subscription: by the page, by one click, by mail, and for every other cause."""
    program, ids = company.program, within(company, subscriptions)
    keys = load(program.environment).keyring()
    to = unsubscribe_mailbox(keys, ids[0], BOUNCES)
    program.command("receive", given=f"From: {STEM}0@example.com\nTo: {to}\nSubject: unsubscribe\n\n")
    for number, subscription in enumerate(ids[1::2]):
        path = f"/unsubscribe/{unsubscribe_token(keys, subscription)}"
        body = {"List-Unsubscribe": "One-Click"} if number % 2 else {}
        assert program.http.post(path, data=body).status_code == 200

    async def by_cause(installation: Installation) -> None:
        for number, subscription in enumerate(ids[2::2]):
            async with installation.database.write() as session:
                cause = list(Cause)[number % len(Cause)]
                await end_subscription(session, installation, subscription, cause, Origin("system", "test"))

    within(company, by_cause)
    within(company, run_out)
    eventually(lambda: within(company, unfiled) == 0, what="the filing of the tombstones")


async def unfiled(installation: Installation) -> int:
    """Give how many tombstones are not in their file."""
    async with installation.database.read() as session:
        query = select(func.count()).select_from(Tombstone).where(col(Tombstone.filed).is_(False))
        return (await session.exec(query)).one()


async def waiting(installation: Installation) -> int:
    """Give how many letters are still to leave: who is asked to confirm has not ended anything."""
    async with installation.database.read() as session:
        return (await session.exec(select(func.count()).select_from(Letter))).one()


def places(company: Company) -> list[str]:
    """Give the files in which the name is: of the program, and those of the server in which its database lies."""
    folders = [company.program.folder]
    url = company.program.environment.get("NEWSLETTER_DATABASE_URL")
    if url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            oid = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
            data = connection.execute("SHOW data_directory").fetchone()
        assert oid
        assert data
        folders.append(Path(data[0]) / "base" / str(oid[0]))
    files = (each for folder in folders for each in remains.contents(folder))
    return [path.name for path, content in files if remains.in_bytes(content, STEM)]


def nothing_is_left(company: Company) -> None:
    """Wait until the name is nowhere; on PostgreSQL do what is done every ten minutes."""
    url = company.program.environment.get("NEWSLETTER_DATABASE_URL")
    if url:
        assert remains.in_rows(url, [STEM]) == []

    def gone() -> bool:
        if url:
            within(company, rewrite)
        return places(company) == []

    eventually(gone, what="the last byte's going")


async def rewrite(installation: Installation) -> None:
    """Turn time on until no table rests any more, however long it took, and write anew what has changed."""
    async with installation.database.write() as session:
        await session.execute(update(Rewriting).values(seconds=0.0))
    await rewrite_changed(installation)


def take_copy(company: Company, folder: Path) -> Path:
    """Make a backup with the command; give the plain database in it."""
    company.program.command("backup", str(folder / "one.newsletter"))
    with zipfile.ZipFile(folder / "one.newsletter") as archive:
        return Path(archive.extract("database", folder))


def put_back(company: Company, copy: Path) -> None:
    """Put the old database back as people do, without asking the program."""
    url = company.program.environment.get("NEWSLETTER_DATABASE_URL")
    if url is None:
        target = company.program.data_dir / "newsletter.sqlite"
        for end in ("-wal", "-shm"):
            target.with_name(target.name + end).unlink(missing_ok=True)
        shutil.copyfile(copy, target)
        return
    read = make_url(url)
    where = ["-h", str(read.host), "-p", str(read.port), "-U", str(read.username), "-d", str(read.database)]
    subprocess.run(["pg_restore", "--clean", "--if-exists", *where, str(copy)], check=True)


def test_whoever_left_is_nowhere_and_stays_away(
    company: Company, peer: SmtpPeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = company.program
    if folder := binaries():
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        program.environment["PATH"] = f"{folder}{os.pathsep}{program.environment['PATH']}"
    program.environment["NEWSLETTER_BOUNCE_DOMAIN"] = BOUNCES
    assert company.readers(1) == [STAYING]
    within(company, subscribe)
    company.finished(company.write_and_send())
    eventually(lambda: within(company, waiting) == 0, timeout=300, what="the last letter's leaving")
    eventually(lambda: places(company) != [], what="the name in the files while they are there")
    copy = take_copy(company, tmp_path)

    end_all(company)
    assert within(company, subscriptions) == []
    nothing_is_left(company)

    program.stop()
    put_back(company, copy)
    assert len(within(company, subscriptions)) > PEOPLE // 2
    before = len(peer.mails)
    program.start()
    assert within(company, subscriptions) == []
    company.finished(company.write_and_send("After the fire"))
    assert {mail.recipients for mail in peer.mails[before:]} == {(STAYING,)}
    within(company, run_out)
    nothing_is_left(company)
    assert STEM.lower() not in program.log.lower()
