"""What the journeys through real mail servers tell: one takes an issue for everybody, cannot deliver it to some, and
brings its own reports to the return addresses.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import select

from newsletter.installation import open_installation
from newsletter.settings import load
from newsletter.subscribers.tables import DeadSignal
from tests.journeys.story import Company, open_company
from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually

DOMAIN = "bounces.example.com"
READERS = [f"reader{n}@example.com" for n in range(6)]
# The mail server refuses REFUSED at once. It takes the others, and hears only then that GONE does not exist.
GONE, REFUSED, *OTHERS = READERS
_SECONDS = 120


@contextmanager
def company_behind(
    folder: Path, database_url: str, relay: str, port: int | None, authority: Path | None = None
) -> Iterator[Company]:
    """Give a company that sends through `relay`, listens on `port` if any, and deletes the dead after a second."""
    listen = f"127.0.0.1:{port}" if port else "off"
    settings = {"bounce_domain": DOMAIN, "dead_address_hold": "1", "inbound_listen": listen}
    program = Program(folder / "program", relay, database_url, **settings)
    if authority is not None:
        program.environment["SSL_CERT_FILE"] = str(authority)
    with program:
        company = open_company(program)
        company.readers(len(READERS))
        yield company


@dataclass(frozen=True)
class Told:
    """What is to be told of an issue: how many were refused at once, and how many reported later, by verdict; by which
    way the reports came in; who is deleted; and who got it.
    """

    at_once: Mapping[str, int]
    later: Mapping[str, int]
    way: str
    gone: set[str]
    got: set[str]


def send(company: Company) -> str:
    """Send an issue to all readers, of whom the mail server refuses one; give its id."""
    issue = company.write_and_send()
    mailing = company.finished(issue, _SECONDS)
    assert (mailing["delivered"], mailing["refused"]) == (5, 1), mailing
    return issue


def check(company: Company, peer: SmtpPeer, issue: str, told: Told) -> None:
    """Assert that what follows from an issue is as `told`, and nothing else."""
    eventually(lambda: _bounced(company, issue) == sum(told.later.values()), _SECONDS, "the figures of what came back")
    eventually(lambda: not _doomed(company), _SECONDS, "the deletion of the dead")
    verdicts = company.answer("GET", f"/issues/{issue}/returned")["verdicts"]
    for when in ("at_once", "later"):
        counted = {each["verdict"]: each[when] for each in verdicts if each[when]}
        assert counted == getattr(told, when), f"{when}: {counted}"
    came_in = company.answer("GET", "/returned")["came_in"]
    assert came_in == [{"way": told.way, "taken": "accepted", "count": sum(told.later.values())}], came_in
    gone = {email for email in READERS if not company.find(email)}
    assert gone == told.gone, f"deleted: {gone}"
    eventually(lambda: set(peer.counted()) >= told.got, _SECONDS, "the arrival at the others")
    assert peer.counted() == dict.fromkeys(told.got, 1), peer.counted()


def _bounced(company: Company, issue: str) -> int:
    return int(company.answer("GET", f"/issues/{issue}/returned")["bounced"])


def _doomed(company: Company) -> list[str]:
    async def asked() -> list[str]:
        installation = open_installation(load(company.program.environment))
        try:
            async with installation.database.read() as session:
                return list((await session.exec(select(DeadSignal.subscriber_id))).all())
        finally:
            await installation.database.close()

    return asyncio.run(asked())
