"""A backup brings everything back but those who left since, or changes nothing at all (RULES C2, promise P2)."""

import asyncio
import os
import zipfile
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.agreements.ending import Cause
from newsletter.agreements.traces import tombstones
from newsletter.backup import actions
from newsletter.backup.actions import Migrations, Restored
from newsletter.backup.presence import alone, present
from newsletter.clock import TurnedClock
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.errors import Conflict, InvalidInput, MisconfiguredError, NewsletterError
from newsletter.installation import Installation
from newsletter.issues.tables import Issue
from newsletter.newsletters.actions import by_slug
from newsletter.schema import upgrading
from newsletter.settings import Settings
from newsletter.subscribers.tables import Subscriber
from newsletter.tokens import new_id
from tests.agreements.leaving import People
from tests.conftest import KEYS
from tests.support.postgresql import binaries

MIGRATIONS = Migrations(upgrading.upgrade, upgrading.revisions)
KARI, OLA, EVA = (f"{name}@example.com" for name in ("kari", "ola", "eva"))


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch, database_kind: str) -> None:
    """Let pg_dump be that of the server."""
    if database_kind == "postgresql" and (folder := binaries()):
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
async def people(installation: Installation) -> People:
    """Give three people, with an installation that knows its secret from the settings as a command does."""
    settings = installation.settings.model_copy(update={"secret_key": KEYS.root.decode()})
    cast = People(replace(installation, settings=settings))
    await cast.open("weekly", "monthly")
    for email in (KARI, OLA, EVA):
        await cast.agree(email)
    await cast.agree(KARI, "monthly")
    await tombstones.file_of(cast.installation).begin()
    return cast


async def back_up(people: People, file: Path) -> None:
    """Make a backup."""
    told: list[int] = []
    installation = people.installation

    def run() -> None:
        actions.back_up(installation.settings, installation.clock, file, lambda done, _: told.append(done))

    await asyncio.to_thread(run)
    assert told[-1] > 0


async def restore(people: People, file: Path, settings: Settings | None = None) -> Restored:
    """Restore it, with nobody connected."""
    await people.installation.database.close()
    used = settings or people.installation.settings
    clock = people.installation.clock
    return await asyncio.to_thread(actions.restore, used, clock, file, MIGRATIONS, lambda _done, _of: None)


async def add_mailing(people: People, state: MailingState) -> None:
    """Let a mailing stand in a state."""
    async with people.installation.database.write() as session:
        now = people.installation.clock.now()
        weekly = (await by_slug(session, "weekly")).id
        issue = Issue(
            id=new_id(), newsletter_id=weekly, number=1, subject="Hi", body="x", created_at=now, updated_at=now
        )
        session.add(issue)
        await session.flush()
        session.add(
            Mailing(id=new_id(), newsletter_id=weekly, issue_id=issue.id, state=state, created_at=now, starts_at=now)
        )


async def test_who_left_since_the_backup_stays_away_and_nothing_is_sent(
    people: People, tmp_path: Path, clock: TurnedClock
) -> None:
    await add_mailing(people, MailingState.SENDING)
    file = tmp_path / "one.newsletter"
    await back_up(people, file)
    clock.turn(clock.now() + timedelta(days=3))
    await people.end(KARI)
    await people.erase(OLA, Cause.COMPLAINED)
    await people.agree("new@example.com")
    await tombstones.file_new(people.installation)

    restored = await restore(people, file)

    assert (restored.replayed.persons, restored.replayed.subscriptions, restored.paused) == (1, 1, 1)
    assert await people.there() == {EVA: ["weekly"], KARI: ["monthly"]}
    (mailing,) = await people.rows(Mailing)
    assert mailing.state == MailingState.PAUSED
    assert "restored" in (mailing.trouble or "")
    data = people.installation.settings.data_dir
    assert not list(data.rglob("*restoring*"))
    assert not any(OLA.encode() in path.read_bytes() for path in data.rglob("*") if path.is_file())


async def test_what_can_not_be_restored_changes_nothing(people: People, tmp_path: Path, clock: TurnedClock) -> None:
    file = tmp_path / "one.newsletter"
    await back_up(people, file)
    await people.agree("new@example.com")
    settings = people.installation.settings
    other_secret = settings.model_copy(update={"secret_key": "another root secret, of another company"})
    lost = settings.model_copy(update={"tombstone_file": tmp_path / "nowhere.jsonl"})
    broken, half, text = tmp_path / "broken", tmp_path / "half", tmp_path / "text"
    spoil(file, broken)
    half.write_bytes(file.read_bytes()[:5000])
    text.write_text("no backup")
    refused: list[tuple[Path, Settings, type[NewsletterError], str]] = [
        (file, other_secret, Conflict, "root secret"),
        (file, lost, Conflict, "tombstones"),
        (broken, settings, NewsletterError, "damaged|put back"),
        (half, settings, InvalidInput, "whole backup"),
        (text, settings, InvalidInput, "whole backup"),
        (tmp_path / "none", settings, InvalidInput, "can't be read"),
    ]
    for which, used, kind, said in refused:
        with pytest.raises(kind, match=said):
            await restore(people, which, used)
    with present(settings), pytest.raises(Conflict, match="running"):
        await restore(people, file)
    clock.turn(clock.now() + timedelta(days=36))
    with pytest.raises(Conflict, match="35 days"):
        await restore(people, file)
    assert "new@example.com" in await people.there()


def spoil(whole: Path, broken: Path) -> None:
    """Write a backup whose manifest is right and whose database is not one."""
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(broken, "w") as written:
        written.writestr("manifest.json", read.read("manifest.json"))
        written.writestr("database", read.read("database")[:20_000] + b"x" * 1000)


async def test_while_it_is_restored_nothing_starts(people: People) -> None:
    with (
        alone(people.installation.settings),
        pytest.raises(MisconfiguredError, match="restored"),
        present(people.installation.settings),
    ):
        pass


async def test_a_backup_is_its_owners_and_is_never_written_over(people: People, tmp_path: Path) -> None:
    file = tmp_path / "one.newsletter"
    await back_up(people, file)
    assert file.stat().st_mode & 0o077 == 0
    assert KEYS.root not in file.read_bytes()
    with pytest.raises(Conflict, match="there already"):
        await back_up(people, file)
    with pytest.raises(InvalidInput, match="no folder"):
        await back_up(people, tmp_path / "nowhere" / "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "one.newsletter"]


async def test_of_one_kind_of_database_to_the_other_it_is_refused(
    people: People, tmp_path: Path, database_kind: str
) -> None:
    file = tmp_path / "one.newsletter"
    await back_up(people, file)
    url = "postgresql://nobody@127.0.0.1:1/none" if database_kind == "sqlite" else f"sqlite:///{tmp_path / 'x.sqlite'}"
    with pytest.raises(Conflict, match="is a backup of"):
        await restore(people, file, people.installation.settings.model_copy(update={"database_url": url}))


async def test_people_write_while_a_backup_is_made(people: People, tmp_path: Path) -> None:
    """It holds one moment: whoever is in it is in it wholly."""
    going: list[Awaitable[None]] = [people.agree(f"reader{number}@example.com") for number in range(20)]
    await asyncio.gather(back_up(people, tmp_path / "one.newsletter"), *going)
    await restore(people, tmp_path / "one.newsletter")
    there = await people.there()
    assert {KARI, OLA, EVA} <= set(there)
    assert len(await people.rows(Subscriber)) == len(there)
    assert all(slugs for slugs in there.values())
