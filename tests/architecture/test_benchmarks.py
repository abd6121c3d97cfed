"""The benchmarks' own instruments: what judges, counts and tells is right. No time is measured here."""

from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.lean_sink import Conversation, Tally
from benchmarks.picture import draw, share
from benchmarks.report import DOCS, document, table
from benchmarks.results import Result, keep, kept
from benchmarks.rows import Goal, Row

SLOWER = Row("a", "Sending", "smtp-source", "mails/s", [900, 950, 700], [1000, 1000, 2000], Goal(1.0))
LIGHT = Row("b", "Processor time", "", "µs", [70, 90, 75], goal=Goal(80, at_least=False, of_value=True))
MACHINE = {"processor": "Example 1", "processors": "2", "memory": "4 GB", "system": "Debian"}


def test_a_row_is_judged_by_its_medians() -> None:
    assert (SLOWER.value, SLOWER.peer_value, SLOWER.ratio, SLOWER.reached) == (900, 1000, 0.9, False)
    assert SLOWER.range == (0.35, 0.95)
    assert (LIGHT.value, LIGHT.ratio, LIGHT.reached) == (75, None, True)


def test_a_goal_that_is_not_reached_is_told() -> None:
    assert "0.90 × (0.35–0.95)  ≥ 1.00 ×   not reached" in table([SLOWER, LIGHT])
    assert "1 of 2 goals reached" in draw([SLOWER, LIGHT])
    assert share(SLOWER) < 1 < share(LIGHT)


def test_what_is_kept_comes_back_and_is_told_in_the_documentation(tmp_path: Path) -> None:
    keep(Result("sending", "2026-11-22", 3, MACHINE, {"Python": "3.11"}, [SLOWER]), tmp_path)
    (tmp_path / "performance.md").write_text((DOCS / "performance.md").read_text(encoding="utf-8"), encoding="utf-8")
    document(kept(["sending", "never measured"], tmp_path), tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| Sending | 900 mails/s | smtp-source | 1,000 mails/s | 0.90 × (0.35–0.95) | ≥ 1.00 × | not rea" in page
    assert "sending: 3 rounds, 2026-11-22; 2 × Example 1" in page
    assert page.count("How it is measured") == 1, "what people wrote around the table stays"


def test_the_documentation_shows_the_results_that_are_kept(tmp_path: Path) -> None:
    for name in ("performance.md", "performance.svg"):
        if (DOCS / name).exists():
            (tmp_path / name).write_text((DOCS / name).read_text(encoding="utf-8"), encoding="utf-8")
    document(kept(BENCHMARKS), tmp_path)
    for name in ("performance.md", "performance.svg"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (DOCS / name).read_text(encoding="utf-8"), (
            "run `python -m benchmarks --redraw`"
        )


@pytest.mark.parametrize("step", [1, 2, 3, 5, 17, 1000])
def test_the_lean_sink_counts_mails_however_they_arrive(step: int) -> None:
    mail = b"Subject: a\r\n\r\nfirst\r\n.. and a dot\r\n"
    envelope = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    sent = b"EHLO a\r\n" + (envelope + mail + b".\r\n") * 3 + b"QUIT\r\n"
    tally = Tally()
    sink = Conversation(tally)
    replies = b"".join(sink.take(sent[first : first + step]) for first in range(0, len(sent), step))
    assert (tally.mails, tally.octets) == (3, 3 * len(mail))
    assert [line[:3] for line in replies.splitlines()][4:] == [*[b"250", b"250", b"354", b"250"] * 3, b"221"]
