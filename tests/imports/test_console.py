"""An editor brings a file and takes one away; what is not the editor's own form is not even received."""

import csv
import hashlib
import io
import json

import httpx
import pytest
from sqlmodel import select

from newsletter.editors.audit.actions import Act
from newsletter.editors.audit.tables import AuditEntry
from newsletter.imports import actions
from newsletter.imports.tables import Import, ImportState
from newsletter.imports.working.working import Importer
from tests.imports.files import bring_in, subscribed, table
from tests.journeys.story import hidden_fields
from tests.web.site import SLUG, Site

PLACE = f"/console/newsletters/{SLUG}/import"
PEOPLE = table(("Mail", "Fornavn"), [("kari@example.com", "Kari"), ("nobody", "Ola"), ("=1+1@example.com", "@Ola")])


async def send(site: Site, content: bytes, **files: bytes) -> httpx.Response:
    """Send a file by the form."""
    page = await site.browser.get(PLACE)
    return await site.browser.post(
        PLACE,
        data=hidden_fields(page.text) | {"preset": ""},
        files={"file": ("people.csv", content), **{name: (name, more) for name, more in files.items()}},
        follow_redirects=False,
    )


async def jobs(site: Site) -> list[Import]:
    async with site.installation.database.read() as session:
        return await actions.latest(session, site.newsletter.id)


def staged(site: Site) -> list[str]:
    folder = site.installation.settings.data_dir / "imports"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


async def test_a_file_is_described_looked_through_and_taken(site: Site) -> None:
    await site.sign_in()
    place = (await send(site, PEOPLE, evidence=b"the old form")).headers["location"]
    (job,) = await jobs(site)
    assert (job.state, job.evidence_hash) == (ImportState.UPLOADED, hashlib.sha256(b"the old form").hexdigest())
    assert (site.installation.settings.data_dir / "imports" / staged(site)[0]).stat().st_mode & 0o777 == 0o600
    said = {"mode": "agreed", "basis": "consent", "source": "the fair", "column-1": "given_name"}
    refused = await site.post_form(place, f"{place}/check", **said)
    assert refused.status_code == 422
    assert "No column holds the e-mail addresses" in refused.text
    assert 'value="the fair"' in refused.text
    assert (await site.post_form(place, f"{place}/check", **said, **{"column-0": "email"})).status_code == 303
    await Importer(site.installation, "a worker").work_on(job.id)
    shown = (await site.browser.get(place)).text
    assert "nothing has been changed yet" in shown
    assert "The e-mail address is not one that can be written to." in shown
    assert (await site.browser.get(f"{place}/report.csv")).text.splitlines() == [
        "row,reason",
        "3,The e-mail address is not one that can be written to.",
    ]
    assert (await site.post_form(place, f"{place}/start")).status_code == 303
    await Importer(site.installation, "a worker").work_on(job.id)
    assert (await subscribed(site.installation, site.newsletter)).keys() == {"kari@example.com", "=1+1@example.com"}
    assert "Finished" in (await site.browser.get(f"{place}/progress")).text
    assert staged(site) == []


async def test_without_the_form_s_own_token_nothing_is_received(site: Site) -> None:
    for data in ({}, {"_csrf_token": "forged"}):
        stranger = await site.browser.post(PLACE, data=data, files={"file": ("p.csv", PEOPLE)}, follow_redirects=False)
        assert stranger.headers["location"] == "/console/sign-in"
    await site.sign_in()
    await site.browser.get(PLACE)
    for data in ({}, {"_csrf_token": "forged"}, {"_csrf_token": "a" * 128}):
        answer = await site.browser.post(PLACE, data=data, files={"file": ("p.csv", PEOPLE)}, follow_redirects=False)
        assert answer.status_code == 403
    assert (await jobs(site), staged(site)) == ([], [])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\n"])
async def test_what_is_no_table_is_said_beside_the_file_and_not_kept(site: Site, content: bytes) -> None:
    await site.sign_in()
    answer = await send(site, content)
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert (await jobs(site), staged(site)) == ([], [])


async def test_a_cancelled_import_leaves_no_file(site: Site) -> None:
    await site.sign_in()
    place = (await send(site, PEOPLE)).headers["location"]
    assert (await site.post_form(place, f"{place}/cancel")).status_code == 303
    assert ([job.state for job in await jobs(site)], staged(site)) == ([ImportState.CANCELLED], [])
    assert (await site.post_form(place, f"{place}/start")).status_code == 409


async def test_an_export_is_harmless_noted_and_comes_back_as_it_was(site: Site) -> None:
    await bring_in(site.installation, site.newsletter, PEOPLE.replace(b"Mail,", b"Email,"))
    await site.sign_in()
    answer = await site.post_form(PLACE, f"/console/newsletters/{SLUG}/export", format="csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{SLUG}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {(row["email"], row["given_name"]) for row in rows} == {
        ("kari@example.com", "Kari"),
        ("'=1+1@example.com", "'@Ola"),
    }
    again = await bring_in(site.installation, site.newsletter, answer.content)
    assert (again.known, again.refused) == (2, 0)
    lines = (await site.post_form(PLACE, f"/console/newsletters/{SLUG}/export", format="json")).text.splitlines()
    assert {json.loads(line)["given_name"] for line in lines} == {"Kari", "@Ola"}
    async with site.installation.database.read() as session:
        noted = (await session.exec(select(AuditEntry).where(AuditEntry.act == Act.SUBSCRIBERS_EXPORTED))).all()
    assert [entry.count for entry in noted] == [2, 2]
