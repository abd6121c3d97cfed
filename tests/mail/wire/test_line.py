"""One line carries several loads at once, keeps no letter waiting, and makes do with what the relay takes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.line import Line
from newsletter.mail.wire.relays import read_relay
from newsletter.mail.wire.smtp import Connections
from tests.mail.wire.loads import CONTENT, SENDER, EndlessSack, Sack, readers
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

LETTER = Envelope(SENDER, "letter@example.com")
DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)


class FewAtOnce(SmtpPeer):
    """A relay that takes three connections at once, and turns all others away."""

    open = 0

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.open >= 3:
            writer.write(b"421 4.7.0 too many connections\r\n")
            writer.close()
            return
        self.open += 1
        try:
            await super()._meet(reader, writer)
        finally:
            self.open -= 1


class CountingLine(Line):
    """A line that counts how often it looked for mail."""

    looks = 0

    def wake(self) -> None:
        self.looks += 1
        super().wake()


@asynccontextmanager
async def line_to(peer: SmtpPeer, limit: int, options: str = "") -> AsyncIterator[CountingLine]:
    line = CountingLine(Connections(read_relay(peer.url + options), limit, "news.example.org"))
    try:
        yield line
    finally:
        await line.cut_off()
        await line.connections.close()


async def begun(peer: SmtpPeer, least: int) -> None:
    """Wait until the relay has been asked to take so many mails."""

    async def asked() -> bool:
        return sum(command == "DATA" for command in peer.commands) >= least

    await eventually_async(asked, what=f"{least} mails on their way")


async def test_several_loads_share_few_connections(peer: SmtpPeer) -> None:
    sacks = [Sack(readers(30, name)) for name in ("a", "b", "c")]
    async with line_to(peer, 2) as line:
        await asyncio.gather(*(line.carry(sack) for sack in sacks))
    assert peer.counted() == Counter(readers(30, "a") + readers(30, "b") + readers(30, "c"))
    for sack in sacks:
        assert set(sack.outcomes.values()) == {DELIVERED}
    assert peer.connections == 2


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_letter_is_not_kept_waiting_by_a_stream_that_never_ends(peer: SmtpPeer, limit: int) -> None:
    sack = EndlessSack()
    async with line_to(peer, limit) as line:
        stream = asyncio.create_task(line.carry(sack))
        await begun(peer, 10)
        for _ in range(3):
            assert await asyncio.wait_for(line.connections.send(LETTER, CONTENT), 60) == DELIVERED
        so_far = len(peer.mails)
        await begun(peer, so_far + 50)
        sack.stop()
        await stream
    assert peer.connections == limit, "the stream went on over the same connections"
    assert len(peer.mails_to(LETTER.recipient)) == 3
    assert max((peer.counted() - Counter({LETTER.recipient: 3})).values()) == 1


async def test_a_relay_that_takes_three_of_ten_connections_gets_everything() -> None:
    with FewAtOnce() as peer:
        peer.slow(0.01)
        sack = Sack(readers(60))
        async with line_to(peer, 10) as line:
            await line.carry(sack)
        assert peer.counted() == Counter(readers(60))
    assert sack.trouble is None


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_a_carrier_that_loses_its_connection_goes_on_with_another(peer: SmtpPeer, stage: str) -> None:
    peer.hang_up(SENDER if stage == "MAIL" else "reader7@example.com", stage=stage)
    sack = Sack(readers(20))
    async with line_to(peer, 2) as line:
        await line.carry(sack)
    lost = {who: outcome for who, outcome in sack.outcomes.items() if outcome != DELIVERED}
    never_looked_at = (
        {} if stage == "MAIL" else {"reader7@example.com": Outcome(OutcomeKind.NOT_ATTEMPTED, Stage(stage.lower()))}
    )
    assert lost == never_looked_at
    assert peer.counted() == Counter(set(readers(20)) - set(lost))


async def test_only_the_mail_that_was_on_its_way_over_a_lost_connection_is_in_doubt(peer: SmtpPeer) -> None:
    peer.hang_up("reader7@example.com", stage="END")
    sack = Sack(readers(20))
    async with line_to(peer, 2) as line:
        await line.carry(sack)
    doubtful = {who for who, outcome in sack.outcomes.items() if outcome.kind is OutcomeKind.IN_DOUBT}
    assert doubtful == {"reader7@example.com"}
    assert peer.counted() == Counter(readers(20))


async def test_a_connection_carries_no_more_than_the_relay_wants_over_one(peer: SmtpPeer) -> None:
    sack = Sack(readers(23))
    async with line_to(peer, 2, "?messages=5") as line:
        await line.carry(sack)
        assert await line.connections.send(LETTER, CONTENT) == DELIVERED
    assert peer.counted() == Counter([*readers(23), LETTER.recipient])
    over_each = Counter(mail.connection for mail in peer.mails)
    assert max(over_each.values()) <= 5
    assert peer.connections >= 5


async def test_a_relay_s_rate_is_kept_without_looking_at_it_all_the_time(peer: SmtpPeer) -> None:
    time, left = asyncio.get_running_loop().time, []
    async with line_to(peer, 4, "?rate=50") as line:
        bucket = line._bucket
        assert bucket is not None
        sack = Sack(readers(30), lambda: left.append(line._meter.left(bucket, time())))
        began = time()
        await line.carry(sack)
        took = time() - began
        assert line._meter.full_at >= began + 30 / 50, "each mail was counted"
    assert min(left) >= 1, "none left before its time"
    assert peer.counted() == Counter(readers(30))
    assert line.looks <= 2 + took * 50


async def test_once_nothing_is_left_a_line_with_a_rate_looks_no_more(peer: SmtpPeer) -> None:
    async with line_to(peer, 4, "?rate=1000") as line:
        for _ in range(3):
            await line.carry(Sack(readers(250)))
        await asyncio.sleep(0.01)
        looks = line.looks
        await asyncio.sleep(0.05)
        assert line.looks == looks


async def test_behind_a_slow_relay_nobody_waits_for_a_busy_connection_while_another_is_idle(peer: SmtpPeer) -> None:
    peer.slow(60)
    async with line_to(peer, 4) as line:
        carrying = []
        for on_their_way, load in ((1, 1), (3, 2), (4, 1)):
            sack = Sack(readers(load, f"load{on_their_way}-"))
            carrying.append(asyncio.create_task(line.carry(sack)))
            await begun(peer, on_their_way)
        assert peer.connections == 4
        for task in carrying:
            task.cancel()


async def test_what_is_cut_off_is_done_at_once(peer: SmtpPeer) -> None:
    peer.slow(60)
    sack = Sack(readers(6))
    async with line_to(peer, 2) as line:
        carrying = asyncio.create_task(line.carry(sack))
        await begun(peer, 2)
        await line.cut_off()
        sack.stop()
        await asyncio.wait_for(carrying, 30)
    assert list(sack.outcomes.values()) == [Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)] * 2


async def test_where_no_connection_works_the_relay_is_lost_and_said_to_be() -> None:
    sack = Sack(readers(6))
    line = Line(Connections(read_relay("smtp://127.0.0.1:1"), 3, "news.example.org"))
    await line.carry(sack)
    assert isinstance(sack.trouble, Exception)
    assert line.connections.explain(sack.trouble).kind == "connection_refused"
    assert not sack.outcomes


async def test_a_relay_that_comes_back_takes_the_next_load(peer: SmtpPeer) -> None:
    peer.refuse(reply="421 4.3.2 not now", stage="CONNECT")
    async with line_to(peer, 3) as line:
        await line.carry(lost := Sack(readers(6)))
        assert lost.trouble is not None
        peer.accept()
        await line.carry(sack := Sack(readers(6)))
    assert set(sack.outcomes.values()) == {DELIVERED}
    assert sack.trouble is None
