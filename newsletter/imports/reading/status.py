"""What other tools say of somebody: subscribed, left, found dead, never wants to hear again. Pure.

Whoever did not subscribe there is not taken here, and a word that is not known is not guessed at.
"""

from collections.abc import Mapping
from enum import Enum

FIELDS = ("status", "list_status", "unsubscribed_at", "cleaned_at")


class Standing(Enum):
    """How somebody stood with the other tool."""

    SUBSCRIBED = "subscribed"
    WAITING = "waiting"
    LEFT = "left"
    DEAD = "dead"
    NEVER = "never"
    UNKNOWN = "unknown"

    @property
    def suppresses(self) -> bool:
        """Say whether such a person must not be mailed again."""
        return self in (Standing.LEFT, Standing.DEAD, Standing.NEVER)


_WORDS = {
    Standing.SUBSCRIBED: "subscribed, active, enabled, confirmed, inactive, aktiv, påmeldt",
    Standing.WAITING: "unconfirmed, pending, transactional, non subscribed, nonsubscribed",
    Standing.LEFT: "unsubscribed, opted out, disabled, left, avmeldt, avmeld, trash, archived",
    Standing.DEAD: "bounced, bounce, cleaned, hard bounced, dead",
    Standing.NEVER: "blocklisted, blacklisted, blocked, complained, complaint, spam",
}
_STANDINGS = {word.strip(): standing for standing, words in _WORDS.items() for word in words.split(",")}
# The gravest of several counts.
_GRAVITY = (
    Standing.NEVER,
    Standing.DEAD,
    Standing.LEFT,
    Standing.UNKNOWN,
    Standing.WAITING,
    Standing.SUBSCRIBED,
)


def read(marks: Mapping[str, str]) -> Standing:
    """Give how somebody stood by the cells that say something of it; empty cells say nothing."""
    found = {Standing.SUBSCRIBED}
    for field, text in marks.items():
        if text:
            found.add(_of(field, text))
    return next(standing for standing in _GRAVITY if standing in found)


def _of(field: str, text: str) -> Standing:
    if field == "unsubscribed_at":
        return Standing.LEFT
    if field == "cleaned_at":
        return Standing.DEAD
    return _STANDINGS.get(text.casefold().replace("-", " ").replace("_", " "), Standing.UNKNOWN)
