"""A folder that a server takes for the whole machine (chroot): its binary, its libraries, its users, and no more.

So a mail system runs from a package that was only unpacked, with the paths and the users that are built into it, and
neither sees nor touches the mail system that the machine itself may have.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

# Nobody of the machine's own.
_FIRST_USER = 61991
_SEARCHED = "/usr/sbin:/usr/bin"
_STOP_SECONDS = 10


class Jail:
    """A folder with one program in it. `users` are those that the program wants to become."""

    def __init__(self, folder: Path, program: Path, users: Sequence[str]) -> None:
        self.folder = folder
        self.log_file = folder / "output"
        self._program = f"/usr/sbin/{program.name}"
        self._ids = {name: _FIRST_USER + place for place, name in enumerate(users)}
        self._copy(program)
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("dev/null", "")
        for name, form in (("passwd", "{0}:x:{1}:{1}::/:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
            everybody = {"root": 0} | self._ids
            self.write(f"etc/{name}", "".join(form.format(user, number) for user, number in everybody.items()))
        (folder / "dev" / "null").chmod(0o666)
        (self.make("tmp")).chmod(0o1777)

    def write(self, path: str, text: str) -> None:
        """Write a file, with the folders above it."""
        self.make(str(Path(path).parent))
        (self.folder / path).write_text(text, encoding="utf-8")
        (self.folder / path).chmod(0o644)

    def make(self, path: str, owner: str = "root") -> Path:
        """Make a folder that belongs to `owner`; give where it is."""
        made = self.folder / path
        made.mkdir(parents=True, exist_ok=True)
        if owner != "root":
            os.chown(made, self._ids[owner], self._ids[owner])
        return made

    @contextmanager
    def running(self, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the program in its folder; what it says goes to `log_file`. At the end nothing of it is left running."""
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                ["chroot", str(self.folder), self._program, *arguments],
                env={"PATH": _SEARCHED},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _end(process)

    def _copy(self, program: Path) -> None:
        """Bring the program and its libraries to where it looks for them."""
        unpacked = program.parents[2]
        for source in (program, *_libraries(program, unpacked)):
            inside = Path("/") / source.relative_to(unpacked) if source.is_relative_to(unpacked) else source
            target = self.folder / (inside if source != program else Path(self._program)).relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
            target.chmod(0o755)


@contextmanager
def jailed(package: str, program: str, users: Sequence[str]) -> Iterator[Jail]:
    """Give a folder with a program of a Debian package in it; skip where this machine can't have that."""
    if os.geteuid() != 0 or shutil.which("chroot", path=_SEARCHED) is None:
        pytest.skip(f"{program} can only be started by root, in a folder of its own")
    # Its daemons, which are nobody in particular, must be able to get there.
    folder = Path(tempfile.mkdtemp(prefix=f"newsletter-{program}-"))
    try:
        folder.chmod(0o755)
        yield Jail(folder, _found(package, program), users)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _found(package: str, program: str) -> Path:
    """Find a program: installed, or fetched by `fetch_mtas.sh`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    fetched = cache / "newsletter-tests" / package / "usr" / "sbin"
    found = shutil.which(program, path=f"{_SEARCHED}:{fetched}")
    if found is None:
        pytest.skip(f"no {program} here: run tests/support/fetch_mtas.sh, which fetches Debian's {package}")
    return Path(found)


def _libraries(program: Path, unpacked: Path) -> list[Path]:
    fetched = [str(path) for path in (unpacked / "usr" / "lib").glob("*-linux-*")]
    environment = {"PATH": _SEARCHED, "LC_ALL": "C", "LD_LIBRARY_PATH": ":".join(fetched)}
    done = subprocess.run(["ldd", str(program)], env=environment, capture_output=True, text=True, check=True)
    assert "not found" not in done.stdout, done.stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
