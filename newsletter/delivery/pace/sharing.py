"""How many of a window's recipients may be mailed now, out of what is left in each of the meters. Pure.

First each pace gets what its own meter allows, then the sum is cut down to what the sender's hour and its day of
warm-up allow. Who is held back comes again when it is worth it: after midnight where the day is used up, at a turn in
the sender's queue where that cut the window, else at the nearest turn among the domains'. Only that one queue is
joined, for whoever stands in several and comes by the first of them would leave gaps in the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.mail.wire.meters import Bucket, Meter

SENDER = ""  # the name of the sender's own meter, for no domain is called so
_DAY = 86400.0


@dataclass(slots=True)
class Sharing:
    """What there is to share: the meters of all paces that are limited, and what is left of the sender's day.

    Everything goes by the name of a pace. `day_left` is None where no warm-up limits the day.
    """

    buckets: Mapping[str, Bucket]
    meters: dict[str, Meter]
    day_left: int | None
    now: float

    def take_back(self, unused: Mapping[str, int]) -> None:
        """Put back what was granted and not used."""
        for name, count in (*unused.items(), (SENDER, sum(unused.values()))):
            if name in self.buckets:
                self.meters[name] = self.meters[name].put_back(self.buckets[name], count)

    def share(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Give each pace what it may have, and count it as used."""
        given = {name: min(count, self._left(name, count)) for name, count in wanted.items()}
        rest = self._left_in_all(sum(given.values()))
        for name in given:
            given[name] = min(given[name], rest)
            rest -= given[name]
        for name, count in (*given.items(), (SENDER, sum(given.values()))):
            if name in self.buckets:
                self.meters[name] = self.meters[name].take(self.buckets[name], count, self.now)
        return given

    def queue(self, wanted: Mapping[str, int], given: Mapping[str, int]) -> float | None:
        """Say when whoever got too little may come back, and let them stand in that queue; None where nobody did."""
        held = {name: count - given[name] for name, count in wanted.items() if count > given[name]}
        if not held:
            return None
        total = sum(given.values())
        if self.day_left is not None and self.day_left <= total:
            return (self.now // _DAY + 1) * _DAY
        if SENDER in self.buckets and self._left(SENDER, 1) == 0:
            held = {SENDER: sum(held.values())}
        at, name = min(
            (self.meters[name].turn(self.buckets[name], count, self.now), name) for name, count in held.items()
        )
        self.meters[name] = self.meters[name].queue(at)
        return at

    def _left(self, name: str, count: int) -> int:
        return self.meters[name].left(self.buckets[name], self.now) if name in self.buckets else count

    def _left_in_all(self, count: int) -> int:
        left = min(count, self._left(SENDER, count))
        return left if self.day_left is None else max(0, min(left, self.day_left))
