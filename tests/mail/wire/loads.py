"""Loads for a line: mails without anything that writes them."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count

from newsletter.mail.outcome import Envelope, Outcome, relay_failed
from newsletter.mail.wire.conversation import Mail

CONTENT = b"Subject: spring\r\n\r\nHello\r\n"
SENDER = "news@example.org"


def readers(number: int, name: str = "reader") -> list[str]:
    """Give so many invented addresses."""
    return [f"{name}{each}@example.com" for each in range(number)]


class Sack:
    """A load: mails to these readers. What the relay did not even look at goes back to the front."""

    def __init__(self, people: Iterable[str], looked: Callable[[], object] = lambda: None) -> None:
        self.over = asyncio.Event()
        self.outcomes: dict[str, Outcome] = {}
        self.trouble: BaseException | None = None
        self._waiting = deque(people)
        self._out = 0
        self._looked = looked

    @property
    def ready(self) -> int:
        return len(self._waiting)

    def take(self) -> Mail | None:
        if not self._waiting:
            return None
        self._looked()
        self._out += 1
        return Mail(Envelope(SENDER, self._waiting.popleft()), CONTENT)

    def done(self, mail: Mail, outcome: Outcome) -> None:
        self._out -= 1
        who = mail.envelope.recipient
        assert who not in self.outcomes
        if relay_failed(outcome):
            self._waiting.appendleft(who)
        else:
            self.outcomes[who] = outcome
        self._look_over()

    def lose_relay(self, trouble: BaseException) -> None:
        self.trouble = trouble
        self.stop()

    def stop(self) -> None:
        self._waiting.clear()
        self._look_over()

    def _look_over(self) -> None:
        if not self._out and not self._waiting:
            self.over.set()


class EndlessSack(Sack):
    """A load that is never over by itself."""

    def __init__(self) -> None:
        super().__init__(())
        self._numbers = count()
        self._stopped = False

    @property
    def ready(self) -> int:
        return 0 if self._stopped else 1000

    def take(self) -> Mail | None:
        if self._stopped:
            return None
        self._waiting.append(f"endless{next(self._numbers)}@example.com")
        return super().take()

    def stop(self) -> None:
        self._stopped = True
        super().stop()

    def _look_over(self) -> None:
        if self._stopped:
            super()._look_over()
