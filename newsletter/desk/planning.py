"""A planned start as an editor types and reads it: by the clocks of Oslo. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from newsletter.errors import InvalidInput

ZONE = ZoneInfo("Europe/Oslo")


def read_start(typed: str) -> datetime | None:
    """Read what a date and time field holds; None where it is empty. Raises InvalidInput.

    In the hour that comes twice in the autumn, the first one is meant.
    """
    if not typed.strip():
        return None
    try:
        local = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise _wrong("Give a date and a time, such as 2026-12-24T09:00.") from None
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    moment = local.replace(tzinfo=ZONE).astimezone(UTC)
    if moment.astimezone(ZONE).replace(tzinfo=None) != local:
        raise _wrong("In that night the clocks go forward, so there is no such time. Choose an hour later.")
    return moment


def as_typed(moment: datetime) -> str:
    """Give a moment as a date and time field holds it."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")


def as_read(moment: datetime, language: str) -> str:
    """Give a moment for its reader, in words that name the day."""
    return format_datetime(moment, "EEEE d. MMMM y, HH:mm", tzinfo=ZONE, locale=language)


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, {"starts_at": sentence})
