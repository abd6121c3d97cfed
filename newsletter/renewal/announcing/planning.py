"""What an editor chooses when a notice is put in force: from when on, and how readers hear of it. Pure.

A day begins at midnight by the clocks of Oslo.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import InvalidInput
from newsletter.renewal.announcing.mailings import MOST_DAYS, Telling
from newsletter.renewal.tables import NoticeMailingKind

ZONE = ZoneInfo("Europe/Oslo")
FURTHEST = timedelta(days=2 * 366)
CHOICES = ("nothing", "announcement", "reconfirmation")
USUAL_DAYS = "30"


@dataclass(frozen=True, slots=True)
class Plan:
    """From when on a notice is in force; None is at once. And how readers hear of it; None where they need not."""

    valid_from: datetime | None
    telling: Telling | None

    @property
    def material(self) -> bool:
        """Say whether readers are to hear of the change."""
        return self.telling is not None


def read_plan(values: Mapping[str, str], now: datetime) -> Plan:
    """Read the form. Raises InvalidInput for all that is wrong at once."""
    wrong: dict[str, str] = {}
    valid_from = _day(values, now, wrong) if values.get("when") == "later" else None
    choice = values.get("telling", "")
    telling = None
    if choice not in CHOICES:
        wrong["telling"] = "Say whether the change matters to readers, and how they are to hear of it."
    elif choice != "nothing":
        telling = _telling(values, NoticeMailingKind(choice), wrong)
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return Plan(valid_from, telling)


def _day(values: Mapping[str, str], now: datetime, wrong: dict[str, str]) -> datetime | None:
    try:
        day = date.fromisoformat(values.get("day", "").strip())
    except ValueError:
        wrong["day"] = "Give the day from which on it is in force, such as 2027-01-01."
        return None
    moment = datetime.combine(day, time(), ZONE).astimezone(UTC)
    if not now < moment <= now + FURTHEST:
        wrong["day"] = "Choose a day to come, within two years."
        return None
    return moment


def _telling(values: Mapping[str, str], kind: NoticeMailingKind, wrong: dict[str, str]) -> Telling | None:
    if kind is NoticeMailingKind.ANNOUNCEMENT:
        return Telling(kind)
    days = values.get("days", "").strip()
    if not (days.isascii() and days.isdigit() and 1 <= int(days) <= MOST_DAYS):
        wrong["days"] = f"Give readers between 1 and {MOST_DAYS} days to answer."
        return None
    if values.get("silence") not in ("stays", "ends"):
        wrong["silence"] = "Say what comes of no answer."
        return None
    return Telling(kind, int(days), ends=values["silence"] == "ends")


def tomorrow(now: datetime) -> str:
    """Give the earliest day to choose, as a field for a date holds it."""
    return (now.astimezone(ZONE).date() + timedelta(days=1)).isoformat()
