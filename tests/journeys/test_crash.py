"""Killed in the middle of a mailing, whenever: nobody gets it twice, nobody is left out (promise P4)."""

import re
from typing import Any

from tests.journeys.conftest import CONNECTIONS
from tests.journeys.story import Company
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually

READERS = 200


def arrived(peer: SmtpPeer, number: int) -> None:
    eventually(lambda: len(peer.mails) >= number, what=f"the arrival of {number} mails")


def doubtful(company: Company, issue: str) -> list[str]:
    """Give those whom the console lists as in doubt."""
    with company.signed_in() as browser:
        page = browser.get(f"/console/issues/{issue}/mailing/in-doubt")
    return re.findall(r'<label class="address"[^>]*>([^<]+)</label>', page.text)


def nobody_twice_and_nobody_lost(company: Company, peer: SmtpPeer, issue: str) -> dict[str, Any]:
    """Give how the mailing stands, once it is over and its claims have been held against the mailboxes."""
    standing = company.finished(issue)
    counted, listed = peer.counted(), doubtful(company, issue)
    assert set(counted.values()) == {1}, "somebody got it twice"
    everybody = {f"reader{n}@example.com" for n in range(READERS)}
    assert everybody - set(counted) <= set(listed), "somebody was left out who is not listed"
    assert len(listed) == len(set(listed)) == standing["in_doubt"]
    assert standing["delivered"] + standing["in_doubt"] == standing["audience"] == READERS
    assert set(counted) >= everybody - set(listed)
    return standing


def test_killed_again_and_again_and_then_stopped(patient_company: Company, peer: SmtpPeer) -> None:
    """Each kill leaves at most the connections' worth in doubt; SIGTERM drains, exits with 0 and leaves none."""
    company = patient_company
    company.readers(READERS)
    # In the middle, and in the next one's first windows. From then on the relay takes its time, so that it stays the
    # middle, however long it takes to look.
    peer.slow(0.5, after=60)
    issue = company.write_and_send()
    for kills, number in enumerate((60, 61), start=1):
        arrived(peer, number)
        company.program.kill()
        assert len(peer.mails) < READERS
        company.program.start()
        eventually(lambda: company.mailing(issue)["delivered"] >= 60, what="taking up what was left")
        assert company.mailing(issue)["in_doubt"] <= kills * CONNECTIONS
    peer.slow(0.05)
    peer.slow(0.5, after=130)
    arrived(peer, 130)
    doubt = company.mailing(issue)["in_doubt"]
    assert company.program.stop() == 0
    assert len(peer.mails) < READERS
    peer.slow(0)
    company.program.start()
    assert nobody_twice_and_nobody_lost(company, peer, issue)["in_doubt"] == doubt
