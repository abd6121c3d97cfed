"""How long a command takes that has little to do, as a whole process: `--help`, and `receive --explain` of one mail.

Beside them Python itself with click, which no command can do without, and an older build where one is named
(`older.py`). Each is run once before it is measured, and may write its bytecode then, so that everybody's is there.
"""

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.older import older_build
from benchmarks.processes import run as run_to_end
from benchmarks.rounds import Figures, Run
from benchmarks.rows import Goal, Row

_TIME, _PROCESSOR = "ms", "processor ms"
_CLICK = "python -c 'import click'"
_MAIL = """\
Return-Path: <>
From: MAILER-DAEMON@relay.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounce@bounces.example.com
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=utf-8

<kari@example.org>: host mx.example.org said: 550 5.1.1 No such user here (in reply to RCPT TO command)

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.com

Final-Recipient: rfc822; kari@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user here

--cut--
"""


def measure(run: Run) -> list[Row]:
    """Measure both commands beside click, and beside the older build."""
    mail = run.folder / "mail.eml"
    mail.write_text(_MAIL, encoding="ascii")
    commands: dict[str, list[str | Path]] = {"--help": ["--help"], "receive --explain": ["receive", "--explain", mail]}
    programs = {"": Path(sys.executable).with_name("newsletter")}
    if older := older_build():
        programs[older.name] = older.command
    sides: dict[str, Callable[[], Figures]] = {_CLICK: partial(_timed, [sys.executable, "-c", "import click"])}
    for name, program in programs.items():
        sides |= {f"{words}{name}": partial(_timed, [program, *rest]) for words, rest in commands.items()}
    for once in sides.values():
        once()
    found = run.interleave("Commands", sides)

    def row(words: str, peer: str, theirs: str, goal: Goal | None) -> Row:
        key = f"commands-{words.split()[-1].strip('-')}{'-older' if peer != _CLICK else ''}"
        what, ours = f"`newsletter {words}`, the whole process", found[words]
        details = {_PROCESSOR: median(ours.of(_PROCESSOR))}
        return Row(key, what, peer, _TIME, ours.of(_TIME), found[theirs].of(_TIME), goal, details)

    rows = [
        row("--help", _CLICK, _CLICK, Goal(3, at_least=False)),
        row("receive --explain", _CLICK, _CLICK, None),
    ]
    if older:
        rows += [
            row("--help", older.name, f"--help{older.name}", None),
            row("receive --explain", older.name, f"receive --explain{older.name}", Goal(0.25, at_least=False)),
        ]
    return rows


def _timed(command: Sequence[str | Path]) -> Figures:
    """Run a command to its end; give the time and the processor time it took, in ms."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = run_to_end(command, env=environment)
    return {_TIME: done.seconds * 1000, _PROCESSOR: done.cpu_seconds * 1000}
