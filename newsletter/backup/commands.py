"""The commands `backup` and `restore`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.commands import JSON

if TYPE_CHECKING:
    from newsletter.backup.actions import Migrations, Restored
    from newsletter.backup.archive import Progress

_WIDTH = 1000


def add_to(group: click.Group, migrations: "Callable[[], Migrations]") -> None:
    """Add the commands to the command line; `migrations` gives what brings a restored database up to date."""

    @group.command()
    @click.argument("file", type=click.Path(path_type=Path))
    @JSON
    def backup(file: Path, as_json: bool) -> None:
        """Write a backup of the database to FILE, while the service goes on.

        The root secret and the file of the tombstones are not in it: keep the secret elsewhere, and let the tombstones
        stay with the service. Backups hold personal data; delete them after NEWSLETTER_RETENTION_TOMBSTONES days.

        Example: newsletter backup /backups/2026-11-22.newsletter
        """
        from newsletter.backup import commanded

        with _shown("Backing up") as progress:
            manifest = commanded.back_up(file, progress)
        if as_json:
            click.echo(json.dumps(asdict(manifest) | {"file": str(file)}))
            return
        click.echo(f"{file} holds the database as it was at {manifest.made_at:%Y-%m-%d %H:%M} UTC.")
        click.echo("The root secret is not in it: keep that elsewhere, for without it the backup can't be restored.")

    @group.command()
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.option(
        "--without-tombstones", is_flag=True, help="The file of the tombstones is lost: who left since may be back."
    )
    @click.option(
        "--without-digest", is_flag=True, help="It is of an earlier version, which sealed no digest: take it."
    )
    @JSON
    def restore(file: Path, *, yes: bool, without_tombstones: bool, without_digest: bool, as_json: bool) -> None:
        """Put the backup in FILE in the place of the database, all or nothing. Stop the service first.

        Who left since the backup is deleted again, and mailings that had not ended are paused.

        Example: newsletter restore /backups/2026-11-22.newsletter
        """
        if not yes:
            click.confirm("What is in the database now will be lost. Go on?", abort=True, err=True)
        from newsletter.backup import commanded

        with _shown("Restoring") as progress:
            restored = commanded.restore(
                file, migrations(), progress, without_tombstones=without_tombstones, without_digest=without_digest
            )
        click.echo(json.dumps(_numbers(restored)) if as_json else _sentences(restored))


def _numbers(restored: "Restored") -> dict[str, str | int]:
    return {
        "made_at": restored.made_at.isoformat(),
        "persons_deleted": restored.replayed.persons,
        "subscriptions_ended": restored.replayed.subscriptions,
        "requests_forgotten": restored.replayed.requests,
        "choices_kept": restored.replayed.choices,
        "mailings_paused": restored.paused,
    }


def _sentences(restored: "Restored") -> str:
    done = restored.replayed
    return (
        f"The database is that of {restored.made_at:%Y-%m-%d %H:%M} UTC. Since then, and done again: "
        f"{done.persons} persons deleted, {done.subscriptions} subscriptions ended, {done.requests} requests "
        f"forgotten, {done.choices} restrictions and choices about measurement.\n"
        f"{restored.paused} mailings were paused: find out who has got them before you resume any."
    )


@contextmanager
def _shown(what: str) -> "Iterator[Progress]":
    """Show on a terminal how far it is; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    with click.progressbar(length=_WIDTH, label=what, file=sys.stderr) as bar:

        def tell(done: int, of: int) -> None:
            bar.update(max(0, min(_WIDTH, done * _WIDTH // of if of else 0) - bar.pos))

        yield tell
        bar.update(_WIDTH - bar.pos)
