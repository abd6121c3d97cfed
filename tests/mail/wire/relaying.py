"""Real connections to a server with a fault: aiosmtplib begins them, our own protocol goes on."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ssl import SSLContext

import aiosmtplib

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind
from newsletter.mail.wire.conversation import Mail
from newsletter.mail.wire.exchange import Patience
from newsletter.mail.wire.pipeline import Pipeline, take_over
from tests.support.faulty import Faulty

CONTENT = b"Subject: spring\r\n\r\nHello\r\n"
SENDER = "news@example.org"


@asynccontextmanager
async def connection(
    server: Faulty,
    patience: Patience | None = None,
    *,
    lockstep: bool = False,
    trusted: SSLContext | None = None,
    starttls: bool = False,
) -> AsyncIterator[Pipeline]:
    """Give a connection that is ready for mail."""
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        port=server.port,
        use_tls=trusted is not None and not starttls,
        start_tls=starttls,
        tls_context=trusted,
        local_hostname="tests.example.com",
    )
    await client.connect()
    await client.ehlo()
    pipeline = take_over(client, patience or Patience(), lockstep=lockstep)
    try:
        yield pipeline
    finally:
        await pipeline.close(1)


async def send_all(
    pipeline: Pipeline, recipients: Iterable[str], content: bytes = CONTENT
) -> tuple[list[tuple[str, Outcome]], list[str]]:
    """Send to all of them over it; give the outcomes, and for whom `begun` was called."""
    begun: list[str] = []
    mails = iter([
        Mail(Envelope(SENDER, recipient), content, lambda recipient=recipient: begun.append(recipient))  # type: ignore[misc]  # the default binds the recipient
        for recipient in recipients
    ])  # fmt: skip
    outcomes: list[tuple[str, Outcome]] = []
    await pipeline.run(
        lambda: next(mails, None), lambda mail, outcome: outcomes.append((mail.envelope.recipient, outcome))
    )
    return outcomes, begun


def check_against_record(server: Faulty, outcomes: list[tuple[str, Outcome]], begun: list[str]) -> None:
    """Hold the outcomes against what the server says it has taken: never twice, and nothing false."""
    assert len(server.people) == len(set(server.people)), "somebody was sent the same mail twice"
    assert len(outcomes) == len({who for who, _ in outcomes}), "somebody has two outcomes"
    for who, outcome in outcomes:
        taken = who in server.people
        match outcome.kind:
            case OutcomeKind.DELIVERED:
                assert taken, f"{who} is said to have got it"
            case OutcomeKind.IN_DOUBT:
                assert who in begun
            case OutcomeKind.NOT_ATTEMPTED:
                assert who not in begun
                assert not taken
            case _:
                assert not taken, f"{who} got it, and will get it again"
    decided = {who for who, _ in outcomes}
    assert set(server.people) <= decided, "somebody got it without an outcome"
    assert not any(server.to_nobody)
