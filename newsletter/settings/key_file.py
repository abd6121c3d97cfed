"""The root secret in a file of its own, made at the first start where no setting gives one."""

import os
import stat
from pathlib import Path

from newsletter.errors import MisconfiguredError
from newsletter.settings.places import make_folder
from newsletter.tokens import MINIMUM_SECRET_BYTES, new_id, new_secret


def key_file(path: Path) -> str:
    """Give the secret in the file, which is made, for its owner alone, where there is none.

    Raises MisconfiguredError where what it holds is none.
    """
    make_folder(path.parent)
    # Written aside and linked into place: of two processes that start at once, both read the first one's key.
    # The draft's name is random: in two containers both may be process 1.
    draft = path.with_name(f".{path.name}.{new_id()}")
    if not path.exists() and not path.is_symlink():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if len(secret) < MINIMUM_SECRET_BYTES:
        raise MisconfiguredError(
            f"{path} does not hold a key; put the right one back, or links already mailed will not work."
        )
    return secret
