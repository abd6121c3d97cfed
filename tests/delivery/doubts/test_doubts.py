"""Those in doubt are listed by name until an editor decides; let be, they stay counted (promise P4)."""

import pytest

from newsletter.delivery.doubts import actions as doubts
from newsletter.delivery.tables import MailingState
from newsletter.errors import Conflict, NotFound
from newsletter.installation import Installation
from tests.delivery.cast import (
    erase,
    finish,
    found,
    in_doubt,
    mailing_to,
    people,
    send,
    standing,
    steer,
    subscribe,
    unsubscribe,
    wait_for_retries,
)
from tests.delivery.doubts.doubtful import DOUBTFUL, doubtful_mailing, let_be, resend
from tests.support.peer import SmtpPeer


async def test_who_is_let_be_stays_counted_and_is_not_listed_any_more(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await doubtful_mailing(installation, peer)
    before = await standing(installation, mailing)
    assert await let_be(installation, mailing, DOUBTFUL[:1]) == 1
    assert await in_doubt(installation, mailing) == set(DOUBTFUL[1:])
    assert await resend(installation, mailing, DOUBTFUL[:1]) == 0, "that has been decided"
    assert await let_be(installation, mailing) == 2
    assert await in_doubt(installation, mailing) == set()
    assert await standing(installation, mailing) == before


async def test_whoever_left_is_not_listed_and_gets_nothing(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await doubtful_mailing(installation, peer)
    before = await standing(installation, mailing)
    await erase(installation, DOUBTFUL[0])
    await subscribe(installation, await found(installation, "music"), [DOUBTFUL[1]])
    await unsubscribe(installation, DOUBTFUL[1], mailing.newsletter_id)
    assert await in_doubt(installation, mailing) == {DOUBTFUL[2]}
    assert await standing(installation, mailing) == before
    assert await resend(installation, mailing) == 1
    await unsubscribe(installation, DOUBTFUL[2])
    await send(installation, peer, mailing)
    await finish(installation)
    after = await standing(installation, mailing)
    assert (after.state, after.delivered, after.in_doubt, after.withdrawn) == (MailingState.FINISHED, 17, 2, 1)


async def test_of_a_cancelled_mailing_nothing_is_sent_again(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(20))
    peer.hang_up(DOUBTFUL[0])
    peer.defer("reader009@example.com")
    await send(installation, peer, mailing)
    await steer(installation, mailing, "cancel")
    with pytest.raises(Conflict, match="cancelled"):
        await resend(installation, mailing)
    assert await let_be(installation, mailing) == 1
    assert await in_doubt(installation, mailing) == set()


async def test_an_issue_without_a_mailing_has_nobody_in_doubt(installation: Installation) -> None:
    async with installation.database.write() as session:
        with pytest.raises(NotFound):
            await doubts.resend(session, "a" * 26, None)


async def test_a_long_list_has_pages(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(60))
    for email in people(60):
        peer.hang_up(email)
    while (await standing(installation, mailing)).in_doubt < 60:
        await wait_for_retries(installation)
        await send(installation, peer, mailing)
    async with installation.database.read() as session:
        first = await doubts.undecided(session, mailing)
        second = await doubts.undecided(session, mailing, first.next)
    assert (len(first.items), len(second.items), second.next) == (50, 10, None)
    assert {each.email for each in (*first.items, *second.items)} == set(people(60))
    assert await resend(installation, mailing) == 60
