"""What a sending service tells of our mails is followed as a report is: once, and by our own signed id (RULES F8)."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlmodel import select

from newsletter.agreements.traces.suppression import suppressed
from newsletter.bounces.reports.tables import Received
from newsletter.delivery.return_address import ReturnAddresses
from newsletter.installation import Installation
from newsletter.subscribers.tables import SignalState
from newsletter.tokens import Keyring, new_id
from tests.bounces.coming_back import CAROL, alive, follows, report, reports, return_address, sent, signals
from tests.bounces.coming_back import comes as comes_by_mail
from tests.bounces.webhooks import told
from tests.bounces.webhooks.hooked import SERVICES, Hooked, complained, dead, hooked, sns
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer

DORA = "dora@example.org"


@pytest.fixture
async def hooks(installation: Installation, peer: SmtpPeer) -> AsyncIterator[Hooked]:
    async with hooked(installation) as opened:
        await sent(opened.site.installation, peer, [*people(5), CAROL, DORA])
        yield opened


@pytest.fixture
async def sqlite_hooks(sqlite_installation: Installation, peer: SmtpPeer) -> AsyncIterator[Hooked]:
    async with hooked(sqlite_installation) as opened:
        await sent(opened.site.installation, peer, [*people(5), CAROL, DORA])
        yield opened


async def counted(hooks: Hooked) -> dict[tuple[str, str], int]:
    async with hooks.site.installation.database.read() as session:
        return {(each.way, each.taken): each.count for each in (await session.exec(select(Received))).all()}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_dead_mailbox_is_mailed_no_more_and_a_complaint_ends_it_at_once(
    hooks: Hooked, peer: SmtpPeer, service: str
) -> None:
    installation = hooks.site.installation
    for _ in range(2):
        answer = await hooks.take(service, hooks.signed(service, dead(service, return_address(peer))))
        assert (answer.status_code, answer.json()) == (200, {})
    await comes_by_mail(installation, report(), return_address(peer))
    assert await follows(installation) == 0
    assert await signals(installation) == [SignalState.HELD]
    assert [(each.verdict, each.code, each.way) for each in await reports(installation)] == [("dead", "5.1.1", service)]
    for _ in range(2):
        complaint = hooks.signed(service, complained(service, return_address(peer, DORA), DORA))
        assert (await hooks.take(service, complaint)).status_code == 200
    await follows(installation)
    assert await alive(installation) == {*people(5), CAROL}
    async with installation.database.read() as session:
        assert await suppressed(session, installation, [DORA, CAROL]) == {DORA}
    assert await counted(hooks) == {(service, "accepted"): 2, (service, "repeated"): 2, ("listener", "repeated"): 1}


@pytest.mark.parametrize("service", SERVICES)
async def test_an_id_that_we_did_not_sign_is_counted_and_that_is_all(
    sqlite_hooks: Hooked, peer: SmtpPeer, service: str
) -> None:
    """Whoever is named beside it: the id of another installation, none, and one that was tampered with."""
    elsewhere = ReturnAddresses(Keyring(b"the root secret of somebody else"), "bounces.example.com", new_id())
    now = sqlite_hooks.site.installation.clock.now().timestamp()
    forged = return_address(peer)[:20] + "aaaa" + return_address(peer)[24:]
    for named in (elsewhere.of(5, now), "", forged, "books@example.com"):
        for event in (dead(service, named), complained(service, named)):
            assert (await sqlite_hooks.take(service, sqlite_hooks.signed(service, event))).status_code == 200
    assert await follows(sqlite_hooks.site.installation) == 0
    assert await reports(sqlite_hooks.site.installation) == []
    assert await counted(sqlite_hooks) == {(service, "forged"): 4, (service, "foreign"): 4}


async def test_each_event_of_a_batch_and_each_recipient_counts_by_itself(hooks: Hooked, peer: SmtpPeer) -> None:
    """One forged among them keeps nobody from being heard; and of two addresses the one counts that was mailed."""
    installation = hooks.site.installation
    batch = [
        {"email": CAROL, "event": "delivered", "delivery": return_address(peer)},
        *[dead("sendgrid", "b-nothing-of-ours@bounces.example.com")] * 120,
        dead("sendgrid", return_address(peer)),
        complained("sendgrid", return_address(peer, DORA), DORA),
        dead("sendgrid", return_address(peer)),
    ]
    assert (await hooks.take("sendgrid", hooks.signed("sendgrid", batch))).status_code == 200
    await follows(installation)
    assert await signals(installation) == [SignalState.HELD]
    assert await alive(installation) == {*people(5), CAROL}
    two = told.ses_bounce("carol.private@example.org", people(1)[0], source=return_address(peer, people(1)[0]))
    assert (await hooks.take("ses", hooks.signed("ses", two))).status_code == 200
    await follows(installation)
    assert len(await signals(installation)) == 2


async def test_a_mail_that_was_forwarded_on_to_a_dead_mailbox_kills_nobody(
    sqlite_hooks: Hooked, peer: SmtpPeer
) -> None:
    installation = sqlite_hooks.site.installation
    for service in SERVICES:
        event = dead(service, return_address(peer), "carol.private@example.org")
        assert (await sqlite_hooks.take(service, sqlite_hooks.signed(service, event))).status_code == 200
    await follows(installation)
    assert await signals(installation) == []
    assert {each.verdict for each in await reports(installation)} == {"unknown"}


async def test_by_the_unsubscribe_address_alone_one_can_be_let_go_and_not_called_dead(
    sqlite_hooks: Hooked, peer: SmtpPeer
) -> None:
    installation = sqlite_hooks.site.installation
    value = str(peer.mails_to(CAROL)[-1].message["List-Unsubscribe"])
    headers = [{"name": "List-Unsubscribe", "value": " ".join(value.split())}]
    bounce = told.ses_bounce(CAROL, source="books@example.com", headersTruncated=False, headers=headers)
    assert (await sqlite_hooks.take("ses", sqlite_hooks.signed("ses", bounce))).status_code == 200
    assert await follows(installation) == 0
    assert await reports(installation) == []
    complaint = complained("ses", "Books <books@example.com>")
    complaint["mail"]["headers"] = headers
    assert (await sqlite_hooks.take("ses", sqlite_hooks.signed("ses", complaint))).status_code == 200
    await follows(installation)
    assert CAROL not in await alive(installation)


@pytest.mark.parametrize("service", SERVICES)
async def test_what_can_not_be_stored_is_to_be_sent_again(hooks: Hooked, peer: SmtpPeer, service: str) -> None:
    """A token of Mailgun that came to nothing is not used up."""
    message = hooks.signed(service, dead(service, return_address(peer)))
    async with hooks.site.installation.database.write() as session:
        await session.execute(text("ALTER TABLE report RENAME TO out_of_reach"))
    answer = await hooks.take(service, message)
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert "send it again" in answer.json()["detail"]
    async with hooks.site.installation.database.write() as session:
        await session.execute(text("ALTER TABLE out_of_reach RENAME TO report"))
    assert (await hooks.take(service, message)).status_code == 200
    assert len(await reports(hooks.site.installation)) == 1


async def test_a_topic_is_confirmed_only_where_it_is_listed(sqlite_hooks: Hooked) -> None:
    now, ask = sqlite_hooks.site.installation.clock.now(), "SubscriptionConfirmation"
    other = sns("You have chosen.", now, kind=ask, TopicArn="arn:aws:sns:eu-north-1:123456789012:another")
    elsewhere = sns(
        "You have chosen.", now, kind=ask, SubscribeURL="https://sns.example.com/?Action=ConfirmSubscription&a"
    )
    for message in (other, elsewhere):
        assert (await sqlite_hooks.take("ses", message)).status_code == 403
    assert [url for url in sqlite_hooks.amazon.fetched if "Confirm" in url] == []
    assert (await sqlite_hooks.take("ses", sns("You have chosen.", now, kind=ask))).status_code == 200
    assert sqlite_hooks.amazon.fetched[-1].startswith(
        "https://sns.eu-north-1.amazonaws.com/?Action=ConfirmSubscription"
    )
