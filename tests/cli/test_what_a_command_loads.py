"""A command loads what it needs: whoever asks for help waits for click alone, a mail server for no web framework.

Not a clock says so but a fresh process, of the modules that it has loaded in the end.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from newsletter.cli import cli
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, alive, sent
from tests.bounces.reading.returned import CORPUS
from tests.conftest import KEYS
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer

ROOT = Path(__file__).parents[2]
WEB, QUEUE = ("litestar", "starlette", "uvicorn", "jinja2"), ("dbos",)
DATABASE = ("alembic", "sqlalchemy", "sqlmodel")
HEAVY = (*WEB, *QUEUE, *DATABASE, "pydantic", "cryptography", "structlog", "asyncio", "email_validator", "flufl")
# What it has loaded it says in the end, however it ends.
WATCHED = """
import atexit, sys
atexit.register(lambda: print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr))
from newsletter.__main__ import main
main()
"""


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give every group and every command that can be typed."""
    yield words
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


def loaded(*words: str, given: bytes = b"", **settings: str) -> tuple[set[str], str]:
    """Run `newsletter …` in a process of its own; give the packages that it loaded, and what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words],
        cwd=ROOT,
        env=inherited | {f"NEWSLETTER_{name.upper()}": value for name, value in settings.items()},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return set(done.stderr.decode().splitlines()[-1].split()), done.stdout.decode()


@pytest.mark.parametrize("words", list(commands(cli)), ids=lambda words: " ".join(words) or "newsletter")
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    packages, said = loaded(*words, "--help")
    assert packages & set(HEAVY) == set()
    assert f"Usage: newsletter {' '.join(words)}".rstrip() in said


def test_the_version_is_that_of_the_package_and_loads_nothing_heavy() -> None:
    packages, said = loaded("--version")
    assert packages & set(HEAVY) == set()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert said == f"newsletter {project['version']}\n"


def test_explaining_a_mail_loads_no_database() -> None:
    mail = next(path for path in CORPUS if path.name == "arf-abuse.complaint.eml")
    packages, said = loaded("receive", "--explain", str(mail))
    assert packages & set(HEAVY) == set()
    assert said.startswith(f"{mail}: complaint")


async def test_receiving_a_mail_loads_no_web_framework_and_no_queue(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    """And nothing that migrates, where there is nothing to migrate."""
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    mailbox = str(peer.mails_to(CAROL)[-1].message["List-Unsubscribe"]).partition("<mailto:")[2].partition("?")[0]
    packages, said = loaded(
        "receive",
        given=f"From: {CAROL}\nTo: {mailbox}\nSubject: unsubscribe\n\n".encode(),
        data_dir=str(sqlite_installation.settings.data_dir),
        secret_key=KEYS.root.decode(),
        bounce_domain=sqlite_installation.settings.bounce_domain,
    )
    assert said == "unsubscribe\n"
    assert await alive(sqlite_installation) == set(people(2))
    assert packages & {*WEB, *QUEUE, "alembic"} == set()
