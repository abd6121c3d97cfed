"""Our sending protocol, over a connection that aiosmtplib has connected, secured, signed in and greeted.

aiosmtplib's way of sending costs more than ten times what the network does (DESIGN §5), so its transport is taken over
when the beginnings are done. What is said and what it means is decided in `conversation.py`; here are only the socket
and the time. Everything happens in the callbacks of the transport: a mail costs no task switch.

At most one group is on its way at a time, so no more than one content waits in memory for a slow network. The final dot
of a long content is held back until the network has taken the rest: a connection lost before that is no doubt. (Under
TLS one can't tell what the network has taken, so the doubt remains.)
"""

import asyncio
from collections.abc import Callable
from typing import cast

import aiosmtplib

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.conversation import Conversation, Group, Mail, Verdict
from newsletter.mail.wire.exchange import Patience, unsendable

# Below that the content goes in one piece with its dot: one packet less, and the network takes it at once.
_ONE_PIECE = 16 * 1024
NextMail = Callable[[], Mail | None]
Done = Callable[[Mail, Outcome], object]


class Withheld(Exception):
    """Raised by a mail's `begun`: its content must not leave any more. The connection is dropped, and nothing else."""


class Pipeline(asyncio.Protocol):
    """One connection, ready for mail. Use `take_over` to make one."""

    def __init__(
        self, transport: asyncio.Transport, patience: Patience, *, pipelining: bool, smtputf8: bool = False
    ) -> None:
        self._transport = transport
        self._patience = patience
        self._smtputf8 = smtputf8
        self._conversation = Conversation(pipelining=pipelining)
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._running: asyncio.Future[None] | None = None
        self._next_mail: NextMail = _no_mail
        self._done: Done = _nothing
        self._blocked = False
        self._commands = b""
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Say whether a further mail may be sent over it."""
        return self._conversation.idle and not self._transport.is_closing()

    @property
    def distrusted(self) -> bool:
        """Say whether the server announced groups but could not keep up with them: use lockstep with it."""
        return self._conversation.distrusted

    async def run(self, next_mail: NextMail, done: Done) -> None:
        """Send what `next_mail` gives until it gives None or the connection ends; `done` gets each outcome, once.

        Every mail that was taken is done when this returns, also when it is cancelled. Both are called from within the
        event loop and must not block. What they raise ends the connection, and is raised here.
        """
        if self._running is not None:
            raise RuntimeError("This connection is sending already.")
        if not self.usable:
            return
        self._next_mail, self._done = next_mail, done
        running = self._running = self._loop.create_future()
        try:
            self._guarded(self._take_turn)
            await running
        finally:
            self._running = None
            if not self._conversation.idle:
                self.abandon()
            self._next_mail, self._done = _no_mail, _nothing

    async def send(self, envelope: Envelope, content: bytes, begun: Callable[[], object] = lambda: None) -> Outcome:
        """Send one mail and give what became of it. `begun` is called right before anything of its content can leave.

        Raises nothing that SMTP can cause. Mails sent one by one cost two round trips; `run` is for many.
        """
        mails = iter([Mail(envelope, content, begun)])
        outcomes: list[Outcome] = []
        await self.run(lambda: next(mails, None), lambda _, outcome: outcomes.append(outcome))
        return outcomes[0] if outcomes else Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)

    def abandon(self) -> None:
        """Drop the connection without a word; what was on its way is done at once."""
        self._guarded(lambda: self._report(self._conversation.lose()))
        self._hang_up()

    async def close(self, seconds: float) -> None:
        """Say goodbye, and wait that long for the server to hang up."""
        if self.usable and self._running is None:
            self._transport.write(b"QUIT\r\n")
            await asyncio.wait((self._gone,), timeout=seconds)
        self.abandon()

    def data_received(self, data: bytes) -> None:
        """Read replies, and take our turn when all are there."""
        self._guarded(lambda: self._hear(data))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (as asyncio calls it)
        """Note that the connection is gone, for whatever reason."""
        self.abandon()

    def pause_writing(self) -> None:
        """Note that the network has not taken all yet."""
        self._blocked = True

    def resume_writing(self) -> None:
        """Go on with the commands that were held back until the content had left."""
        self._blocked = False
        if self._commands:
            self._guarded(self._finish)

    def _guarded(self, step: Callable[[], None]) -> None:
        # An error of the caller's callbacks must neither get lost in the event loop nor leave a mail undecided.
        try:
            step()
        except Exception as error:
            if self._running is None or self._running.done():
                raise
            self._running.set_exception(error)
            self.abandon()

    def _hear(self, data: bytes) -> None:
        unanswered = self._conversation.unanswered
        self._report(self._conversation.receive(data))
        if self._conversation.over:
            self._hang_up()
        elif self._conversation.turn and self._running is not None:
            self._take_turn()
        elif self._conversation.unanswered != unanswered:
            self._wait()

    def _take_turn(self) -> None:
        conversation = self._conversation
        if conversation.invited is not None:
            # Before another is taken: where this raises, that one would be taken and never done.
            conversation.invited.begun()
        following = self._fetch() if conversation.wants_mail else None
        if following is None and conversation.idle:
            self._deadline = None
            self._stop()
            return
        self._write(conversation.write(following))

    def _fetch(self) -> Mail | None:
        while (mail := self._next_mail()) is not None:
            if (outcome := unsendable(mail.envelope, smtputf8=self._smtputf8)) is None:
                return mail
            self._done(mail, outcome)
        return None

    def _write(self, group: Group) -> None:
        if len(group.content) <= _ONE_PIECE:
            self._conversation.finish()
            self._transport.write(group.content + group.commands)
            self._wait()
            return
        self._commands = group.commands
        self._transport.write(group.content)
        if self._blocked:
            self._wait()
        else:
            self._finish()

    def _finish(self) -> None:
        commands, self._commands = self._commands, b""
        if self._conversation.over:
            return
        self._conversation.finish()
        self._transport.write(commands)
        self._wait()

    def _report(self, verdicts: list[Verdict]) -> None:
        try:
            while verdicts:
                self._done(*verdicts.pop(0))
        finally:
            if verdicts:
                self._report(verdicts)

    def _wait(self) -> None:
        """Set the time by which the next reply must be there: one timer for all of them, moved only when it is late."""
        conversation = self._conversation
        if self._commands:
            seconds = self._patience.block
        elif (awaited := conversation.awaited) is not None:
            seconds = self._patience.seconds(awaited, partly_answered=conversation.partly_answered)
        elif not conversation.turn:
            seconds = self._patience.stall
        else:
            self._deadline = None
            return
        self._deadline = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_the_time)
            return
        self._guarded(lambda: self._report(self._conversation.fall_silent()))
        self._hang_up()

    def _hang_up(self) -> None:
        self._deadline = None
        self._commands = b""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport.abort()
        if not self._gone.done():
            self._gone.set_result(None)
        self._stop()

    def _stop(self) -> None:
        if self._running is not None and not self._running.done():
            self._running.set_result(None)


def _no_mail() -> None:
    return None


def _nothing(_mail: Mail, _outcome: Outcome) -> None:
    return None


def take_over(client: aiosmtplib.SMTP, patience: Patience, *, lockstep: bool = False) -> Pipeline:
    """Take the connection of a client that has said EHLO; it is not to be used any more.

    With `lockstep` no groups are sent, even where the server announces that it takes them.
    """
    transport = cast(asyncio.Transport, client.transport)
    pipeline = Pipeline(
        transport,
        patience,
        pipelining=client.supports_extension("pipelining") and not lockstep,
        smtputf8=client.supports_extension("smtputf8"),
    )
    # So that it says at once when anything is left, and again when nothing is.
    transport.set_write_buffer_limits(high=1, low=0)
    transport.set_protocol(pipeline)
    return pipeline
