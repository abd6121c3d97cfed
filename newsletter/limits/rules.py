"""What the limits allow. Pure: moments are numbers of seconds, and whoever asks says which one is now.

So much an hour is a bucket: `until` is the moment at which it is empty again. Each thing that is let in moves it on by
one step, and nothing is let in that would move it further than an hour ahead. So a full bucket lets one in per step,
and that moment is all that need be kept of it.

Letters to one address are counted by their own moments, for there "three a week" is to be true of every week.

A moment that lies ahead by more than there can be was written before the clock was turned back. It counts as if it had
been just now: that opens nothing, and closes nothing for longer than the limit's own time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HOUR = 3600.0
WEEK = 7 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Rate:
    """So many an hour; 0 for as many as there are."""

    most: int

    @property
    def step(self) -> float:
        """Give the seconds after which a full bucket has room for one more."""
        return HOUR / self.most if self.most else 0.0

    def since(self, until: float, now: float) -> float:
        """Give from when on a bucket is empty, which is now at the earliest, and an hour ahead at the latest."""
        return min(max(until, now), now + HOUR)

    def opens(self, until: float, now: float) -> float:
        """Give when there is room for one more: now, or later."""
        if not self.most:
            return now
        # Half a millisecond is what a number of seconds since 1970 may be wrong by, after thousands of steps.
        opens = self.since(until, now) + self.step - HOUR
        return opens if opens > now + 0.0005 else now


@dataclass(frozen=True, slots=True)
class Turn:
    """When a letter may leave, and where the line of those that wait ends then; `at` is now where it may at once."""

    at: float
    tail: float


def turn(rate: Rate, until: float, tail: float, now: float, *, waited: bool) -> Turn:
    """Give the turn of a letter. Who comes anew stands behind those that wait; who has `waited` stands in front."""
    opens, tail = rate.opens(until, now), min(tail, now + 4 * 24 * HOUR)
    if not rate.most or (opens <= now and (waited or tail <= now)):
        return Turn(now, tail)
    at = max(opens, now + rate.step, tail + rate.step)
    return Turn(at, at)


def another(times: Sequence[float], now: float, hourly: int, weekly: int) -> bool:
    """Say whether an address may get another letter, after those at `times`; 0 is no limit."""
    ago = [now - at for at in past(times, now)]
    within = [sum(seconds < limit for seconds in ago) for limit in (HOUR, WEEK)]
    return not any(most and count >= most for count, most in zip(within, (hourly, weekly), strict=True))


def past(times: Sequence[float], now: float) -> list[float]:
    """Give the moments of the last week; those that lie ahead as now."""
    return [at for at in (min(each, now) for each in times) if now - at < WEEK]
