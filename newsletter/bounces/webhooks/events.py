"""What a sending service tells of our mails, as data, and what its words are worth. Pure.

A service calls "permanent" what it won't try again, and not what is dead. So it can only spare an address: what it
calls final is judged by the code and the words that it hands on, as a report is (RULES F2), and whatever it calls by
another name kills nobody (promise P6). Nothing it tells is believed before it has proved itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from newsletter.bounces.reading.codes import status_of
from newsletter.bounces.reading.judging import judge
from newsletter.bounces.reading.verdicts import Reading, Verdict
from newsletter.errors import NewsletterError

SUPPRESSED = Reading(Verdict.POLICY, "The service keeps the address on a list of its own and did not try.")
UNSUBSCRIBED = Reading(Verdict.UNSUBSCRIBE, "The reader asks to be left out.")
_DEADLY = (Verdict.DEAD, Verdict.DEAD_IF_REPEATED)


class NotProven(NewsletterError):
    """What was sent does not prove that the service sent it."""

    status = 403
    title = "Not proven"


class UnreadableMessage(NewsletterError):
    """What was sent is not what the service is documented to send."""

    status = 400
    title = "Not readable"


class Event(NamedTuple):
    """What is told of one mail. `named` are the values that may be our signed id, the best first, and `recipient` the
    address it is told of, or nothing.
    """

    named: Sequence[str]
    reading: Reading
    recipient: str = ""


class Heard(NamedTuple):
    """What a proven message tells. `once` is a token of it that may be used one time only, where it brings one."""

    events: Sequence[Event] = ()
    once: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came; the names of its headers in lower case."""

    body: bytes
    headers: Mapping[str, str]
    now: datetime


class Service(Protocol):
    """A service that may tell us of our mails, in messages of at most so many octets."""

    largest: int

    async def hear(self, message: Message) -> Heard:
        """Give what a message tells. Raises NotProven, UnreadableMessage, or Unreachable."""


def read_json(body: bytes | str) -> Any:
    """Read JSON. Raises UnreadableMessage."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise UnreadableMessage("The body could not be read as JSON.") from None


def read_object(body: bytes | str) -> dict[str, Any]:
    """Read a JSON object. Raises UnreadableMessage."""
    read = read_json(body)
    if not isinstance(read, dict):
        raise UnreadableMessage("The body must be a JSON object.")
    return read


def text_at(value: Any, *path: str) -> str:
    """Give the text, or the number as text, that stands there; of a list its first entry. Else the empty string."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def objects_at(value: Any, *path: str) -> list[dict[str, Any]]:
    """Give the objects of the list that stands there."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def judged(said: str, status: str = "", *, final: bool) -> Reading:
    """Judge a failure by the reply and the status that a service hands on. Nobody is dead where it is not `final`."""
    found = judge(said, status_of(status))
    if found.verdict in _DEADLY and not final:
        return Reading(Verdict.UNKNOWN, "The code says that the address is dead, but the service does not.", found.code)
    return found


def delayed(said: str, status: str = "") -> Reading:
    """Give the reading of what did not arrive yet, and is still being tried."""
    return Reading(Verdict.TRANSIENT, "It is delayed, and still being tried.", judge(said, status_of(status)).code)


def is_about_now(seconds: str, now: datetime, window: float) -> bool:
    """Say whether a time, in seconds since 1970, is at most `window` seconds away."""
    written = int(seconds) if re.fullmatch("[0-9]{1,11}", seconds) else 0
    return abs(now.timestamp() - written) <= window
