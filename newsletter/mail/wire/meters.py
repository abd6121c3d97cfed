"""Counting mails against a limit. Pure: time is handed in, in seconds, of whatever clock.

A *meter* counts mails against a rate as a bucket does: it holds a few seconds' worth, and fills up again at the rate.
All that is stored of it is when it will be full again, so that however many workers take from it in turn, no stretch of
time sees more than its length times the rate, and one bucketful.

Whoever gets too little comes back later. They form a *queue*, and each turn in it is as long as it takes until there is
a good part of a bucket for whoever has it. So the turns don't grow in number with those who wait, and each is worth it.
It is no promise: who comes later may find something left and take it. A queue is never longer than a few minutes, for
those in it may have been cancelled; whoever would stand behind its end is let in half-way.
"""

from dataclasses import dataclass, replace
from math import floor

BUCKET_SECONDS = 5.0
LONGEST_QUEUE = 1200.0
HOUR = 3600.0
_TURN_SHARE = 0.8  # of a bucket: one that overflows before its turn comes is lost speed
_ALMOST = 1e-3  # of a mail: what seconds since 1970 can't tell apart


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit: mails a second, and how many at once after a while without any."""

    rate: float
    size: float


def bucket(rate: float, seconds: float = BUCKET_SECONDS) -> Bucket:
    """Give the bucket of a rate in mails a second: some seconds' worth, and one mail at least."""
    return Bucket(rate, max(1.0, rate * seconds))


def hourly_bucket(limit: int) -> Bucket:
    """Give the bucket of which no hour sees more than `limit`: a minute's worth, and the rest spread over the hour."""
    size = max(1.0, limit / 60)
    return Bucket((limit + 1 - size) / HOUR, size)


@dataclass(frozen=True, slots=True)
class Meter:
    """What is stored of a limit: when its bucket is full again, and when the last of its queue has their turn."""

    full_at: float = 0.0
    queue_at: float = 0.0

    def left(self, bucket: Bucket, now: float) -> int:
        """Give how many mails may leave now."""
        return max(0, floor(bucket.size - (max(self.full_at, now) - now) * bucket.rate + _ALMOST))

    def take(self, bucket: Bucket, count: int, now: float) -> "Meter":
        """Count mails that leave now; no more than are left."""
        return replace(self, full_at=max(self.full_at, now) + count / bucket.rate) if count else self

    def put_back(self, bucket: Bucket, count: int) -> "Meter":
        """Count mails that did not leave after all."""
        return replace(self, full_at=self.full_at - count / bucket.rate)

    def turn(self, bucket: Bucket, held: int, now: float) -> float:
        """Give when `held` mails that are too many now may come back."""
        takes = min(held, max(1.0, bucket.size * _TURN_SHARE)) / bucket.rate
        at = max(self.queue_at, self.full_at - bucket.size / bucket.rate, now) + takes
        return at if at <= now + max(LONGEST_QUEUE, takes) else now + max(LONGEST_QUEUE / 2, takes)

    def queue(self, at: float) -> "Meter":
        """Let somebody stand in the queue until their turn."""
        return replace(self, queue_at=at)
