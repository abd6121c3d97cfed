"""Several relays: each sender's mail takes its own, another stands in for one that fails, until it has rested."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes
from newsletter.settings import Settings
from tests.mail.wire.loads import CONTENT, SENDER, Sack, readers
from tests.support.peer import SmtpPeer

DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
CLOSED = "421 4.3.2 not now"


@pytest.fixture
def second() -> Iterator[SmtpPeer]:
    """Give the relay that stands in."""
    with SmtpPeer() as server:
        yield server


@asynccontextmanager
async def lines_to(default: str, domains: str = "") -> AsyncIterator[Lines]:
    lines = Lines(Routes.of(Settings(smtp_url=default, relays=domains)), 3, "news.example.org")
    try:
        yield lines
    finally:
        await lines.close()


async def mail(lines: Lines, people: list[str], sender: str = SENDER) -> None:
    """Send a load as a lane does: over whichever line is to be used, and another one where that can't be."""
    left = list(people)
    while left:
        line, sack = lines.pick(sender), Sack(left)
        await line.carry(sack)
        lines.note(line, usable=sack.trouble is None)
        left = [who for who in left if who not in sack.outcomes]
        assert not left or lines.stands_in(sender), "all rest"


async def letter(lines: Lines, to: str, sender: str = SENDER) -> Outcome:
    return await lines.send(Envelope(sender, to), CONTENT)


def rest_is_over(lines: Lines) -> None:
    """Turn time on until every relay has rested: the standings are moved back."""
    now = asyncio.get_running_loop().time()
    for relay, standing in lines._standings.items():
        lines._standings[relay] = type(standing)(standing.failures, now - 1)


async def test_another_relay_stands_in_until_the_first_has_rested(peer: SmtpPeer, second: SmtpPeer) -> None:
    async with lines_to(f"{peer.url} {second.url}") as lines:
        await mail(lines, readers(4, "well"))
        peer.refuse(reply=CLOSED, stage="CONNECT")
        await lines.close()
        await mail(lines, readers(4, "failing"))
        asked = peer.connections
        peer.accept()
        await mail(lines, readers(4, "resting"))
        assert peer.connections == asked, "it is left alone while it rests"
        rest_is_over(lines)
        await mail(lines, readers(4, "back"))
    assert peer.counted() == Counter(readers(4, "well") + readers(4, "back"))
    assert second.counted() == Counter(readers(4, "failing") + readers(4, "resting"))


async def test_while_one_tries_it_again_the_others_keep_to_the_stand_in(peer: SmtpPeer, second: SmtpPeer) -> None:
    async with lines_to(f"{peer.url} {second.url}") as lines:
        peer.refuse(reply=CLOSED, stage="CONNECT")
        await mail(lines, readers(1))
        rest_is_over(lines)
        first, other = lines.pick(SENDER), lines.pick(SENDER)
    assert [line.connections.relay.port for line in (first, other)] == [peer.port, second.port]


async def test_letters_take_the_stand_in_too(peer: SmtpPeer, second: SmtpPeer) -> None:
    peer.refuse(reply=CLOSED, stage="CONNECT")
    async with lines_to(f"{peer.url} {second.url}") as lines:
        assert await letter(lines, "kari@example.com") == DELIVERED
        assert await letter(lines, "ola@example.com") == DELIVERED
        assert (peer.connections, len(second.mails)) == (1, 2)
        peer.accept()
        rest_is_over(lines)
        assert await letter(lines, "liv@example.com") == DELIVERED
    assert peer.counted() == Counter({"liv@example.com": 1})


async def test_a_letter_that_is_refused_or_in_doubt_is_not_tried_elsewhere(peer: SmtpPeer, second: SmtpPeer) -> None:
    peer.refuse("gone@example.com")
    peer.hang_up("doubt@example.com", stage="END")
    async with lines_to(f"{peer.url} {second.url}") as lines:
        assert (await letter(lines, "gone@example.com")).kind is OutcomeKind.REFUSED
        assert (await letter(lines, "doubt@example.com")).kind is OutcomeKind.IN_DOUBT
    assert second.connections == 0


async def test_each_sender_has_the_relays_of_its_domain(peer: SmtpPeer, second: SmtpPeer) -> None:
    async with lines_to(peer.url, f"books.example.org = {second.url}") as lines:
        await mail(lines, readers(4, "any"))
        await mail(lines, readers(4, "books"), "news@books.example.org")
        assert await letter(lines, "kari@example.com", "news@weekly.books.example.org") == DELIVERED
        second.refuse(reply=CLOSED, stage="CONNECT")
        await lines.close()
        lost = await letter(lines, "ola@example.com", "news@books.example.org")
    assert lost == Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT, 421), "another domain's relay is none of theirs"
    assert peer.counted() == Counter(readers(4, "any"))
    assert second.counted() == Counter([*readers(4, "books"), "kari@example.com"])


async def test_where_all_rest_the_first_to_end_it_is_tried_again(peer: SmtpPeer, second: SmtpPeer) -> None:
    for relay in (peer, second):
        relay.refuse(reply=CLOSED, stage="CONNECT")
    async with lines_to(f"{peer.url} {second.url}") as lines:
        assert (await letter(lines, "kari@example.com")).kind is OutcomeKind.NOT_ATTEMPTED
        assert (peer.connections, second.connections) == (1, 1)
        assert not lines.stands_in(SENDER)
        second.accept()
        # Nobody waits for the rest to end where there is nothing else to do.
        assert await letter(lines, "kari@example.com") == DELIVERED
        assert lines.stands_in(SENDER)
    assert second.counted() == Counter({"kari@example.com": 1})


async def test_a_load_where_all_rest_takes_turns_until_one_of_them_works(peer: SmtpPeer, second: SmtpPeer) -> None:
    for relay in (peer, second):
        relay.refuse(reply=CLOSED, stage="CONNECT")
    async with lines_to(f"{peer.url} {second.url}") as lines:
        ports = []
        for _ in range(4):
            ports.append((line := lines.pick(SENDER)).connections.relay.port)
            await line.carry(Sack(readers(2)))
            lines.note(line, usable=False)
    assert ports == [peer.port, second.port] * 2
