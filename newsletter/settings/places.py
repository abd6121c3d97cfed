"""The places on disk that the settings name: each is what it must be, and a secret nobody else's to read.

Others are those who are neither the owner nor in the group: a group may read, for on a shared volume (`fsGroup` of
Kubernetes, a group for backups) that is how it is handed over. What a container's engine puts under /run/secrets is
seen within that container alone, and its mode is the engine's.
"""

import stat
from pathlib import Path

from newsletter.errors import MisconfiguredError

DATA_DIR = "NEWSLETTER_DATA_DIR"
_OTHERS = stat.S_IRWXO
_IN_A_CONTAINER = Path("/run/secrets")
# No setting is longer: whoever names a device, or a log, is told so.
_LONGEST = 64 * 1024


def make_folder(path: Path) -> None:
    """Make the data folder, its owner's alone, where there is none. Raises MisconfiguredError."""
    try:
        path.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise MisconfiguredError(f"{DATA_DIR} must be a folder that is there or can be made: {why}.") from None


def check_folder(path: Path) -> None:
    """Raise MisconfiguredError where the data folder is none, or others may look into it."""
    if not path.exists():
        return
    if not path.is_dir():
        raise MisconfiguredError(f"{DATA_DIR} must be a folder, and is none.")
    if path.stat().st_mode & _OTHERS:
        raise MisconfiguredError(
            f"{DATA_DIR} is a folder that everybody on this machine may look into; say `chmod o= {path}`, or name a "
            "folder within it: that one is made for its owner alone."
        )


def check_file(path: Path | None, setting: str) -> None:
    """Raise MisconfiguredError where a file that is appended to can't be one, or its folder is not there."""
    if path is None:
        return
    if path.is_dir():
        raise MisconfiguredError(f"{setting} is a folder; it must be a file.")
    if not path.parent.is_dir():
        raise MisconfiguredError(f"{setting} is a file in a folder that is not there; make the folder first.")


def check_secret(path: Path, setting: str) -> None:
    """Raise MisconfiguredError where anybody on this machine may read or change a secret; OSError where it is gone."""
    if path.stat().st_mode & _OTHERS and not path.absolute().is_relative_to(_IN_A_CONTAINER):
        raise MisconfiguredError(f"{setting}: everybody on this machine may read {path}; say `chmod o= {path}`.")


def read_setting(path: Path, setting: str, *, secret: bool) -> str:
    """Give what a setting's file holds. Raises MisconfiguredError where it can't be read, or by too many."""
    try:
        if secret:
            check_secret(path, setting)
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
        if len(content) <= _LONGEST:
            return content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MisconfiguredError(f"{setting} can't be read.") from error
    raise MisconfiguredError(f"{setting} is too long for a setting.")
