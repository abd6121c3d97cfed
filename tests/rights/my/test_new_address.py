"""Another address: it counts once the new mailbox confirms, and the old one is told (RULES H8, promise P7)."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from newsletter.clock import TurnedClock
from tests.rights.my.visiting import Visit, visiting
from tests.signup.site import Site, shown
from tests.signup.test_letters import mailed
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer

OLD, NEW, CAROL = "alice@example.com", "alice@example.org", "carol@example.com"


@pytest.fixture
async def alice(site: Site, peer: SmtpPeer) -> Site:
    """Alice and Carol are subscribed."""
    await site.subscribe(OLD, given_name="Alice")
    await site.subscribe(CAROL)
    await mailed(site, peer)
    return site


async def emails(site: Site) -> set[str]:
    return {person.email for person in await site.people()}


async def asked(site: Site, peer: SmtpPeer, visit: Visit, email: str) -> ReceivedMail:
    assert (await visit.press("/my/address", email=email)).headers["location"] == "/my?done=address"
    (letter,) = await mailed(site, peer)
    assert letter.recipients == (email,)
    assert OLD not in letter.text + letter.html
    return letter


async def test_it_counts_once_the_new_mailbox_confirms_and_the_old_one_is_told(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, OLD) as visit:
        question = await asked(alice, peer, visit, NEW)
        path = urlsplit(question.link("my")).path
        assert NEW in (await alice.http.get(path)).text
        assert await emails(alice) == {OLD, CAROL}
        assert (await alice.http.post(path)).status_code == 200
        assert await emails(alice) == {NEW, CAROL}
        assert (await alice.happened()).count("rectified") == 1
        # Whoever reads the old mailbox is on nobody's page any more.
        assert (await visit.http.get("/my/data")).status_code == 401
    (told,) = await mailed(alice, peer)
    assert told.recipients == (OLD,)
    assert NEW not in told.text + told.html
    assert OLD not in repr(await alice.rows())
    assert (await alice.http.post(path)).status_code == 410


async def test_that_it_is_somebody_s_already_is_told_to_its_mailbox_alone(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, OLD) as visit:
        answers = [shown(await visit.press("/my/address", email=email)) for email in (NEW, CAROL)]
        assert answers[0] == answers[1]
        told = {letter.recipients[0]: letter for letter in await mailed(alice, peer)}
        assert told[CAROL].links("my") == []
        assert told[NEW].links("my")
        # What they typed stays on their page as they typed it, in both cases.
        page = await visit.text()
        assert page.count(NEW) == page.count(CAROL) > 0
    assert await emails(alice) == {OLD, CAROL}


async def test_who_signs_up_with_it_meanwhile_keeps_it(alice: Site, peer: SmtpPeer) -> None:
    async with visiting(alice, peer, OLD) as visit:
        path = urlsplit((await asked(alice, peer, visit, NEW)).link("my")).path
    await alice.subscribe(NEW)
    assert (await alice.http.post(path)).status_code == 409
    assert await emails(alice) == {OLD, CAROL, NEW}


async def test_strangers_mailboxes_are_not_flooded_and_a_link_gets_old(
    alice: Site, peer: SmtpPeer, clock: TurnedClock
) -> None:
    async with visiting(alice, peer, OLD) as visit:
        assert (await visit.press("/my/address", email=OLD)).status_code == 422
        paths = [
            urlsplit((await asked(alice, peer, visit, f"new{number}@example.org")).link("my")).path
            for number in range(3)
        ]
        refused = await visit.press("/my/address", email="new4@example.org")
        assert refused.status_code == 422
        assert await mailed(alice, peer) == []
    clock.turn(clock.now() + timedelta(hours=25))
    assert [(await alice.http.post(path)).status_code for path in paths] == [410] * 3
    assert await emails(alice) == {OLD, CAROL}
