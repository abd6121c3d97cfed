"""Where the links of issues lead, kept in memory for a while: everybody who reads an issue follows the same few.

The links of an issue are fixed before its first mail leaves. A minute later they are read anew all the same, so that
those of an issue that was deleted lead nowhere any more.
"""

from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import quote

from sqlmodel import select

from newsletter.clock import Clock
from newsletter.database import Database
from newsletter.issues.tables import IssueLink
from newsletter.measurement.links import Hit

KEPT_SECONDS = 60
_MOST_ISSUES = 100
_MOST_LINKS = 200


class Targets:
    """The links of the issues that were read last. Of an issue with very many, none is kept."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Mapping[int, bytes]]] = OrderedDict()

    def kept(self, hit: Hit) -> bytes | None:
        """Give where a click leads, as the header says it; None where that must be looked up."""
        until, urls = self._kept.get(hit.issue_id, (0.0, {}))
        return urls.get(hit.link) if self._clock.monotonic() < until else None

    async def of(self, hit: Hit) -> bytes | None:
        """Give where a click leads, None where there is no such link or its issue is no longer here."""
        if (url := self.kept(hit)) is not None:
            return url
        until = self._clock.monotonic() + KEPT_SECONDS
        async with self._database.read() as session:
            query = select(IssueLink.number, IssueLink.url).where(IssueLink.issue_id == hit.issue_id)
            urls = {number: _location(url) for number, url in (await session.exec(query)).all()}
        self._kept.pop(hit.issue_id, None)
        if urls and len(urls) <= _MOST_LINKS:
            self._kept[hit.issue_id] = (until, urls)
            while len(self._kept) > _MOST_ISSUES:
                self._kept.popitem(last=False)
        return urls.get(hit.link)


def _location(url: str) -> bytes:
    """Give an address as a header can hold it: what isn't ASCII is percent-encoded (RFC 3987 §3.1)."""
    return quote(url, safe="".join(map(chr, range(0x21, 0x7F)))).encode()
