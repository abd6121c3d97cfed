"""Running the demonstration: everything in a temporary folder, so that nothing is left of it afterwards."""

import asyncio
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from newsletter import logs, schema
from newsletter.clock import SystemClock
from newsletter.demo.catcher import Catcher
from newsletter.demo.content import EDITOR, SLUG, fill
from newsletter.demo.inbox import inbox_pages
from newsletter.demo.replies import AWAY, FULL, MOVED
from newsletter.demo.returning import Hosts
from newsletter.installation import open_installation
from newsletter.serving import running as serving
from newsletter.settings import Settings

_PASSWORD = "only-for-the-demo"  # noqa: S105 (it opens invented data on one's own machine)
_WELCOME = """
The demonstration is running. Nothing leaves this machine, and nothing is kept.

  Signup page   {base}/newsletters/{slug}
  Inbox         {base}/demo/inbox   (every mail it sends)
  Console       {base}/console/newsletters   ({editor} / {password})

Try: sign up, open the inbox, confirm; then send the draft from the console, read it in the
inbox, click a link, look at the figures, unsubscribe.

A moment after an issue three mails come back, as in life. Look at "What came back" beside the
issue, and at {base}/console/returned:

  {moved:22}has moved away: gets nothing more, and is deleted after {hold} seconds
  {full:22}has a full mailbox, and stays
  {away:22}is on holiday, which is no bounce

Stop with Ctrl-C.
"""


def run(host: str, port: int, hold: int) -> None:
    """Run the demonstration until it is stopped; a dead address is deleted after `hold` seconds.

    Raises MisconfiguredError where the port is taken.
    """
    logs.configure()
    clock, (relay, inbound) = SystemClock(), _free_ports()
    catcher = Catcher(clock, relay, Hosts(clock, inbound))
    catcher.start()
    try:
        with TemporaryDirectory(prefix="newsletter-demo-") as folder:
            settings = _settings(Path(folder), port, catcher, inbound, hold)
            schema.bring_up_to_date(settings)
            asyncio.run(_fill(settings))
            click.echo(_welcome(settings), nl=False)
            serving.serve(settings, host, port, worker=True, more=inbox_pages(catcher))
    finally:
        catcher.stop()


def _welcome(settings: Settings) -> str:
    return _WELCOME.format(
        base=settings.base_url,
        slug=SLUG,
        editor=EDITOR,
        password=_PASSWORD,
        moved=MOVED,
        full=FULL,
        away=AWAY,
        hold=settings.dead_address_hold,
    )


def _settings(folder: Path, port: int, catcher: Catcher, inbound: int, hold: int) -> Settings:
    return Settings(
        base_url=f"http://localhost:{port}",
        data_dir=folder,
        smtp_url=catcher.url,
        bounce_domain="bounces.example.com",
        inbound_listen=f"127.0.0.1:{inbound}",
        dead_address_hold=hold,
        # Whoever tries it out signs up as often as they like.
        rate_limits="off",
        controller_name="Fjordbrevet AS",
        controller_organisation_number="999 999 999",
        controller_address="Eksempelveien 1, 0001 Oslo",
        controller_email="personvern@example.com",
    )


async def _fill(settings: Settings) -> None:
    installation = open_installation(settings)
    try:
        async with installation.database.write() as session:
            await fill(session, installation, _PASSWORD)
    finally:
        await installation.database.close()


def _free_ports() -> tuple[int, int]:
    """Give two ports of this machine on which nobody listens just now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
