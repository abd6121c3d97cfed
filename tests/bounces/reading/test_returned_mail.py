"""What comes back is understood: the reports of some eighty mail systems, vacation answers, complaints, forged and
broken ones each get the verdict that a mail administrator would give (RULES F, promise P6).
"""

from pathlib import Path

import pytest

from newsletter.bounces.reading.reading import explain
from newsletter.bounces.reading.verdicts import Verdict
from tests.bounces.reading.returned import CORPUS, expected

DEADLY = {Verdict.DEAD, Verdict.DEAD_IF_REPEATED}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_returned_mail_is_understood(path: Path) -> None:
    reading = explain(path.read_bytes())
    assert reading.verdict is expected(path), reading
    assert reading.reason


def test_the_corpus_holds_every_verdict() -> None:
    assert {expected(path) for path in CORPUS} == set(Verdict)
    assert len(CORPUS) >= 300


def test_a_dead_one_always_has_its_code() -> None:
    """RULES F2: without a code nobody is dead."""
    for path in CORPUS:
        reading = explain(path.read_bytes())
        if reading.verdict is Verdict.DEAD:
            assert reading.code in {"5.1.1", "5.1.3", "5.1.6", "5.1.10"}, path.name


def test_a_reason_never_holds_a_word_of_the_mail() -> None:
    """RULES C7: reasons are sentences of ours, of which there are few."""
    reasons = {explain(path.read_bytes()).reason for path in CORPUS}
    assert len(reasons) < 50
    assert not any("@" in reason or "example" in reason for reason in reasons)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_line_ends_change_nothing(path: Path) -> None:
    raw = path.read_bytes().replace(b"\r\n", b"\n")
    assert explain(raw.replace(b"\n", b"\r\n")) == explain(raw)


def test_what_a_returned_mail_says_itself_is_no_evidence() -> None:
    """Our own issue may speak of bounces, and comes back with one."""
    path = next(path for path in CORPUS if path.name.startswith("exim-relay."))
    assert b"550 5.1.1 is what this issue is about" in path.read_bytes()
    assert explain(path.read_bytes()).verdict is Verdict.POLICY
