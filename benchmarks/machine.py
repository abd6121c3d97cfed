"""What a result rests on: the machine and the versions, without a name that would tell whose machine it is."""

import os
import platform
import shutil
import sqlite3
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import program
from benchmarks.processes import ProcessEnded, run

_LIBRARIES = ("litestar", "uvicorn", "uvloop", "sqlalchemy", "aiosqlite", "asyncpg", "cryptography", "aiosmtplib")


def machine() -> dict[str, str]:
    """Describe the machine."""
    return {
        "processor": _line(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "processors": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_line(Path('/proc/meminfo'), 'MemTotal').split()[0]) / 1e6:.0f} GB",
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release().partition('-')[0]}",
    }


def versions() -> dict[str, str]:
    """Give the versions of what was measured and of its peers."""
    return {
        "newsletter": version("newsletter") + _commit(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": run([program("initdb"), "--version"]).printed.split()[2],
        "Postfix": run([program("smtp-sink").with_name("postconf"), "-dh", "mail_version"]).printed.strip(),
        **{name: version(name) for name in _LIBRARIES},
    }


def _commit() -> str:
    """Give the commit, and whether something was changed since."""
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        commit = run([git, "rev-parse", "--short", "HEAD"]).printed.strip()
        changed = run([git, "status", "--porcelain", "--", "newsletter", "migrations"]).printed.strip()
    except ProcessEnded:
        return ""
    return f" ({commit}{', changed' if changed else ''})"


def _line(file: Path, name: str) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
