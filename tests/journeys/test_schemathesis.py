"""The API keeps to its own description: schemathesis asks it everything that the description allows, and more."""

import os
import subprocess
import sysconfig
from pathlib import Path

from tests.journeys.story import SLUG, Company

# Whether a text can be mailed, a time is to come and a day is in the calendar is no matter of shape, and who is meant
# is said by one of two fields, and a list goes on only from where it has been: what can't be meant is refused with
# 422, as described.
_JUDGED = """
[[operations]]
include-operation-id = ["sendIssue", "resendInDoubt", "letInDoubtBe", "importPeople", "seeAlarms",
    "listNotices"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422]

# Where it finds no issue to write, it sends a bare 0.
[[operations]]
include-operation-id = ["createIssue"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 422]
"""
_WITHIN = """
[parameters]
slug = "{slug}"
issue_id = "{issue}"
"""


def ask(company: Company, folder: Path, *arguments: str, settings: str = "") -> None:
    """Run every check of every phase."""
    file = folder / "schemathesis.toml"
    file.write_text(settings + _JUDGED, encoding="utf-8")
    command = Path(sysconfig.get_path("scripts")) / "schemathesis"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    done = subprocess.run(
        [
            *(command, "--config-file", file, "run", f"{company.program.base_url}/api/openapi.json"),
            *("--seed", "2026", "--no-shrink", *arguments),
        ],
        cwd=folder,
        env=environment | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "request_failed" not in company.program.log


def test_with_and_without_a_key_on_what_is_there_and_what_is_not(sqlite_company: Company, tmp_path: Path) -> None:
    """A newsletter and an issue that exist, in whatever state their mailing gets to, and any others."""
    key = ("-H", f"Authorization: Bearer {sqlite_company.key}")
    ask(sqlite_company, tmp_path, "--max-examples", "10", "--phases", "examples,coverage,fuzzing")
    ask(sqlite_company, tmp_path, "--max-examples", "10", *key)
    issue = sqlite_company.answer("POST", f"/newsletters/{SLUG}/issues", {"subject": "Hello", "body": "Hello"})["id"]
    ask(sqlite_company, tmp_path, "--max-examples", "50", *key, settings=_WITHIN.format(slug=SLUG, issue=issue))
