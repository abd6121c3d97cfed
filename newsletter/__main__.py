"""The way in: `newsletter …` and `python -m newsletter …`."""

import os
import sys

from newsletter.cli import cli
from newsletter.errors import NewsletterError


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 it did not work, 2 the command was not understood."""
    # What this program writes holds people's data: it is its owner's alone.
    os.umask(0o077)
    try:
        cli(prog_name="newsletter")
    except NewsletterError as error:
        sys.stderr.write(f"newsletter: {error.sentence}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
