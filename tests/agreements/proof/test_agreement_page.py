"""An editor shows and takes along one agreement, and `agreements verify` says on the command line what it found."""

import asyncio
import json
import os
import subprocess
import sys

import httpx
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND
from sqlmodel import select

from newsletter.editors import accounts
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation
from tests.agreements.proof.evidence import gathered
from tests.editors.desk import EMAIL, PASSWORD, Desk
from tests.signup.site import open_site


async def test_an_agreement_is_shown_for_paper_and_taken_along(sqlite_installation: Installation) -> None:
    evidence = await gathered(sqlite_installation, people=1)
    event = (await evidence.events())[-1]
    async with sqlite_installation.database.write() as session:
        await accounts.add(session, sqlite_installation.clock, EMAIL, "Olga", PASSWORD)
    async with open_site(sqlite_installation, there_already=True) as site:
        await Desk(site).sign_in()
        page = await site.http.get(f"/console/agreements/{event.agreement_id}")
        record = await site.http.get(f"/console/agreements/{event.agreement_id}/record")
        unknown = await site.http.get("/console/agreements/aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert (page.status_code, record.status_code, unknown.status_code) == (HTTP_200_OK, HTTP_200_OK, HTTP_404_NOT_FOUND)
    entry = (await evidence.entries())[(event.position or 0) - 1]
    for shown in ("reader0@example.com", "Example Books AS", event.agreement_id, entry["hash"], "Yes, I want"):
        assert shown in page.text
    assert "not as it was written" not in page.text
    assert record.json()["record_id"] == event.agreement_id
    async with sqlite_installation.database.read() as session:
        acts = (await session.exec(select(AuditEntry.act))).all()
    assert {"agreement_read", "agreement_exported"} <= set(acts)


async def test_a_stranger_sees_no_agreement(sqlite_installation: Installation) -> None:
    evidence = await gathered(sqlite_installation, people=1)
    event = (await evidence.events())[-1]
    async with open_site(sqlite_installation, there_already=True) as site:
        for path in ("", "/record"):
            answer = await site.http.get(f"/console/agreements/{event.agreement_id}{path}")
            assert answer.status_code == httpx.codes.SEE_OTHER


async def test_the_command_says_what_is_wrong(sqlite_installation: Installation) -> None:
    evidence = await gathered(sqlite_installation)
    event = (await evidence.events())[2]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        given = {
            "NEWSLETTER_DATA_DIR": str(sqlite_installation.settings.data_dir),
            "NEWSLETTER_DATABASE_URL": sqlite_installation.settings.database_url,
            "NEWSLETTER_SECRET_KEY": sqlite_installation.keys.root.decode(),
        }
        command = [sys.executable, "-m", "newsletter", "agreements", *words]
        return subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)

    clean = await asyncio.to_thread(run, "verify")
    assert (clean.returncode, clean.stdout.strip()) == (0, "The evidence is as it was written.")
    await evidence.sql("UPDATE agreement_event SET actor = 'editor' WHERE id = :id", id=event.id)
    found = await asyncio.to_thread(run, "verify", "--newsletter", "weekly", "--json")
    assert found.returncode == 1
    (finding,) = json.loads(found.stdout)
    assert (finding["fault"], finding["number"], finding["event"]) == ("changed event", 3, event.id)
    assert finding["agreement"] == event.agreement_id
