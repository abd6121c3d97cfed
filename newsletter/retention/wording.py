"""How long, in words."""

from datetime import timedelta

_YEAR, _TWO_YEARS = timedelta(days=365.25), timedelta(days=730)
_UNITS = (
    (timedelta(days=360), timedelta(days=30), "month"),
    (timedelta(days=1), timedelta(days=1), "day"),
    (timedelta(hours=1), timedelta(hours=1), "hour"),
    (timedelta(minutes=1), timedelta(minutes=1), "minute"),
)


def lasting(period: timedelta) -> str:
    """Give a period in the largest unit that says it whole: 3 days, 36 hours, 24 months (of 30 days), about 3 years."""
    if not period:
        return "not at all"
    if period >= _TWO_YEARS:
        return f"about {round(period / _YEAR)} years ({period.days:,} days)"
    for least, unit, name in _UNITS:
        if period >= least and not period % unit:
            number = period // unit
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{round(period.total_seconds())} seconds"
