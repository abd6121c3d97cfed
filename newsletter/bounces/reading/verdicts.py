"""What a received mail says about an address, as data. Pure.

A verdict is what a mail administrator would say happened, under RULES F: dead is said of those codes alone that mean a
missing mailbox; all that is merely likely is unknown, and unknown deletes nobody (promise P6).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What happened, the worst first: of several recipients the worst one speaks for the mail."""

    DEAD = "dead"
    DEAD_IF_REPEATED = "dead_if_repeated"
    ALARM = "alarm"
    POLICY = "policy"
    MAILBOX_FULL = "mailbox_full"
    CONTENT = "content"
    UNKNOWN = "unknown"
    TRANSIENT = "transient"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    AUTOMATIC = "automatic"
    NOT_A_BOUNCE = "not_a_bounce"


_SEVERITY = {verdict: place for place, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says about one recipient.

    `reason` is a sentence of ours, never words of the mail. `code` is the enhanced status code (RFC 3463), else the
    SMTP reply code, else None.
    """

    verdict: Verdict
    reason: str
    code: str | None = None

    @property
    def deadly(self) -> bool:
        """Whether somebody may be deleted for it, at once or when it is repeated."""
        return self.verdict in (Verdict.DEAD, Verdict.DEAD_IF_REPEATED)


FOREIGN = Reading(Verdict.UNKNOWN, "The report is about another address, as where mail is forwarded on.")


def worst(readings: Iterable[Reading]) -> Reading:
    """Give the gravest of several readings; at least one must be given."""
    return min(readings, key=lambda reading: _SEVERITY[reading.verdict])
