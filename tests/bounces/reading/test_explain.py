"""`newsletter receive --explain` says what mails mean, a line for each, and acts on nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import cli
from tests.bounces.reading.returned import CORPUS, expected, postfix_report


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let any look at the database fail."""
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.chdir(tmp_path)


def explain(*words: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["receive", "--explain", *words], input=given)


def test_each_file_gets_its_line() -> None:
    done = explain("--json", *map(str, CORPUS))
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [(Path(line["file"]), line["verdict"]) for line in said] == [(path, expected(path)) for path in CORPUS]
    assert all(set(line) == {"file", "verdict", "code", "reason"} for line in said)


def test_standard_input_is_one_mail() -> None:
    done = explain("--json", given=postfix_report("550 5.1.1 User unknown", "5.1.1"))
    assert json.loads(done.stdout) == {
        "file": "-",
        "verdict": "dead",
        "code": "5.1.1",
        "reason": "There is no such mailbox.",
    }


def test_without_json_it_says_it_in_words() -> None:
    done = explain(given=postfix_report("552 5.2.2 Over quota", "5.2.2"))
    assert done.stdout == "-: mailbox_full (5.2.2): The mailbox is full.\n"


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_explained() -> None:
    done = explain("--json", "missing.eml", str(CORPUS[0]))
    assert done.exit_code == 1
    assert "missing.eml can't be read" in done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("raw", [b"", b"\0\xff\xfe", b"Subject: =?x?q?\xff?=\n\n\xff"])
def test_any_bytes_get_a_verdict(raw: bytes) -> None:
    done = explain("--json", given=raw)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["verdict"] == "not_a_bounce"


def test_files_are_for_explaining_alone() -> None:
    done = CliRunner().invoke(cli, ["receive", str(CORPUS[0])])
    assert done.exit_code == 2
    assert "--explain" in done.stderr
