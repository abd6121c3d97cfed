"""A fast SMTP server in a process of its own that takes everything, and keeps its own record of it.

It writes down a recipient before it answers the final dot, as a mail server takes responsibility: so whoever is in the
record got the mail, whatever became of the answer. It speaks PIPELINING. With a `delay` it takes a random time before
and after it writes down a mail, so that a client that is killed at a random moment is killed at any stage. It can halt
after so many mails: what is done to its client then is done in the middle, however fast or slow the machine is.

    python -m tests.support.sink RECORD DELAY HALT [FOLDER]
"""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import eventually

_ADDRESS = re.compile(rb"<([^>]*)>")
_GREETING = b"250-sink.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
_REPLIES = {b"MAIL": b"250 2.1.0 ok\r\n", b"RCPT": b"250 2.1.5 ok\r\n", b"RSET": b"250 2.0.0 ok\r\n"}


class Sink:
    """A running sink. `delay` is the longest time for a mail, in seconds; with `keep` its mails are kept as files.

    After `halt` mails it takes no other until `go_on`; 0: it never halts.
    """

    def __init__(self, folder: Path, delay: float = 0.0, *, keep: bool = False, halt: int = 0) -> None:
        self._record = folder / "record"
        self._folder = folder / "mails"
        self._arguments = [str(self._record), str(delay), str(halt), *([str(self._folder)] if keep else [])]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(exist_ok=True)
        self._record.touch()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *self._arguments], stdout=subprocess.PIPE, text=True, cwd=_ROOT
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    @property
    def url(self) -> str:
        """Give what NEWSLETTER_SMTP_URL is to be for it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def taken(self) -> int:
        """Give how many mails it has taken."""
        return self._record.read_bytes().count(b"\n")

    @property
    def counted(self) -> Counter[str]:
        """Give how many mails each address was sent."""
        return Counter(self._record.read_text(encoding="utf-8").split())

    @property
    def mails(self) -> list[bytes]:
        """Give the mails that were kept, as they came over the wire."""
        return [path.read_bytes() for path in sorted(self._folder.iterdir())]

    def wait_for(self, number: int, seconds: float = 120) -> None:
        """Wait until it has taken so many mails."""
        eventually(lambda: self.taken >= number, timeout=seconds, what=f"the arrival of {number} mails")

    def go_on(self) -> None:
        """End the halt."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)


_ROOT = Path(__file__).parents[2]


class _Gate:
    """Lets `most` through, and the others once it is open; 0: everybody."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.open = asyncio.Event()
        if not most:
            self.open.set()

    async def pass_through(self) -> None:
        if self._left:
            self._left -= 1
        else:
            await self.open.wait()


class _Talk:
    def __init__(self, record: int, delay: float, gate: _Gate, folder: Path | None) -> None:
        self._record = record
        self._delay = delay / 2
        self._gate = gate
        self._folder = folder
        self._recipients: list[bytes] = []

    async def go_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink.example.com ready\r\n")
        while line := await reader.readline():
            verb = line[:4].upper().strip()
            if verb == b"EHLO":
                writer.write(_GREETING)
            elif verb == b"DATA":
                await self._take(reader, writer)
            elif verb == b"QUIT":
                writer.write(b"221 2.0.0 goodbye\r\n")
                return
            else:
                self._note(verb, line)
                writer.write(_REPLIES.get(verb, b"502 5.5.1 what?\r\n"))

    def _note(self, verb: bytes, line: bytes) -> None:
        found = _ADDRESS.search(line)
        if verb == b"RCPT" and found is not None:
            self._recipients.append(found[1])
        elif verb in (b"MAIL", b"RSET"):
            self._recipients = []

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"354 go on\r\n")
        content = await reader.readuntil(b"\r\n.\r\n")
        await self._gate.pass_through()
        await self._dawdle()
        if self._folder is not None:
            name = self._recipients[0].decode().replace("/", "_")
            (self._folder / name).write_bytes(content[:-3].replace(b"\n..", b"\n."))
        os.write(self._record, b"".join(recipient + b"\n" for recipient in self._recipients))
        await self._dawdle()
        writer.write(b"250 2.0.0 taken\r\n")

    async def _dawdle(self) -> None:
        if self._delay:
            await asyncio.sleep(random.uniform(0, self._delay))  # noqa: S311 (no secret hangs on it)


async def _serve(record: Path, delay: float, halt: int, folder: Path | None) -> None:
    file = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    gate = _Gate(halt)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, gate.open.set)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Talk(file, delay, gate, folder).go_on(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=2**24, backlog=1000)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    _record, _delay, _halt, *_folders = sys.argv[1:]
    asyncio.run(_serve(Path(_record), float(_delay), int(_halt), Path(_folders[0]) if _folders else None))
