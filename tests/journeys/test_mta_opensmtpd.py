"""Through a real OpenSMTPD, which takes an issue for somebody who is gone, and reports it to the return address."""

from pathlib import Path

import pytest

from tests.journeys.returning import GONE, OTHERS, REFUSED, Told, check, company_behind, send
from tests.support.opensmtpd import running_opensmtpd
from tests.support.peer import SmtpPeer
from tests.support.ports import free_port
from tests.support.recipes import recipe
from tests.support.waiting import eventually

TOLD = Told({}, {"dead": 1}, "listener", gone={GONE}, got={*OTHERS})


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_opensmtpd_buries_only_the_dead(database_url: str, tmp_path: Path, peer: SmtpPeer) -> None:
    """Whom it refuses at once stays: it gives no code with it, so that might mean anything (RULES F2)."""
    port = free_port()
    (rules,) = recipe("OpenSMTPD")
    peer.refuse(GONE)
    with running_opensmtpd(peer.port, rules.replace("8025", str(port)), REFUSED) as opensmtpd:
        with company_behind(tmp_path, database_url, opensmtpd.url, port) as company:
            check(company, peer, send(company), TOLD)
        eventually(lambda: opensmtpd.waiting == 0, what="the end of the queue")
        assert opensmtpd.log.count('result="PermFail"') == 1
