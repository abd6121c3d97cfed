"""Whatever a server says, and in whatever pieces it arrives, each mail gets one verdict, and never a wrong one."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.outcome import Outcome, OutcomeKind
from newsletter.mail.wire.replies import InvalidReply, Reply, ReplyReader
from tests.mail.wire.conversing import Sending

RECIPIENTS = [f"reader{number}@example.com" for number in range(6)]
lines = st.sampled_from([
    b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250-one\r\n250-two\r\n250 three\r\n", b"251 forwarded\r\n",
    b"421 4.3.2 closing\r\n", b"450 4.2.0 later\r\n", b"451 no\r\n", b"503 what\r\n", b"550 5.1.1 nobody\r\n",
    b"552 5.2.2 full\r\n", b"554 no\r\n", b"250 unfinished", b"\r\n", b"junk\r\n", b"221 bye\r\n", b"250\n", b"354\r\n",
])  # fmt: skip
likely = st.sampled_from([b"250 ok\r\n250 ok\r\n354 go on\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n"])
said = st.lists(likely | st.lists(lines | st.binary(max_size=12), max_size=5).map(b"".join), max_size=8)
cuts = st.lists(st.integers(1, 9), max_size=60)


def told(groups: list[bytes], pieces: list[int], *, pipelining: bool) -> list[tuple[str, Outcome]]:
    sending = Sending(RECIPIENTS, pipelining=pipelining)
    sending.hear(*groups, pieces=pieces)
    sending.lose()
    return sending.verdicts


@given(said, cuts, st.booleans())
def test_how_the_bytes_are_chopped_changes_nothing(groups: list[bytes], pieces: list[int], pipelining: bool) -> None:
    assert told(groups, pieces, pipelining=pipelining) == told(groups, [], pipelining=pipelining)


@given(said, st.booleans())
def test_each_mail_gets_one_verdict_in_order(groups: list[bytes], pipelining: bool) -> None:
    recipients = [who for who, _ in told(groups, [], pipelining=pipelining)]
    assert recipients == RECIPIENTS[: len(recipients)]


@given(said, st.booleans())
def test_nobody_is_delivered_or_in_doubt_without_content(groups: list[bytes], pipelining: bool) -> None:
    sending = Sending(RECIPIENTS, pipelining=pipelining)
    sending.hear(*groups)
    sending.lose()
    contents = sum(b"Hello" in group for group in sending.written)
    at_the_end = (OutcomeKind.DELIVERED, OutcomeKind.IN_DOUBT)
    assert sum(outcome.kind in at_the_end for _, outcome in sending.verdicts) <= contents
    never_left = (OutcomeKind.NOT_ATTEMPTED,)
    assert sum(outcome.kind not in never_left for _, outcome in sending.verdicts) >= contents


@given(st.binary(max_size=200), cuts)
def test_no_bytes_break_the_reader(data: bytes, pieces: list[int]) -> None:
    assert replies(data, pieces) == replies(data, [])


def replies(data: bytes, pieces: list[int]) -> list[Reply | str]:
    reader = ReplyReader()
    read: list[Reply | str] = []
    starts = [sum(pieces[:count]) for count in range(len(pieces) + 1)]
    try:
        for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
            read.extend(reader.read(data[start : max(start, end)]))
    except InvalidReply:
        read.append("invalid")
    return read
