"""Nobody holds the listener up: not by size, not by number, not by silence; and none of it loses a mail."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from newsletter.bounces.listener import door as listener_door
from newsletter.bounces.listener import talk as listener_talk
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, HOUR, report, reports, return_address, sent
from tests.bounces.listener.listening import codes, connected, counted, hands_over, listening
from tests.support.peer import SmtpPeer

TAKEN = "250 2.0.0"


async def test_a_long_mail_is_read_as_far_as_it_says_anything(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [CAROL])
    to, returned = return_address(peer), b"\n" + b"x" * 100_000 + b"\n.dotted\n" + b"line\n" * 100_000
    async with listening(sqlite_installation) as (_, port):
        assert codes(await hands_over(port, report() + returned, to)) == [TAKEN]
        assert [each.verdict for each in await reports(sqlite_installation)] == ["dead"]


async def test_one_beyond_all_measure_is_refused_and_the_connection_goes_on(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [CAROL])
    to = return_address(peer)
    async with listening(sqlite_installation) as (_, port), connected(port) as server:
        assert (await server.say(f"MAIL FROM:<> SIZE={listener_talk.LARGEST + 1}")).startswith("552")
        large = report() + (b"y" * 998 + b"\n") * (listener_talk.LARGEST // 999 + 1)
        assert codes(await server.hand_over(large, to)) == ["552 5.3.4"]
        assert codes(await server.hand_over(report(), to)) == [TAKEN]


async def test_only_two_line_ends_around_a_dot_end_a_mail(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    """Else a mail could bring commands of its own behind it (SMTP smuggling)."""
    await sent(sqlite_installation, peer, [CAROL])
    async with listening(sqlite_installation) as (_, port), connected(port) as server, connected(port) as other:
        for line in ("MAIL FROM:<>", f"RCPT TO:<{return_address(peer)}>", "DATA"):
            await server.say(line)
        await server.send(b"x" * 20_000 + b".")
        await other.say("NOOP")  # By then the long line was read as far as it had come.
        await server.send(b"\r\n")
        await server.send(b"Subject: one\r\n\r\nhello\n.\nMAIL FROM:<>\r\n\n.\r\nQUIT\n.\n\r\n..\r\n")
        assert (await server.say(".")).startswith(TAKEN)
        assert (await server.say("NOOP")).startswith("250"), "nothing of it was a command"


async def test_too_many_at_once_come_again_later(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    await sent(sqlite_installation, peer, [CAROL])
    async with listening(sqlite_installation) as (_, port):
        async with AsyncExitStack() as inside:
            for _ in range(listener_door.MOST_TALKS_OF_ONE):
                await inside.enter_async_context(connected(port))
            async with connected(port, "") as late:
                assert codes([await late.hear(), await late.hear()]) == ["421 4.7.0", ""]
        async with connected(port, "") as later:
            assert (await later.hear()).startswith("220")
        assert codes(await hands_over(port, report(), return_address(peer))) == [TAKEN]


async def test_too_many_recipients_are_left_for_another_time(sqlite_installation: Installation) -> None:
    async with listening(sqlite_installation) as (_, port), connected(port) as server:
        await server.say("MAIL FROM:<fbl@example.net>")
        said = [await server.say("RCPT TO:<abuse@bounces.example.com>") for _ in range(60)]
        assert codes(said) == ["250 2.1.5"] * 50 + ["452 4.5.3"] * 10


async def test_who_is_named_fifty_times_has_one_mail(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    await sent(sqlite_installation, peer, [CAROL])
    to = return_address(peer)
    async with listening(sqlite_installation) as (_, port), connected(port, "LHLO relay.example.com") as server:
        await server.say("MAIL FROM:<>")
        for spelling in (to, to.upper()) * 25:
            await server.say(f"RCPT TO:<{spelling}>")
        await server.say("DATA")
        said = [await server.content(report()), *[await server.hear() for _ in range(49)]]
    assert codes(said) == [TAKEN] * 50
    assert await counted(sqlite_installation) == {"accepted": 1}


async def test_who_writes_what_nobody_reads_costs_no_transaction(sqlite_installation: Installation) -> None:
    """Anybody may write there: it is read outside the database's transactions, and counted now and then."""
    async with listening(sqlite_installation) as (listener, port):
        said = await hands_over(port, b"Subject: hello\n\n", "abuse@bounces.example.com", sender=CAROL)
        assert codes(said) == ["550 5.6.0"]
        assert await counted(sqlite_installation) == {}
        await listener.keep()
        assert await counted(sqlite_installation) == {"foreign": 1}


async def test_a_machine_that_asks_too_much_waits_for_the_next_minute(
    sqlite_installation: Installation, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_door, "MOST_RECIPIENTS_A_MINUTE", 3)
    async with listening(sqlite_installation) as (listener, port):
        async with connected(port) as server:
            await server.say("MAIL FROM:<>")
            said = [await server.say("RCPT TO:<nobody@example.net>") for _ in range(4)]
            assert codes(said) == ["550 5.1.1"] * 3 + ["421 4.7.0"]
            assert await server.hear() == ""
        clock.turn(clock.now() + HOUR)
        assert codes(await hands_over(port, report(), "nobody@example.net")) == ["550 5.1.1"]
        await listener.keep()
        assert await counted(sqlite_installation) == {"foreign": 4}


async def test_whoever_is_silent_or_slow_holds_nobody_up(
    sqlite_installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(sqlite_installation, peer, [CAROL])
    async with (
        listening(sqlite_installation) as (listener, port),
        connected(port) as waiting,
        AsyncExitStack() as inside,
    ):
        with monkeypatch.context() as hasty:
            for name in ("SILENT_SECONDS", "MESSAGE_SECONDS"):
                hasty.setattr(listener_talk, name, 2)
            silent = await inside.enter_async_context(connected(port))
            slow = await inside.enter_async_context(connected(port))
            for line in ("MAIL FROM:<>", f"RCPT TO:<{return_address(peer)}>", "DATA"):
                await slow.say(line)
        await slow.send(b"Subject: I will tell you")
        assert codes(await waiting.hand_over(report(), return_address(peer))) == [TAKEN]
        assert codes([await silent.hear(), await slow.hear()]) == ["421 4.4.2"] * 2
        assert (await waiting.say("QUIT")).startswith("221")
        await asyncio.wait_for(listener.all_gone(), 60)


async def test_nobody_keeps_a_place_by_saying_a_little_now_and_then(
    sqlite_installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is never silent; but the mail that somebody brings just then is taken."""
    await sent(sqlite_installation, peer, [CAROL])
    monkeypatch.setattr(listener_talk, "OLDEST_SECONDS", 1)
    async with (
        listening(sqlite_installation) as (_, port),
        connected(port) as chatty,
        connected(port) as bringing,
    ):
        for line in ("MAIL FROM:<>", f"RCPT TO:<{return_address(peer)}>", "DATA"):
            assert (await bringing.say(line))[:1] in "23"
        assert (await chatty.say("RSET")).startswith("250")
        assert codes([await chatty.hear(), await chatty.hear()]) == ["421 4.4.2", ""]
        assert codes([await bringing.content(report()), await bringing.hear()]) == [TAKEN, "421 4.4.2"]
