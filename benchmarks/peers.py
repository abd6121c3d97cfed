"""The programs the benchmarks compare with or stand on: found here, or installed from Debian's packages, saying so."""

import os
import shutil
from pathlib import Path

import click

from benchmarks.processes import run

_PACKAGES = {"smtp-source": "postfix", "smtp-sink": "postfix", "wrk": "wrk", "initdb": "postgresql"}
_FOLDERS = (*os.defpath.split(":"), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/sbin")


def program(name: str) -> Path:
    """Give where a program is; install its package where it is missing. Raises click.ClickException where it can't."""
    if found := _find(name):
        return found
    package = _PACKAGES[name]
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise click.ClickException(
            f"{name} is missing: install Debian's package {package} (as root), and run this again."
        )
    click.echo(f"Installing Debian's package {package}, for {name}", err=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run([apt, "update", "-q"], env=quiet)
    run([apt, "install", "-q", "-y", "--no-install-recommends", package], env=quiet)
    if found := _find(name):
        return found
    raise click.ClickException(f"{name} is missing though {package} is installed.")


def _find(name: str) -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    folders = [*map(str, versions), os.environ.get("PATH", ""), *_FOLDERS]
    path = shutil.which(name, path=":".join(folders))
    return Path(path) if path else None


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdecimal() else 0
