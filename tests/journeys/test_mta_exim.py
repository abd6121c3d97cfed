"""Through a real Exim, which takes an issue for somebody who is gone, and then reports it to the return address.

Just then the program is away.
"""

from pathlib import Path

import pytest

from tests.journeys.returning import GONE, OTHERS, REFUSED, Told, check, company_behind, send
from tests.support.exim import running_exim
from tests.support.peer import SmtpPeer
from tests.support.ports import free_port
from tests.support.recipes import recipe
from tests.support.waiting import eventually

TOLD = Told({"dead": 1}, {"dead": 1}, "listener", gone={GONE, REFUSED}, got={*OTHERS})


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_exim_buries_only_the_dead(database_url: str, tmp_path: Path, peer: SmtpPeer) -> None:
    port = free_port()
    router, transport = (block.replace("8025", str(port)) for block in recipe("Exim"))
    peer.defer(GONE)
    with running_exim(peer.port, router, transport, REFUSED) as exim:
        with company_behind(tmp_path, database_url, exim.url, port) as company:
            issue = send(company)
            company.program.stop()
            peer.refuse(GONE)
            eventually(lambda: "=newsletter defer" in exim.log, what="a report that Exim has to keep")
            company.program.start()
            check(company, peer, issue, TOLD)
        eventually(lambda: exim.waiting == 0, what="the end of the queue")
        assert f"** {GONE}" in exim.log
        assert "=> b-" in exim.log
