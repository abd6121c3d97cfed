"""What a key may be: its name, its scopes, for which newsletters and until when. Sending is a scope of its own
(RULES H8).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.errors import InvalidInput

LONGEST_NAME = 100
# The lives that are offered, in days; 0 is without an end.
LIVES = (30, 90, 365, 0)


class Scope(StrEnum):
    """What a key may be used for."""

    ISSUES = "issues"
    SEND = "send"
    FIGURES = "figures"
    SUBSCRIBERS = "subscribers"
    IMPORT = "import"
    EXPORT = "export"
    READ = "read"


MEANINGS = {
    Scope.ISSUES: "Write and read issues, and see how their mailings go",
    Scope.SEND: "Send issues, pause, resume and cancel mailings, decide about those in doubt",
    Scope.FIGURES: "Read figures, and what came back",
    Scope.SUBSCRIBERS: "Search subscribers, and list those in doubt",
    Scope.IMPORT: "Take people in",
    Scope.EXPORT: "Take the list of subscribers out",
    Scope.READ: "Read notices",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that is to be made. `newsletters` are ids; None is every newsletter, those to come too."""

    name: str
    scopes: Sequence[str]
    newsletters: Collection[str] | None = None
    expires_at: datetime | None = None


def read_scopes(given: Collection[str]) -> list[str]:
    """Give scopes in their order, each once. Raises InvalidInput where one is unknown."""
    known = [scope.value for scope in Scope]
    if unknown := sorted(set(given) - set(known)):
        sentence = f"There is no scope {', '.join(unknown)}; the scopes are {', '.join(known)}."
        raise InvalidInput(sentence, {"scopes": sentence})
    return [scope for scope in known if scope in given]


def read_name(given: str) -> str:
    """Give the name of a key. Raises InvalidInput."""
    name = given.strip()
    if not name or len(given) > LONGEST_NAME or not given.isprintable():
        sentence = "Please name the key, on one line of at most 100 characters, after the program that will use it."
        raise InvalidInput(sentence, {"name": sentence})
    return name


def read_form(values: Mapping[str, str], newsletters: Collection[str], now: datetime) -> Wanted:
    """Read the form of the console. Raises InvalidInput for all that is wrong at once."""
    wrong: dict[str, str] = {}
    name = ""
    try:
        name = read_name(values.get("name", ""))
    except InvalidInput as error:
        wrong |= error.fields
    scopes = [scope.value for scope in Scope if f"scope-{scope}" in values]
    if not scopes:
        wrong["scopes"] = "Please choose at least one thing that the key is for."
    chosen = [each for each in newsletters if f"newsletter-{each}" in values]
    every = values.get("which") == "every"
    if not every and not chosen:
        wrong["which"] = "Please choose the newsletters that the key is for."
    days = values.get("days", "")
    if days not in {str(life) for life in LIVES}:
        wrong["days"] = "Please choose how long the key is good for."
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return Wanted(name, scopes, None if every else chosen, expiry(int(days), now))


def expiry(days: int, now: datetime) -> datetime | None:
    """Give when a key of so many days ends; None for 0, which is never."""
    return now + timedelta(days=days) if days else None
