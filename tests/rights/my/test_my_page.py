"""Everything on one's own page, and each right a button (RULES B1–B4, E7)."""

import pytest
from sqlmodel import select

from newsletter.agreements.notices import actions as notices
from newsletter.newsletters.tables import Newsletter
from newsletter.rights.access import gather
from newsletter.subscribers.actions import count_mailable
from newsletter.subscribers.tables import Subscriber
from tests.rights.my.visiting import visiting
from tests.signup.site import Site
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer

ALICE, BOB = "alice@example.com", "bob@example.com"
NASTY = '<script>alert("x")</script>'


@pytest.fixture
async def alice(site: Site) -> Site:
    """Alice subscribes to two newsletters."""
    await site.open("monthly")
    await site.subscribe(ALICE, given_name="Alice", family_name="Aas", title="Editor", employer="Example Books")
    await site.subscribe(ALICE, "monthly")
    return site


async def person(site: Site) -> Subscriber:
    (found,) = await site.people()
    return found


async def test_the_page_shows_what_is_held_and_changes_nothing(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, ALICE) as visit:
        before = await alice.rows()
        page = await visit.text("/my?language=en")
        for said in (ALICE, "Alice", "Aas", "Editor", "Example Books", "The weekly", "The monthly", "Example Books AS"):
            assert said in page
        (agreement, _) = await alice.agreements()
        notice = await alice.notice(agreement.notice_hash)
        assert agreement.control_label in page
        assert notices.as_html(notice.text) in page
        assert agreement.id in page
        assert "privacy@example.com" in page
        for path in ("/my", "/my/copy", "/my/erase", "/my/object"):
            for method in ("GET", "HEAD"):
                answer = await visit.http.request(method, path)
                assert answer.status_code == 200
                assert answer.headers["cache-control"] == "no-store"
        assert await alice.rows() == before


async def test_details_are_corrected_by_the_rules_of_a_signup(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, ALICE) as visit:
        refused = await visit.press("/my/details", given_name="see www.example.com/x", employer="Kept")
        assert refused.status_code == 422
        assert "Kept" in refused.text
        given = {"given_name": "Ålice", "family_name": "", "title": NASTY[:20], "employer": NASTY, "language": "nn"}
        assert (await visit.press("/my/details", **given)).status_code == 303
        found = await person(alice)
        assert (found.given_name, found.family_name, found.employer, found.language) == ("Ålice", None, NASTY, "nn")
        for path in ("/my", "/my/copy"):
            page = await visit.text(path)
            assert "<script>alert" not in page
            assert "&lt;script&gt;alert" in page
        unreadable = await visit.press("/my/details", given_name="A\0lice")
        assert unreadable.status_code == 422
    assert (await alice.happened()).count("rectified") == 2


async def test_a_restricted_person_is_kept_and_mailed_nothing_until_it_is_lifted(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, ALICE) as visit:
        assert await mailable(alice) == [1, 1]
        assert (await visit.press("/my/restrict")).headers["location"] == "/my?done=restricted"
        assert await mailable(alice) == [0, 0]
        assert (await person(alice)).restricted_at is not None
        assert "/my/unrestrict" in await visit.text()
        await visit.press("/my/unrestrict")
        assert await mailable(alice) == [1, 1]
    assert [kind for kind in await alice.happened() if "restrict" in kind].count("restricted") == 2


async def mailable(site: Site) -> list[int]:
    async with site.installation.database.read() as session:
        ids = (await session.exec(select(Newsletter.id))).all()
        return [await count_mailable(session, newsletter_id) for newsletter_id in ids]


async def test_leaving_one_keeps_the_other_and_leaving_all_ends_the_visit(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, ALICE) as visit:
        (first, _) = await alice.subscriptions()
        assert (await visit.press("/my/leave", subscription="a" * 26)).status_code == 404
        assert (await visit.press("/my/leave", subscription=first.id)).status_code == 303
        assert sorted(each.state for each in await alice.subscriptions()) == ["active", "ended"]
        last = await visit.press("/my/leave", subscription="all")
        assert last.status_code == 200
        assert 'newsletter_my=""' in last.headers["set-cookie"] or "Max-Age=0" in last.headers["set-cookie"]
        assert await alice.people() == []
        assert "form_token" not in await visit.text()


@pytest.mark.parametrize("right", ["object", "erase"])
async def test_objecting_and_erasing_leave_nothing_but_tags(alice: Site, peer: SmtpPeer, right: str) -> None:
    await mailed(alice, peer)
    async with visiting(alice, peer, ALICE) as visit:
        before = len(peer.mails)
        assert (await visit.press(f"/my/{right}")).status_code == 200
        assert ALICE not in repr(await alice.rows())
        assert "Aas" not in repr(await alice.rows())
        assert await mailed(alice, peer) == []
        assert len(peer.mails) == before
        assert (await visit.http.get("/my/data")).status_code == 401
    # Who asks again sees what the tags say, and that they are all there is.
    tables = await alice.rows()
    assert tables["tombstone"]
    assert tables["receipt"]


async def test_whoever_has_only_asked_sees_that_and_may_delete_it(alice: Site, peer: SmtpPeer) -> None:
    await alice.ask(BOB, given_name="Bob")
    async with visiting(alice, peer, BOB) as visit:
        page = await visit.text()
        assert BOB in page
        assert ALICE not in page
        assert (await visit.press("/my/restrict")).status_code == 404
        assert (await visit.press("/my/erase")).status_code == 200
    assert BOB not in repr(await alice.rows())
    assert len(await alice.people()) == 1


async def test_a_forwarded_issue_or_letter_opens_nobody_s_page(alice: Site, peer: SmtpPeer) -> None:
    """RULES E7: its links unsubscribe, and the one to the page is the same in every mail."""
    unsubscribe = await alice.unsubscribe_path(ALICE)
    for path in ("/my", "/my/data", "/my/copy", "/my/erase"):
        answer = await alice.http.get(path)
        assert answer.status_code == (200 if path == "/my" else 401)
        assert "Alice" not in answer.text
    token = unsubscribe.removeprefix("/unsubscribe/")
    for path in (f"/my/{token}", f"/my/address/{token}"):
        assert [(await alice.http.request(method, path)).status_code for method in ("GET", "POST")] == [410, 410]
    for path in ("details", "address", "measurement", "restrict", "leave", "object", "erase", "close"):
        assert (await alice.http.post(f"/my/{path}", data={"subscription": "all"})).status_code == 401
    assert (await person(alice)).given_name == "Alice"


async def test_gathering_finds_the_rows_by_the_declarations(alice: Site) -> None:
    async with alice.installation.database.read() as session:
        holding = await gather(session, alice.installation, (await person(alice)).id)
    held = {f"{value.table}.{value.column}" for value in holding.values}
    assert {"subscriber.email", "subscriber.employer", "agreement.subscription_id"} <= held
    assert [len(each.agreements) for each in holding.subscriptions] == [1, 1]
