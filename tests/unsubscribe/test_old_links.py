"""An old link touches nobody else: after deletion, after rejoining, and after an older copy was restored (RULES C1)."""

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import make_url

from newsletter.installation import Installation
from tests.signup.site import Site, open_site


async def test_after_deletion_it_touches_nobody_who_came_later(site: Site) -> None:
    old = await site.subscribe("kari@example.com")
    await site.http.post(old)
    for number in range(20):
        await site.subscribe(f"reader{number}@example.com")
    before = await site.rows()
    assert (await site.http.post(old)).status_code == 200
    assert await site.rows() == before


async def test_after_rejoining_it_does_not_touch_who_came_back(site: Site) -> None:
    old = await site.subscribe("kari@example.com")
    asked = await site.all_confirmation_paths()
    await site.http.post(old)
    new = await site.subscribe("kari@example.com")
    before = await site.rows()
    assert old != new
    assert (await site.http.post(old)).status_code == 200
    for path in asked:
        assert (await site.http.post(path)).status_code == 410
    assert await site.rows() == before
    await site.http.post(new)
    assert await site.people() == []


async def test_rejoining_one_of_two_is_not_undone_by_the_old_link_either(site: Site) -> None:
    await site.open("monthly")
    await site.subscribe("kari@example.com", "monthly")
    old = await site.subscribe("kari@example.com")
    await site.http.post(old)
    await site.subscribe("kari@example.com")
    await site.ask("kari@example.com")
    before = await site.rows()
    assert (await site.http.post(old)).status_code == 200
    assert await site.rows() == before


async def test_after_a_restore_links_made_since_touch_nobody(sqlite_installation: Installation, tmp_path: Path) -> None:
    """The copy knows nothing of who came after it; whoever comes now must not get their numbers."""
    file = Path(make_url(sqlite_installation.settings.database).database or "")
    async with open_site(sqlite_installation) as site:
        await site.subscribe("alice@example.com")
        in_the_copy = await every_id(site)
        source, copy = sqlite3.connect(file), sqlite3.connect(tmp_path / "copy.sqlite")
        source.backup(copy)
        source.close()
        copy.close()
        since = [await site.subscribe(f"reader{number}@example.com") for number in range(5)]
        since += await site.all_confirmation_paths()
        taken = await every_id(site)
        await site.installation.database.close()
    await sqlite_installation.database.close()
    for left in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        left.unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "copy.sqlite", file)

    async with open_site(sqlite_installation, there_already=True) as site:
        alice = await site.unsubscribe_path("alice@example.com")
        for number in range(20):
            await site.subscribe(f"newcomer{number}@example.com")
        before = await site.rows()
        for path in since:
            assert (await site.http.post(path)).status_code in (200, 410)
        assert await site.rows() == before
        assert len(await site.people()) == 21
        assert (await every_id(site)) & taken == in_the_copy
        assert (await site.http.post(alice)).status_code == 200
        assert len(await site.people()) == 20


async def every_id(site: Site) -> set[str]:
    """Give every id that a link could name."""
    rows = await site.rows()
    return {str(row[0]) for name in ("subscriber", "subscription", "signup_request", "agreement") for row in rows[name]}
