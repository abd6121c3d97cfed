"""Running the demonstration: everything in a temporary folder, so that nothing is left of it afterwards."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from newsletter import logs, schema, serving
from newsletter.clock import SystemClock
from newsletter.demo.catcher import Catcher
from newsletter.demo.content import EDITOR, SLUG, fill
from newsletter.demo.inbox import inbox_pages
from newsletter.installation import open_installation
from newsletter.settings import Settings

_PASSWORD = "only-for-the-demo"  # noqa: S105 (it opens invented data on one's own machine)
_WELCOME = """
The demonstration is running. Nothing leaves this machine, and nothing is kept.

  Signup page   {base}/newsletters/{slug}
  Inbox         {base}/demo/inbox   (every mail it sends)
  Console       {base}/console/newsletters   ({editor} / {password})

Try: sign up, open the inbox, confirm; then send the draft from the console, read it in the
inbox, click a link, look at the figures, unsubscribe. Stop with Ctrl-C.
"""


def run(host: str, port: int) -> None:
    """Run the demonstration until it is stopped. Raises MisconfiguredError where the port is taken."""
    logs.configure()
    catcher = Catcher(SystemClock())
    catcher.start()
    try:
        with TemporaryDirectory(prefix="newsletter-demo-") as folder:
            settings = _settings(Path(folder), port, catcher)
            schema.bring_up_to_date(settings)
            asyncio.run(_fill(settings))
            click.echo(_WELCOME.format(base=settings.base_url, slug=SLUG, editor=EDITOR, password=_PASSWORD), nl=False)
            serving.serve(settings, host, port, worker=True, more=inbox_pages(catcher))
    finally:
        catcher.stop()


def _settings(folder: Path, port: int, catcher: Catcher) -> Settings:
    return Settings(
        base_url=f"http://localhost:{port}",
        data_dir=folder,
        smtp_url=catcher.url,
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
