"""Sending: the whole pipeline (lease, render, send, record) beside smtp-source, which sends one mail again and again.

Both send the same number of mails of the same size over 20 connections to the same kind of sink. Our mails have ten
measured links and a pixel, and each is written for its reader. With smtp-sink the sink is what takes longest; the lean
sink shows what is left when it does not.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.homes import PILOT, PILOTS
from benchmarks.mailings import send
from benchmarks.processes import Usage
from benchmarks.rounds import RATE, Figures, Run, Side
from benchmarks.rows import Goal, Row
from benchmarks.sinks import running_sink, smtp_source

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def mail_size(run: Run, kind: str, people: int) -> int:
    """Give the octets of one mail, as they arrive at a sink."""
    with run.homes.fresh(kind, people) as home, running_sink(lean=True) as sink:
        send(home, [sink], PILOTS, PILOT)
        taken = sink.taken()
    return round(taken["octets"] / taken["mails"])


def ours(
    run: Run,
    kind: str,
    people: int,
    *,
    lean: bool,
    workers: int = 1,
    settings: Mapping[str, str] | None = None,
    profile: Path | None = None,
) -> Figures:
    """Send one mailing with real workers, each to a sink of its own; give the rate and the µs of processors a mail."""
    with run.homes.fresh(kind, people) as home, ExitStack() as stack:
        sinks = [stack.enter_context(running_sink(lean=lean)) for _ in range(workers)]
        return _figures(send(home, sinks, people, settings=settings, profile=profile).usage, people)


def source(people: int, size: int, *, lean: bool) -> Figures:
    """Let smtp-source send as much."""
    with running_sink(lean=lean) as sink:
        done = smtp_source(sink, people, size)
    return {RATE: people / done.seconds, "smtp-source µs": done.cpu_seconds / people * 1e6}


def _figures(usage: Usage, mails: int) -> Figures:
    each = {f"{name} µs": seconds / mails * 1e6 for name, seconds in usage.cpu.items()}
    return {RATE: mails / usage.seconds, **each, "others' processors": usage.others / usage.seconds}


def measure(run: Run) -> list[Row]:
    """Measure both databases against both sinks, with the peer beside each."""
    people = run.size(30_000, 10_000)
    size = mail_size(run, run.databases[0], people)
    sides: dict[str, Callable[[], Figures]] = {}
    for lean in (False, True):
        sides[_name("smtp-source", lean=lean)] = partial(source, people, size, lean=lean)
        for kind in run.databases:
            sides[_name(kind, lean=lean)] = partial(ours, run, kind, people, lean=lean)
    found = run.interleave("Sending", sides)
    rows = [_row(found, kind, size, lean=lean) for lean in (False, True) for kind in run.databases]
    return rows + [_cpu_row(found[kind], kind) for kind in run.databases]


def _name(side: str, *, lean: bool) -> str:
    return f"{side}, lean sink" if lean else side


def _row(found: dict[str, Side], kind: str, size: int, *, lean: bool) -> Row:
    mine, peer = found[_name(kind, lean=lean)], found[_name("smtp-source", lean=lean)]
    return Row(
        benchmark=f"sending-{kind}{'-lean' if lean else ''}",
        what=f"Sending, {NAMES[kind]}{', to a sink that is not the bottleneck' if lean else ''}",
        peer=f"smtp-source to {'the same' if lean else 'smtp-sink'}",
        unit="mails/s",
        ours=mine.of(RATE),
        theirs=peer.of(RATE),
        goal=Goal(0.8 if lean else 1.0),
        details={"octets a mail": size} | mine.details() | peer.details(),
    )


def _cpu_row(mine: Side, kind: str) -> Row:
    return Row(
        benchmark=f"sending-{kind}-cpu",
        what=f"A worker's processor time for a mail, {NAMES[kind]}",
        peer="",
        unit="µs",
        ours=mine.of("worker µs"),
        goal=Goal(80, at_least=False, of_value=True),
    )
