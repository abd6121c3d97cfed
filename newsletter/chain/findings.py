"""What a verification finds, each said so that its reader knows where to look."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


class Fault(StrEnum):
    """What can be wrong with a chain, its heads, or what they stand for."""

    CHANGED_ENTRY = "changed entry"
    DROPPED_ENTRY = "dropped entry"
    PLANTED_ENTRY = "planted entry"
    FORKED = "fork"
    RECOMPUTED = "recomputed chain"
    TAIL_CUT = "tail cut"
    BAD_HEAD = "bad head"
    NO_HEADS = "no signed heads"
    CHANGED_EVENT = "changed event"
    CHANGED_AGREEMENT = "changed agreement"
    DROPPED_EVENT = "dropped event"
    PLANTED_EVENT = "planted event"
    REORDERED = "reordered events"
    HELD_BACK = "event held back"
    FAKED_ERASURE = "faked erasure"
    CHANGED_NOTICE = "changed notice"
    CHANGED_TERMS = "changed terms"
    CHANGED_KEY = "changed key"
    RESTORED = "restored"
    UNREADABLE = "unreadable row"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: in which chain, at which entry (up to `last`), with which event of which agreement."""

    fault: Fault
    sentence: str
    chain: str = ""
    number: int | None = None
    last: int | None = None
    event_id: str | None = None
    agreement_id: str | None = None

    def as_line(self) -> str:
        """Give it for people, on one line."""
        where = f" {self.number}" if self.number is not None else ""
        where += f"-{self.last}" if self.last is not None else ""
        named = [f"event {self.event_id}" if self.event_id else "", f"agreement {self.agreement_id}"]
        about = ", ".join(name for name in named[: 2 if self.agreement_id else 1] if name)
        place = f" ({self.chain}{where})" if self.chain else ""
        return f"{self.fault}{place}: {self.sentence}{f' [{about}]' if about else ''}"

    def as_json(self) -> dict[str, object]:
        """Give it for programs."""
        return {
            "fault": str(self.fault),
            "sentence": self.sentence,
            "chain": self.chain,
            "number": self.number,
            "last": self.last,
            "event": self.event_id,
            "agreement": self.agreement_id,
        }


# However many rows were tampered with: more of one kind tell nobody more.
MOST_OF_A_KIND = 1_000
# What reading a row raises that holds a text for a number, or no time for a time: SQLite stores whatever it is given.
CANNOT_BE_READ = (ValueError, TypeError, AttributeError, OverflowError)


def unreadable(chain: str) -> Finding:
    """Give the finding for a row that can't even be read; what comes after it in the chain was not looked at."""
    sentence = "a row holds what this program never writes, and what stands behind it could not be looked at"
    return Finding(Fault.UNREADABLE, sentence, chain)


class Findings:
    """What was found so far. Entries of one chain that follow each other with the same fault are one finding."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self.count = 0

    def add(self, finding: Finding) -> None:
        """Add one."""
        self.count += 1
        last = self._found[-1] if self._found else None
        if last and finding.number is not None and _follows(last, finding):
            self._found[-1] = replace(last, last=finding.number)
            return
        self._found.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Add several."""
        for finding in findings:
            self.add(finding)

    def __iter__(self) -> Iterator[Finding]:
        """Go through them."""
        return iter(self._found)

    def __len__(self) -> int:
        """Give how many there are, a run of entries counted once."""
        return len(self._found)


def _follows(last: Finding, finding: Finding) -> bool:
    same = (last.fault, last.chain, last.event_id, last.sentence)
    return (
        same == (finding.fault, finding.chain, finding.event_id, finding.sentence)
        and last.number is not None
        and finding.number == (last.last or last.number) + 1
    )
