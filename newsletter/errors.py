"""The one family of errors that people meet. Each is a sentence its reader can act on, with an HTTP status.

Anything else that is raised is a fault of ours: it is logged by its kind alone, and answered with a plain 500.
"""

import re
from collections.abc import Mapping

# What msgspec finds wrong with a value, and how that is said to a person.
_SHAPES = (
    (re.compile(r"Expected `str` of length <= (\d+)"), r"This may be at most \1 characters long."),
    (re.compile(r"Expected `str` of length >= "), "Please fill this in."),
    (
        re.compile(r"Expected `str` matching regex"),
        "This holds a character that can't be taken here, or is not of the right form.",
    ),
    (re.compile(r"Expected `str( \| null)?`"), "This must be text."),
    (
        re.compile(r"Expected `datetime|Invalid RFC3339"),
        "This must be a time with its offset, such as 2026-12-24T09:00:00+01:00.",
    ),
)
UNREADABLE_JSON = "The body could not be read as JSON."
_MISSING = re.compile(r"Object missing required field `(\w+)`")


class NewsletterError(Exception):
    """Something we can't do, said so that the reader knows what to do about it."""

    status = 400
    title = "That did not work"

    def __init__(self, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fields = dict(fields or {})


class InvalidInput(NewsletterError):
    """What was sent can't be taken; `fields` says which field and why."""

    status = 422
    title = "Please look at this again"


class NotFound(NewsletterError):
    """There is no such thing here."""

    status = 404
    title = "Not found"


class Conflict(NewsletterError):
    """It can't be done in the state things are in."""

    status = 409
    title = "Not possible now"


class TooMany(NewsletterError):
    """It was asked for too often; `seconds` is from when on it may be asked for again."""

    status = 429
    title = "Please wait a little"

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class NotSignedIn(NewsletterError):
    """The key or the session is missing or no longer valid."""

    status = 401
    title = "Please sign in"


class NotAllowed(NewsletterError):
    """The key is valid, but it does not have the scope for this."""

    status = 403
    title = "Not allowed"


class MisconfiguredError(NewsletterError):
    """The program can't start as it is set up; the sentence names the setting."""

    status = 500
    title = "Check the settings"


def shape_error(key: str, message: str) -> tuple[str, str]:
    """Give the field that msgspec's `message` about `key` is about, and a sentence for it.

    The field is empty where the whole body is meant, which Litestar calls `data`.
    """
    if missing := _MISSING.match(message):
        return missing[1], "This is missing; please fill it in."
    if key == "data":
        return "", "The body must be a JSON object." if message.startswith("Expected") else "The body is empty."
    for shape, sentence in _SHAPES:
        if found := shape.match(message):
            return key, found.expand(sentence)
    return key, "This is not what the description of the API asks for."
