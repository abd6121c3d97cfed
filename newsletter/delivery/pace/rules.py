"""Which of a window's recipients may be mailed at this moment, as far as their domains are concerned. Pure.

The paces that workers share grant so many mails for a domain. Within a process a domain may hold only some of the
connections, so that a slow one never holds them all: whoever has no place yet is passed over by those behind.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from newsletter.mail.wire.relays import domain_of

Waiting = TypeVar("Waiting")


def concurrency(level: int, configured: int, connections: int, workers: int) -> int:
    """Give how many of a worker's `connections` a domain may hold at once, where so many workers share the limit.

    Each level halves that, down to one. With more workers than connections are allowed, each still has one.
    """
    share = min(connections, max(1, configured // max(1, workers))) if configured else connections
    return max(1, share >> level)


def by_domain(emails: Iterable[str]) -> Counter[str]:
    """Count the addresses in each domain."""
    return Counter(map(domain_of, emails))


def admitted(emails: Sequence[str], granted: Mapping[str, int]) -> list[bool]:
    """Say of each address whether it is among those that were granted to its domain; the first ones are."""
    left = dict(granted)
    answers = []
    for domain in map(domain_of, emails):
        answers.append(left.get(domain, 0) > 0)
        left[domain] = left.get(domain, 0) - 1
    return answers


class Places:
    """The connections of a process that mail to each domain holds now. A domain without a cap may hold any number."""

    def __init__(self) -> None:
        self._caps: dict[str, int] = {}
        self._held: Counter[str] = Counter()

    def cap(self, domains: Iterable[str], caps: Mapping[str, int]) -> None:
        """Set the caps of these domains; one that is not among `caps` has none any more."""
        for domain in domains:
            if domain in caps:
                self._caps[domain] = caps[domain]
            else:
                self._caps.pop(domain, None)

    def free(self, domain: str) -> bool:
        """Say whether one more mail may be on its way to a domain."""
        return self._held[domain] < self._caps[domain] if domain in self._caps else True

    def take(self, domain: str) -> None:
        """Count a mail that is on its way."""
        self._held[domain] += 1

    def leave(self, domain: str) -> None:
        """Count it no longer."""
        self._held[domain] -= 1
        if not self._held[domain]:
            del self._held[domain]

    def next(self, waiting: deque[Waiting], domain: Callable[[Waiting], str]) -> Waiting | None:
        """Take the first out of `waiting` whose domain has a place, and give it that place; None where nobody has."""
        for index, each in enumerate(waiting):
            if self.free(name := domain(each)):
                del waiting[index]
                self.take(name)
                return each
        return None
