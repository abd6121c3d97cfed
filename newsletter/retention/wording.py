"""How long, in words."""

from datetime import timedelta

_UNITS = (
    (timedelta(days=360), timedelta(days=30), "month"),
    (timedelta(days=1), timedelta(days=1), "day"),
    (timedelta(hours=1), timedelta(hours=1), "hour"),
    (timedelta(minutes=1), timedelta(minutes=1), "minute"),
)


def lasting(period: timedelta) -> str:
    """Give a period in the largest unit that says it whole: 3 days, 36 hours, 24 months (of 30 days)."""
    if not period:
        return "not at all"
    for least, unit, name in _UNITS:
        if period >= least and not period % unit:
            number = period // unit
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{round(period.total_seconds())} seconds"
