"""A mail server points here: it hears yes when a mail is stored, and nothing else is taken (RULES E4, F5)."""

import asyncio
from datetime import timedelta

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.subscribers.tables import SignalState
from tests.bounces.coming_back import (
    CAROL,
    HOUR,
    alive,
    comes,
    complaint,
    follows,
    report,
    reports,
    return_address,
    sent,
    signals,
)  # fmt: skip
from tests.bounces.listener.listening import codes, connected, counted, hands_over, listening
from tests.delivery.cast import erase, people
from tests.support.peer import SmtpPeer

TAKEN, NOT_OURS, NOT_SO = "250 2.0.0", "550 5.1.1", "550 5.7.1"


def unsubscribe_address(peer: SmtpPeer) -> str:
    header = str(peer.mails_to(CAROL)[-1].message["List-Unsubscribe"])
    return header.partition("<mailto:")[2].partition("?")[0].partition(">")[0]


async def test_the_same_report_by_every_way_twice_has_one_effect(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    to = return_address(peer)
    async with listening(installation) as (_, port):
        for _ in range(2):
            assert codes(await hands_over(port, report(), to.upper())) == [TAKEN]
            await comes(installation, report(), to, "mailbox")
            await comes(installation, report(), to, "command")
        assert len(await reports(installation)) == 1
        await follows(installation)
        assert await signals(installation) == [SignalState.HELD]
        clock.turn(clock.now() + HOUR)
        assert await follows(installation) == 1
        assert await alive(installation) == set(people(5))
        assert codes(await hands_over(port, report(), to)) == [TAKEN], "nobody learns that they are gone"


async def test_an_address_that_we_did_not_sign_is_refused_and_counted(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [*people(2), CAROL])
    to = return_address(peer)
    forged = to[:20] + ("a" if to[20] != "a" else "b") + to[21:]
    async with listening(installation) as (listener, port):
        clock.turn(clock.now() + timedelta(days=31))
        for address in (
            to,
            forged,
            "carol@example.net",
            "postmaster@bounces.example.com",
            "",
            "a b@bounces.example.com",
        ):
            assert codes(await hands_over(port, report(), address)) == [NOT_OURS], address
        await listener.keep()
        assert await counted(installation) == {"expired": 1, "forged": 1, "foreign": 4}
    assert await reports(installation) == []


async def test_ten_thousand_forged_ones_cost_one_transaction_and_touch_nobody(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [CAROL])
    async with listening(sqlite_installation) as (listener, port), connected(port) as server:
        await server.say("MAIL FROM:<>")
        for number in range(0, 10_000, 500):
            lines = [f"RCPT TO:<b-{number + one:051}@bounces.example.com>" for one in range(500)]
            assert (await server.say(*lines)).startswith(NOT_OURS)
            for _ in lines[1:]:
                assert (await server.hear()).startswith(NOT_OURS)
        assert await counted(sqlite_installation) == {}
        await listener.keep()
        assert await counted(sqlite_installation) == {"forged": 10_000}
    assert (await reports(sqlite_installation), await alive(sqlite_installation)) == ([], {CAROL})


async def test_only_the_null_sender_reports_and_anybody_may_leave_or_complain(
    installation: Installation, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [*people(2), CAROL])
    to, leave = return_address(peer), unsubscribe_address(peer)
    async with listening(installation) as (_, port):
        assert codes(await hands_over(port, report(), to, sender="postmaster@example.net")) == [NOT_SO]
        assert codes(await hands_over(port, b"Subject: away\n\n", leave)) == [TAKEN]
        assert CAROL in await alive(installation), "a machine wrote it"
        about = f"List-Unsubscribe: <mailto:{unsubscribe_address(peer)}>\n"
        said = await hands_over(port, complaint(about), "abuse@bounces.example.com", sender="fbl@example.net")
        assert codes(said) == [TAKEN]
        assert codes(await hands_over(port, b"Subject: leave\n\n", leave, sender=CAROL)) == [TAKEN]
        assert await alive(installation) == set(people(2))
        lost = await hands_over(port, b"Subject: hello\n\n", "abuse@bounces.example.com", sender=CAROL)
        assert codes(lost) == ["550 5.6.0"], "a person hears that nobody reads it"


async def test_lmtp_answers_for_each_recipient(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, [*people(2), CAROL])
    dora = people(2)[0]
    await erase(installation, dora)
    async with listening(installation) as (_, port), connected(port, "LHLO relay.example.com") as server:
        await server.say("MAIL FROM:<>")
        for to in (return_address(peer), return_address(peer, dora), "abuse@bounces.example.com"):
            assert (await server.say(f"RCPT TO:<{to}>")).startswith("250")
        assert (await server.say("RCPT TO:<carol@example.net>")).startswith(NOT_OURS)
        await server.say("DATA")
        said = [await server.content(report()), await server.hear(), await server.hear()]
        assert codes(said) == [TAKEN, TAKEN, "550 5.6.0"]
        assert (await server.say("DATA")).startswith("503"), "a mail without a recipient"
        assert await server.say("QUIT") == "221 Bye"


async def test_many_at_once_are_all_stored(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, people(40))
    async with listening(installation) as (_, port):
        said = await asyncio.gather(
            *(hands_over(port, report(email), return_address(peer, email)) for email in people(40))
        )
    assert said == [said[0]] * 40
    assert codes(said[0]) == [TAKEN]
    assert len(await reports(installation)) == 40
    assert await counted(installation) == {"accepted": 40}
