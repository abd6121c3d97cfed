"""Where the mail goes: Postfix's smtp-sink, or one of our own that is never the bottleneck; and smtp-source, the peer
that does nothing but send.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers import program
from benchmarks.ports import free_port, listens, wait_for
from benchmarks.processes import Finished, Process, run

SESSIONS = 20
_BACKLOG = 1000


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink."""

    port: int
    process: Process

    @property
    def url(self) -> str:
        """Give its address for NEWSLETTER_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def taken(self) -> dict[str, int]:
        """End the lean sink; give how many mails and octets it took."""
        self.process.stop()
        figures: dict[str, int] = json.loads(self.process.log.read_text(encoding="ascii"))
        return figures


@contextmanager
def running_sink(*, lean: bool = False) -> Iterator[Sink]:
    """Give a sink for as long as the block lasts."""
    port = free_port()
    command = (
        [sys.executable, "-m", "benchmarks.lean_sink", port]
        if lean
        else [program("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", _BACKLOG]
    )
    with (
        TemporaryDirectory(prefix="newsletter-sink-") as folder,
        Process([str(part) for part in command], Path(folder) / "log") as process,
    ):
        wait_for(lambda: listens(port), 10, "the sink")
        yield Sink(port, process)


def smtp_source(sink: Sink, count: int, size: int) -> Finished:
    """Let smtp-source send `count` mails of `size` octets over its sessions, each kept open."""
    options = f"-d -s {SESSIONS} -l {size} -m {count} -f monthly@example.com -t reader@example.com".split()
    return run([program("smtp-source"), *options, f"127.0.0.1:{sink.port}"])
