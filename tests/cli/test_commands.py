"""The command line: an example in each help, JSON for programs, and exit codes 0, 1 and 2 with a sentence."""

import io
import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import structlog

from newsletter.__main__ import main
from newsletter.cli import cli
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the commands run in a folder of their own, and take back how they set up the log."""
    handlers, level, umask = logging.root.handlers[:], logging.root.level, os.umask(0o077)
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level
    os.umask(umask)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> "Run":
    return Run(monkeypatch, capfd)


class Run:
    """Runs `newsletter …` within this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Give the exit code, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["newsletter", *words])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        said, complained = self._captured.readouterr()
        assert "Traceback" not in complained
        return int(str(code or 0)), said, complained


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


def test_every_command_helps_with_an_example(run: Run) -> None:
    for words, command in commands(cli):
        code, said, _ = run(*words, "--help")
        assert code == 0
        assert f"Example: newsletter {' '.join(words)}" in said, words
        printed = {"new", "migrate", "create"} & set(words)
        assert not printed or any("--json" in option.opts for option in command.params), words


def test_a_newsletter_is_made_and_said_as_json(run: Run) -> None:
    code, said, _ = run("new", "weekly", "--name", "Weekly", "--sender", "Example <news@example.com>", "--json")
    made = json.loads(said)
    assert code == 0
    assert made["url"] == "http://localhost:8000/newsletters/weekly"
    code, _, complained = run("new", "weekly", "--name", "Weekly", "--sender", "news@example.com")
    assert code == 1
    assert "already" in complained


def test_migrating_twice_is_harmless(run: Run) -> None:
    assert json.loads(run("migrate", "--json")[1])["migrations"]
    assert run("migrate") == (0, "The database is up to date.\n", "")


def test_a_key_is_shown_once_and_stored_as_its_hash(run: Run, tmp_path: Path) -> None:
    code, said, _ = run("api-key", "create", "website", "--scope", "subscribers", "--json")
    key = json.loads(said)["key"]
    assert code == 0
    with sqlite3.connect(tmp_path / "data" / "newsletter.sqlite") as connection:
        ((scopes, kept),) = connection.execute("SELECT scopes, key_hash FROM api_key").fetchall()
    assert scopes == "subscribers"
    assert key not in kept
    assert run("api-key", "create", "website", "--scope", "everything")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("new", "Weekly News", "--name", "Weekly", "--sender", "news@example.com"),
        ("new", "weekly", "--name", "Weekly\r\nBcc: x@example.com", "--sender", "news@example.com"),
        ("new", "weekly", "--name", "Weekly", "--sender", "News\r\nBcc: x@example.com <news@example.com>"),
        ("new", "weekly", "--name", "Weekly", "--sender", "news"),
        ("new", "weekly", "--name", "Weekly", "--sender", "news@example.com", "--language", "xx"),
        ("new", "weekly", "--name", "", "--sender", "news@example.com"),
        ("api-key", "create", "a\nb"),
    ],
)
def test_what_will_not_do_is_refused_in_a_sentence(run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    code, said, complained = run(*words)
    assert (code, said) == (1, "")
    assert complained.startswith("newsletter: ")
    assert complained.endswith(".\n")
    with sqlite3.connect(tmp_path / "data" / "newsletter.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM newsletter").fetchone() == (0,)


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("new",),
        ("new", "weekly", "--nothing"),
        ("serve", "--port", "x"),
        ("serve", "--port", "70000"),
        ("serve", "--port", "0"),
        ("serve", "--port", "-1"),
        ("demo", "--port", "99999"),
        ("demo", "--hold", "99999999999999"),
    ],
)
def test_what_is_not_understood_ends_with_2(run: Run, words: tuple[str, ...]) -> None:
    code, _, complained = run(*words)
    assert code == 2
    assert "newsletter" in complained


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:notaport/nothing"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/newsletter.sqlite"),
        ("SMTP_URL", "http://relay.example.org"),
        ("SMTP_URL", "smtp://relay.example.org:notaport"),
        ("SMTP_CONNECTIONS", "many"),
        ("BASE_URL", "nonsense.example.org"),
        ("BASE_URL", "http://[::1"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FILE", "/nowhere/at/all"),
        ("RETENTION_UNCONFIRMED", "1000"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing?colour=red"),
        ("SMTP_URL", "smtp://kari:%zz@relay.example.org"),
        ("TOMBSTONE_FILE", "/nowhere/at/all"),
        ("HEADS_FILE", "/proc"),
        ("CONTROLLER_EMAIL", "nobody"),
        ("CONTROLLER_NAME", "Example\nBooks"),
        ("METRICS_TOKEN", " \t "),
        ("DATA_DIR", "/dev/null"),
    ],
)
def test_a_bad_setting_stops_the_start_in_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """It names the setting, and never shows its value, which may hold a password."""
    if value.startswith("postgresql"):
        monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "a secret that is long enough for a root secret")
    monkeypatch.setenv(f"NEWSLETTER_{name}", value)
    code, said, complained = run("serve", "--port", str(free_port()))
    last = complained.splitlines()[-1]
    assert (code, said) == (1, "")
    assert last.startswith("newsletter: ")
    assert f"NEWSLETTER_{name}" in last
    assert value not in complained


def test_a_data_folder_that_is_everybodys_stops_the_start_in_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    code, _, complained = run("serve", "--port", str(free_port()))
    assert code == 1
    assert "NEWSLETTER_DATA_DIR" in complained
    assert f"chmod o= {tmp_path / 'data'}" in complained


def test_a_port_in_use_stops_the_start_in_a_sentence(tmp_path: Path) -> None:
    """As a process of its own, as its owner runs it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", "serve", "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/newsletter.sqlite"),
        ("SECRET_KEY_FILE", "/nowhere/at/all"),
        ("BOUNCE_DOMAIN", ""),
    ],
)
def test_a_received_mail_waits_for_better_times(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """75 lets the mail server try again; anything else would bounce the mail of somebody who wants to leave."""
    if name == "DATABASE_URL":
        monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "a secret that is long enough for a root secret")
    monkeypatch.setenv(f"NEWSLETTER_{name}", value)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"To: news@example.com\n\n")))
    code, said, complained = run("receive")
    assert (code, said) == (os.EX_TEMPFAIL, "")
    assert complained.startswith("newsletter: ")
