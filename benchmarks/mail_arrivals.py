"""A relay that notes when each recipient's mail came, by the clock of this process."""

import threading
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.ports import free_port
from benchmarks.processes import CLOCK

_LONGEST = 60.0


class _Noting:
    def __init__(self, arrivals: "Arrivals") -> None:
        self._arrivals = arrivals

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        self._arrivals.note(envelope.rcpt_tos)
        return "250 OK"


class Arrivals:
    """The relay, for as long as its block lasts."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._came = threading.Condition()
        self._port = free_port()
        self._controller = Controller(_Noting(self), hostname="127.0.0.1", port=self._port)

    @property
    def url(self) -> str:
        """Give its address for NEWSLETTER_SMTP_URL."""
        return f"smtp://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start it."""
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._controller.stop()

    def note(self, recipients: list[str]) -> None:
        """Note that a mail to these came now."""
        with self._came:
            self._at |= dict.fromkeys(recipients, CLOCK.monotonic())
            self._came.notify_all()

    def wait_for(self, recipient: str) -> float:
        """Give when the mail to somebody came. Raises TimeoutError where it does not."""
        with self._came:
            if not self._came.wait_for(lambda: recipient in self._at, _LONGEST):
                raise TimeoutError(f"no mail came to {recipient}")
            return self._at[recipient]
