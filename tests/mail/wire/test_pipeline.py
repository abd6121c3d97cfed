"""Sending over a real connection to a faulty server: each recipient's outcome, against the server's own record."""

import asyncio
from contextlib import suppress

import pytest

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.conversation import Mail
from newsletter.mail.wire.exchange import Patience
from newsletter.mail.wire.pipeline import Pipeline, Withheld
from tests.mail.wire.relaying import CONTENT, SENDER, check_against_record, connection, send_all
from tests.support.faulty import HANGS, Faults, Faulty, faulty

READERS = [f"reader{number}@example.com" for number in range(6)]
THIRD = READERS[2]
DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("stage", "reply", "kind", "code"),
    [
        ("RCPT", b"450 4.2.0 greylisted\r\n", "deferred", 450),
        ("RCPT", b"552 5.2.2 mailbox full\r\n", "deferred", 552),
        ("RCPT", b"550-5.1.1 there is\r\n550 5.1.1 nobody here\r\n", "refused", 550),
        ("DATA", b"554 5.7.1 no\r\n", "refused", 554),
        ("END", b"451 4.3.1 later\r\n", "deferred", 451),
        ("END", b"554 5.6.0 spam\r\n", "refused", 554),
    ],
)
async def test_one_is_refused_and_all_others_get_theirs(
    stage: str, reply: bytes, kind: str, code: int, pipelining: bool
) -> None:
    for invites_nobody in (False, True):
        faults = Faults(replies={(stage, THIRD): reply}, pipelining=pipelining, invites_nobody=invites_nobody, piece=1)
        async with faulty(faults) as server, connection(server) as pipeline:
            outcomes, begun = await send_all(pipeline, READERS)
        check_against_record(server, outcomes, begun)
        assert dict(outcomes) == dict.fromkeys(READERS, DELIVERED) | {
            THIRD: Outcome(OutcomeKind(kind), Stage(stage.lower().replace("end", "data")), code, reply[4:9].decode())
        }
        assert set(server.people) == {*READERS} - {THIRD}


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_refused_sender_fails_nobody_else_on_the_connection(pipelining: bool) -> None:
    faults = Faults(replies={("MAIL", "bad@example.org"): b"553 5.1.8 no such sender\r\n"}, pipelining=pipelining)
    async with faulty(faults) as server, connection(server) as pipeline:
        refused = await pipeline.send(Envelope("bad@example.org", READERS[0]), CONTENT)
        assert refused == Outcome(OutcomeKind.REFUSED, Stage.MAIL, 553, "5.1.8")
        assert await pipeline.send(Envelope(SENDER, READERS[1]), CONTENT) == DELIVERED
    assert server.people == [READERS[1]]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END"])
async def test_421_at_any_stage_is_taken_as_a_closed_door(stage: str, pipelining: bool) -> None:
    replies = {(stage, SENDER if stage == "MAIL" else READERS[0]): b"421 4.3.2 closing\r\n"}
    async with faulty(Faults(replies=replies, pipelining=pipelining)) as server, connection(server) as pipeline:
        outcomes, begun = await send_all(pipeline, READERS)
        assert not pipeline.usable
    check_against_record(server, outcomes, begun)
    expected = OutcomeKind.DEFERRED if stage == "END" else OutcomeKind.NOT_ATTEMPTED
    assert outcomes[0][1].kind is expected
    assert outcomes[0][1].code == 421
    assert all(outcome.kind is OutcomeKind.NOT_ATTEMPTED for _, outcome in outcomes[1:])


@pytest.mark.parametrize(
    "faults",
    [
        Faults(forgets_after=frozenset({"MAIL"})),
        Faults(forgets_after=frozenset({"RCPT"})),
        Faults(forgets_after=frozenset({"END"})),
        Faults(forgets_after_refusal=True, replies={("RCPT", THIRD): b"550 5.1.1 nobody\r\n"}),
        Faults(replies={("RCPT", READERS[1]): b""}),
        Faults(replies={("RCPT", READERS[1]): HANGS}),
        Faults(replies={("END", READERS[1]): b""}),
        Faults(extra={"MAIL": b"250 stray\r\n"}),
        Faults(extra={"DATA": b"250 stray\r\n"}),
        Faults(extra={"END": b"250 stray\r\n"}, replies={("END", ""): b"451 4.3.0 later\r\n"}),
        Faults(extra={"END": b"451 stray\r\n"}),
        Faults(replies={("DATA", ""): b"250 wrong order\r\n"}),
    ],
)
async def test_a_server_that_gets_groups_wrong_is_spoken_to_in_lockstep(faults: Faults) -> None:
    """PIPELINING is announced, but what is sent ahead gets lost, or the replies do not answer what they seem to."""
    async with faulty(faults) as server:
        async with connection(server, Patience(stall=0.5, mail=2)) as pipeline:
            outcomes, begun = await send_all(pipeline, READERS)
            assert pipeline.distrusted
            assert not pipeline.usable
        check_against_record(server, outcomes, begun)
        again = [who for who in READERS if dict(outcomes).get(who, DELIVERED).kind is OutcomeKind.NOT_ATTEMPTED]
        waiting = [who for who in READERS if who not in dict(outcomes)]
        async with connection(server, Patience(rcpt=0.1, data=0.1), lockstep=True) as pipeline:
            later, begun_later = await send_all(pipeline, again + waiting)
        check_against_record(
            server, [*later, *((who, o) for who, o in outcomes if who not in again)], begun + begun_later
        )


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END"])
async def test_a_reply_of_ten_megabytes_ends_the_connection(stage: str) -> None:
    endless = b"250-" + b"x" * 10_000_000 + b"\r\n250 ok\r\n"
    async with faulty(Faults(replies={(stage, ""): endless})) as server, connection(server) as pipeline:
        outcomes, begun = await send_all(pipeline, READERS)
        assert not pipeline.usable
    check_against_record(server, outcomes, begun)
    assert outcomes[0][1].kind is (OutcomeKind.IN_DOUBT if stage == "END" else OutcomeKind.NOT_ATTEMPTED)


async def test_no_reply_to_the_final_dot_is_in_doubt() -> None:
    """RULES F9."""
    faults = Faults(replies={("END", THIRD): HANGS})
    async with faulty(faults) as server, connection(server, Patience(end=2)) as pipeline:
        outcomes, begun = await send_all(pipeline, READERS)
        assert not pipeline.distrusted
    check_against_record(server, outcomes, begun)
    assert [outcome.kind for _, outcome in outcomes] == [
        *[OutcomeKind.DELIVERED] * 2, OutcomeKind.IN_DOUBT, OutcomeKind.NOT_ATTEMPTED,
    ]  # fmt: skip


async def test_where_a_mail_must_not_leave_any_more_none_is_taken_that_is_never_done() -> None:
    taken: list[str] = []
    done: list[str] = []

    def begin(recipient: str) -> None:
        if recipient == THIRD:
            raise Withheld

    def take() -> Mail:
        taken.append(recipient := READERS[len(taken)])
        return Mail(Envelope(SENDER, recipient), CONTENT, lambda: begin(recipient))

    async with faulty(Faults()) as server, connection(server) as pipeline:
        with pytest.raises(Withheld):
            await pipeline.run(take, lambda mail, _: done.append(mail.envelope.recipient))
    assert server.people == READERS[:2]
    assert taken == done == READERS[:3]


async def test_a_tarpit_is_sat_out() -> None:
    """Its four replies take longer together than is allowed for one, so the time runs for each of them anew."""
    patience = Patience(mail=1.8, rcpt=1.8, data=1.8, end=1.8, stall=1.8)
    async with faulty(Faults(delay=0.5)) as server, connection(server, patience) as pipeline:
        outcomes, _ = await send_all(pipeline, READERS[:2])
    assert outcomes == [(who, DELIVERED) for who in READERS[:2]]


async def test_a_reply_that_drips_does_not_hold_a_connection_for_ever() -> None:
    drip = Faults(replies={("MAIL", ""): b"250-" + b"x" * 3000}, piece=1, pause=0.02)
    async with faulty(drip) as server, connection(server, Patience(mail=0.2)) as pipeline, asyncio.timeout(10):
        outcomes, begun = await send_all(pipeline, READERS)
    check_against_record(server, outcomes, begun)
    assert outcomes == [(READERS[0], Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.MAIL))]


async def test_a_long_content_whose_dot_was_held_back_is_not_in_doubt() -> None:
    """The server reads nothing more after its invitation, so the network can't take ten megabytes."""
    async with faulty(Faults(deaf_in_content=True)) as server:
        async with connection(server, Patience(block=0.2, end=0.5)) as pipeline:
            outcomes, begun = await send_all(pipeline, READERS, b"x" * 10_000_000)
        assert begun == READERS[:1]
        assert outcomes[0] == (READERS[0], Outcome(OutcomeKind.DEFERRED, Stage.DATA))
        check_against_record(server, outcomes, begun)


async def test_a_long_content_arrives_whole() -> None:
    content = b"".join(b"%06d %s\r\n" % (number, b"x" * 60) for number in range(10_000))
    async with faulty(Faults()) as server, connection(server) as pipeline:
        outcomes, _ = await send_all(pipeline, READERS[:2], content)
    assert outcomes == [(who, DELIVERED) for who in READERS[:2]]
    assert server.accepted == [(who, content) for who in READERS[:2]]


async def test_dots_arrive_as_they_were_written() -> None:
    content = b".\r\n..\r\n.a\r\nb.\r\n.\r\n"
    async with faulty(Faults()) as server, connection(server) as pipeline:
        assert await pipeline.send(Envelope(SENDER, READERS[0]), content) == DELIVERED
    assert server.accepted == [(READERS[0], content)]


async def test_who_is_cut_off_knows_what_had_begun() -> None:
    async with faulty(Faults(replies={("END", READERS[0]): HANGS})) as server, connection(server) as pipeline:
        done: dict[str, Outcome] = {}
        begun = asyncio.Event()
        mails = iter([Mail(Envelope(SENDER, who), CONTENT, begun.set) for who in READERS])
        running = asyncio.create_task(
            pipeline.run(
                lambda: next(mails, None), lambda mail, outcome: done.update({mail.envelope.recipient: outcome})
            )
        )
        await begun.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert done[READERS[0]].kind is OutcomeKind.IN_DOUBT
        assert done[READERS[1]].kind is OutcomeKind.NOT_ATTEMPTED
        assert not pipeline.usable


async def test_an_error_of_the_caller_ends_the_connection_and_leaves_nobody_undecided() -> None:
    async with faulty(Faults()) as server, connection(server) as pipeline:
        outcomes: list[tuple[str, Outcome]] = []

        def fail() -> None:
            raise LookupError("no journal")

        mails = iter([Mail(Envelope(SENDER, READERS[0]), CONTENT), Mail(Envelope(SENDER, READERS[1]), CONTENT, fail)])
        with pytest.raises(LookupError, match="no journal"):
            await pipeline.run(
                lambda: next(mails, None), lambda mail, outcome: outcomes.append((mail.envelope.recipient, outcome))
            )
        assert [(who, outcome.kind) for who, outcome in outcomes] == [
            (READERS[0], OutcomeKind.DELIVERED),
            (READERS[1], OutcomeKind.NOT_ATTEMPTED),
        ]
    assert server.people == READERS[:1]


async def test_an_outcome_that_could_not_be_noted_hides_no_other() -> None:
    faults = Faults(replies={("MAIL", "leaving@example.org"): b"421 4.3.2 closing\r\n"})
    async with faulty(faults) as server, connection(server) as pipeline:
        outcomes: list[tuple[str, OutcomeKind]] = []

        def note(mail: Mail, outcome: Outcome) -> None:
            outcomes.append((mail.envelope.recipient, outcome.kind))
            if mail.envelope.recipient == READERS[0]:
                raise LookupError("no ledger")

        envelopes = (Envelope(SENDER, READERS[0]), Envelope("leaving@example.org", READERS[1]))
        mails = iter([Mail(envelope, CONTENT) for envelope in envelopes])
        with pytest.raises(LookupError, match="no ledger"):
            await pipeline.run(lambda: next(mails, None), note)
    assert outcomes == [(READERS[0], OutcomeKind.DELIVERED), (READERS[1], OutcomeKind.NOT_ATTEMPTED)]


async def test_a_connection_that_ended_attempts_nothing() -> None:
    async with faulty(Faults()) as server, connection(server) as pipeline:
        assert pipeline.usable
        pipeline.abandon()
        assert await _send(pipeline, server) == Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)


async def _send(pipeline: Pipeline, server: Faulty) -> Outcome:
    outcome = await pipeline.send(Envelope(SENDER, READERS[0]), CONTENT)
    assert not server.accepted
    return outcome
