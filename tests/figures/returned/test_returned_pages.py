"""An editor looks at what came back: what happened, why and where, what is to be done, and nobody's address."""

from collections.abc import AsyncIterator

import pytest
from sqlmodel import select

from newsletter.delivery.tables import Mailing
from newsletter.editors.audit.actions import Act
from newsletter.editors.audit.tables import AuditEntry
from newsletter.figures.returned import reports as returned_reports
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, comes, follows, report, return_address, sent
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer
from tests.web.site import Site, running_site

UNSIGNED = "550 5.7.26 this mail is unauthenticated"
WORDY = "452 4.2.2 The mailbox of Reader Nordmann is full"


@pytest.fixture
async def site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    async with running_site(sqlite_installation) as opened:
        await opened.sign_in()
        yield opened


async def text_of(site: Site, path: str) -> str:
    answer = await site.browser.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


async def mailed(site: Site, peer: SmtpPeer) -> Mailing:
    """Send an issue of which some comes back: refused, dead, full, through our fault, twice, and forged."""
    peer.refuse(people(1)[0])
    mailing = await sent(site.installation, peer, [*people(20), CAROL])
    _, dead, full, fault, *_ = people(20)
    for email, *told in ((dead,), (CAROL,), (full, WORDY, "4.2.2"), (fault, UNSIGNED, "5.7.26")):
        await comes(site.installation, report(email, *told), return_address(peer, email))
    await follows(site.installation)
    await comes(site.installation, report(dead, UNSIGNED, "5.7.26"), return_address(peer, dead), "mailbox")
    await follows(site.installation)
    await comes(site.installation, report(), "b-" + "a" * 50 + "@bounces.example.com")
    return mailing


async def test_a_mailing_shows_what_happened_and_the_fields_of_each_report(site: Site, peer: SmtpPeer) -> None:
    mailing = await mailed(site, peer)
    shown = await text_of(site, f"/console/issues/{mailing.issue_id}/returned")
    assert "The address does not exist." in shown
    assert "example.com" in shown
    assert "All others" in shown
    assert "failed, 5.1.1" in shown
    assert "an earlier report of this mail has counted" in shown
    assert "Mailbox (IMAP)" in shown
    for hidden in (CAROL, "example.net", "reader0", "Nordmann", "bounces.example.com"):
        assert hidden not in shown
    assert "4 of the delivered did not arrive" in await text_of(site, f"/console/issues/{mailing.issue_id}/mailing")


async def test_all_mail_shows_alarms_first_and_what_was_dropped(site: Site, peer: SmtpPeer) -> None:
    empty = await text_of(site, "/console/returned")
    assert "All is well" in empty
    assert "No mail has come back in the last 30 days" in empty
    await mailed(site, peer)
    shown = await text_of(site, "/console/returned")
    assert "code 5.7.26" in shown
    assert shown.index("through a fault of ours") < shown.index("On hold")
    assert "names the relay, that mail is signed with DKIM" in shown
    assert "<svg" in shown
    assert "Forged" in shown
    assert shown.count('scope="row" class="whole">example.net<') == 1, "where it is held, and not among the counts"
    assert "reader0" not in shown


async def test_programs_read_the_same_figures(site: Site, peer: SmtpPeer) -> None:
    mailing = await mailed(site, peer)
    one = (await site.api("GET", f"/issues/{mailing.issue_id}/returned")).json()
    assert (one["delivered"], one["bounced"]) == (20, 4)
    assert one["verdicts"][0] == {"verdict": "dead", "at_once": 1, "later": 2, "codes": ["5.1.1"]}
    assert [each["domain"] for each in one["domains"]] == ["example.com", None]
    everything = (await site.api("GET", "/returned")).json()
    assert [alarm["code"] for alarm in everything["alarms"]] == ["5.7.26"]
    assert (len(everything["days"]), everything["days"][-1]["kinds"]) == (30, {"dead": 3, "fault": 1, "full": 1})
    assert {"way": "listener", "taken": "forged", "count": 1} in everything["came_in"]
    assert (await site.api("GET", "/returned", key="nl_none")).status_code == 401


async def test_reading_is_on_the_audit_trail(site: Site, peer: SmtpPeer) -> None:
    mailing = await mailed(site, peer)
    for path in ("/console/returned", f"/console/issues/{mailing.issue_id}/returned", "/console/returned/letters"):
        assert (await site.browser.head(path)).status_code == 200
        await text_of(site, path)
    async with site.installation.database.read() as session:
        query = select(AuditEntry.subject_id).where(AuditEntry.act == Act.RETURNED_MAIL_READ)
        assert sorted((await session.exec(query)).all(), key=str) == sorted([None, mailing.issue_id, None], key=str)


async def test_reports_come_in_pages(site: Site, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returned_reports, "PAGE", 2)
    mailing = await mailed(site, peer)
    seen, after = 0, ""
    for rows in (2, 2, 1):
        shown = await text_of(site, f"/console/issues/{mailing.issue_id}/returned?after={after}")
        assert shown.count('data-label="By way of"') == rows
        seen, after = seen + rows, shown.partition("?after=")[2].partition('"')[0]
    assert (seen, after) == (5, "")
    for nonsense in ("nonsense", "2026-99-99.abc", "%00", "2026-01-01." + "x" * 200):
        shown = await text_of(site, f"/console/issues/{mailing.issue_id}/returned?after={nonsense}")
        assert shown.count('data-label="By way of"') == 2


async def test_a_draft_has_nothing_that_could_come_back(site: Site) -> None:
    issue = await site.draft()
    assert "has not been mailed" in await text_of(site, f"/console/issues/{issue}/returned")
    assert (await site.api("GET", f"/issues/{issue}/returned")).status_code == 404
    assert (await site.browser.get(f"/console/issues/{'a' * 26}/returned")).status_code == 404
