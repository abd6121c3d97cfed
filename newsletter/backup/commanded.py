"""What the commands `backup` and `restore` do, with the settings and the clock of whoever types them."""

from pathlib import Path

from newsletter.backup import actions
from newsletter.backup.actions import Migrations, Restored
from newsletter.backup.archive import Manifest, Progress
from newsletter.clock import SystemClock
from newsletter.settings import load


def back_up(file: Path, progress: Progress) -> Manifest:
    """Write a backup to `file`. Raises Conflict or InvalidInput."""
    return actions.back_up(load(), SystemClock(), file, progress)


def restore(
    file: Path, migrations: Migrations, progress: Progress, *, without_tombstones: bool, without_digest: bool
) -> Restored:
    """Put the backup in `file` in the place of the database. Raises Conflict or InvalidInput."""
    waived = {"without_tombstones": without_tombstones, "without_digest": without_digest}
    return actions.restore(load(), SystemClock(), file, migrations, progress, **waived)
