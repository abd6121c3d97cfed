"""The connection is cut at every single octet of an exchange, in both directions, with groups and in lockstep."""

import pytest

from newsletter.mail.outcome import Outcome, OutcomeKind, Stage
from tests.mail.wire.relaying import check_against_record, connection, send_all
from tests.support.faulty import Faults, Faulty, faulty

_END = "250 2.0.0 ok\r\n"
ALICE, BOB = "alice@example.com", "bob@example.com"


async def exchange(server: Faulty) -> list[tuple[str, Outcome]]:
    server.accepted.clear()
    async with connection(server) as pipeline:
        outcomes, begun = await send_all(pipeline, [ALICE, BOB])
    check_against_record(server, outcomes, begun)
    return outcomes


@pytest.mark.parametrize("pipelining", [True, False])
async def test_cut_while_we_speak(pipelining: bool) -> None:
    faults = Faults(pipelining=pipelining)
    async with faulty(faults) as server:
        assert [outcome.kind for _, outcome in await exchange(server)] == [OutcomeKind.DELIVERED] * 2
        seen = set()
        for offset in range(server.read):
            faults.cut_reading = offset
            seen |= {(who, outcome.kind, outcome.stage) for who, outcome in await exchange(server)}
    kinds = {kind for _, kind, _ in seen}
    assert kinds == {OutcomeKind.NOT_ATTEMPTED, OutcomeKind.IN_DOUBT, OutcomeKind.DELIVERED}


@pytest.mark.parametrize("pipelining", [True, False])
async def test_cut_while_the_server_speaks(pipelining: bool) -> None:
    """Delivered is whoever's reply to the final dot came to its end; in doubt, whoever was taken and it did not."""
    faults = Faults(pipelining=pipelining)
    async with faulty(faults) as server:
        await exchange(server)
        for offset in range(server.written):
            faults.cut_writing = offset + 1
            outcomes = dict(await exchange(server))
            for who, replied_at in zip((ALICE, BOB), _replied_at(pipelining=pipelining), strict=True):
                outcome = outcomes.get(who)
                if offset + 1 >= replied_at:
                    assert outcome == Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
                elif who in server.people:
                    assert outcome is not None
                    assert outcome.kind is OutcomeKind.IN_DOUBT
                else:
                    # What was cut right after its invitation may have arrived, for all that we can know.
                    invited = offset + 1 == replied_at - len(_END)
                    expected = OutcomeKind.IN_DOUBT if invited else OutcomeKind.NOT_ATTEMPTED
                    assert outcome is None or outcome.kind is expected


def _replied_at(*, pipelining: bool) -> tuple[int, int]:
    """Give how many octets the server had written when its reply to each final dot was whole."""
    mail = rcpt = len("250 2.1.0 ok\r\n")
    first = mail + rcpt + len("354 go on\r\n") + len(_END)
    return first, 2 * first + (0 if pipelining else len(_END))
