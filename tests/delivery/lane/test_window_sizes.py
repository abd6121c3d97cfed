"""A window is as large as what leaves in about half a second, and never larger than may be in doubt."""

from collections import Counter

import pytest

from newsletter.delivery import rules
from newsletter.installation import Installation
from tests.delivery.cast import mailing_to, people, worker
from tests.delivery.lane.gated import WatchedSender
from tests.support.peer import SmtpPeer

LARGEST = 250


async def sizes(installation: Installation, peer: SmtpPeer, readers: int) -> tuple[int, ...]:
    """Send to so many, over ten connections; give how large the windows were."""
    mailing = await mailing_to(installation, people(readers))
    async with worker(installation, peer, 10, kind=WatchedSender, largest=LARGEST) as sender:
        assert isinstance(sender, WatchedSender)
        await sender.work_on(mailing.id)
    assert peer.counted() == Counter(people(readers))
    return sender.sizes


async def test_behind_a_fast_relay_windows_grow_to_the_largest(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Any machine is fast enough where half a second is an hour.
    monkeypatch.setattr(rules, "_WINDOW_SECONDS", 3600.0)
    assert await sizes(installation, peer, 480) == (10, 40, 160, LARGEST, 20)


async def test_behind_a_slow_relay_they_stay_small(installation: Installation, peer: SmtpPeer) -> None:
    """Ten connections of which each mail takes 0.3 s: no more than 17 leave in half a second."""
    peer.slow(0.3)
    assert max(await sizes(installation, peer, 40)) <= 17
