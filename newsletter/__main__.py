"""The way in: `newsletter …` and `python -m newsletter …`."""

import os
import sys
from typing import NoReturn

from newsletter.cli import cli
from newsletter.errors import NewsletterError


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 it did not work, 2 the command was not understood."""
    # What this program writes holds people's data: it is its owner's alone.
    os.umask(0o077)
    try:
        cli(prog_name="newsletter")
    except NewsletterError as error:
        _give_up(error.sentence)
    except OSError as error:
        _give_up(f"{error.filename or 'A file or a connection'} can't be used: {error.strerror or 'it failed'}.")


def _give_up(sentence: str) -> NoReturn:
    sys.stderr.write(f"newsletter: {sentence}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
