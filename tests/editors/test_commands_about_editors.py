"""The commands about editors and keys, as they are typed, and as a script runs them."""

import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from newsletter.editors.keys.rules import Scope

COMMAND = (sys.executable, "-m", "newsletter")
GOOD = "a long enough password"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return kept | {"NEWSLETTER_DATA_DIR": str(tmp_path / "data")}


def run(environment: dict[str, str], *words: str, given: str = "") -> tuple[int, str, str]:
    """Run a command as a script does."""
    done = subprocess.run(
        [*COMMAND, *words], env=environment, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def at_a_terminal(environment: dict[str, str], *words: str, typed: Sequence[str] = ()) -> str:
    """Run a command as somebody at a terminal does; give what they see."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen([*COMMAND, *words], env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    for line in typed:
        os.write(ours, line.encode() + b"\n")
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:
        pass  # So a terminal says that nobody is at its other end any more.
    finally:
        os.close(ours)
    assert program.wait(60) == 0, seen
    return seen.decode()


def test_a_script_that_names_no_scope_gets_them_all_and_a_warning(environment: dict[str, str]) -> None:
    code, said, complained = run(environment, "api-key", "create", "journey", "--json")
    assert (code, list(json.loads(said))) == (0, ["key"])
    assert complained.startswith("Warning: this key may do everything: ")
    assert all(scope in complained for scope in Scope)
    assert json.loads(run(environment, "api-key", "list", "--json")[1])[0]["scopes"] == [*Scope]


def test_at_a_terminal_one_is_asked_until_one_says_something(environment: dict[str, str]) -> None:
    seen = at_a_terminal(environment, "api-key", "create", "website", typed=[",", "figures, read"])
    assert "What is it for?" in seen
    assert "Warning" not in seen
    (key,) = json.loads(run(environment, "api-key", "list", "--json")[1])
    assert key["scopes"] == ["figures", "read"]


def test_a_key_for_one_newsletter_with_an_end_is_listed_and_revoked(environment: dict[str, str]) -> None:
    assert run(environment, "new", "weekly", "--name", "Weekly", "--sender", "news@example.com")[0] == 0
    words = ("--scope", "read", "--newsletter", "weekly", "--days", "30", "--json")
    code, said, complained = run(environment, "api-key", "create", "website", *words)
    assert (code, complained) == (0, "")
    (key,) = json.loads(run(environment, "api-key", "list", "--json")[1])
    assert (key["name"], key["state"], key["newsletters"], key["used"]) == ("website", "good", ["Weekly"], None)
    assert key["expires"] > key["created"]
    listed = run(environment, "api-key", "list")[1]
    assert "website (good): read; Weekly" in listed
    assert json.loads(said)["key"] not in listed
    assert run(environment, "api-key", "revoke", key["id"]) == (0, "Revoked.\n", "")
    assert "website (revoked)" in run(environment, "api-key", "list")[1]
    assert run(environment, "api-key", "revoke", key["id"])[0] == 1
    code, _said, complained = run(environment, "api-key", "create", "website", "--scope", "read", "--newsletter", "x")
    assert (code, complained) == (1, "newsletter: There is no newsletter x.\n")


def test_a_password_that_will_not_do_is_refused_in_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    for password, said in (("short", "12 to 256"), ("password1234", "first that others"), ("ola@example.com", "must")):
        code, _said, complained = run(environment, "editor", "add", "ola@example.com", given=f"{password}\n")
        assert (code, said in complained) == (1, True)
    assert run(environment, "editor", "add", "ola@example.com", given=f"{GOOD}\n")[0] == 0
    assert run(environment, "editor", "reset", "ola@example.com", given="password1234\n")[0] == 1
    with sqlite3.connect(tmp_path / "data" / "newsletter.sqlite") as connection:
        connection.execute("UPDATE editor SET totp_locked = 'locked'")
    words = ("editor", "reset", "ola@example.com", "--without-second-factor")
    assert run(environment, *words, given=f"{GOOD} too\n")[0] == 0
    with sqlite3.connect(tmp_path / "data" / "newsletter.sqlite") as connection:
        assert connection.execute("SELECT totp_locked FROM editor").fetchall() == [(None,)]
