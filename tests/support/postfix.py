"""A real Postfix as the relay: its own configuration and queue, ports of loopback, STARTTLS, and a password.

It takes mail only over TLS from whoever signs in, and hands it on to a sink; what else it is to do, the files of a
recipe say. It is started from the binaries of the system, and knows nothing of the mail system that the machine itself
may have.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.requirements import unavailable
from tests.support.waiting import eventually

USER, PASSWORD = "newsletter", "et langt passord: 100 % @ /"
_NAME = "localhost"
_PROGRAMS = ("postfix", "postqueue", "saslpasswd2")
_SEARCHED = "/usr/sbin:/usr/bin"
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
command_directory = {commands}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = {name}
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_host_lookup = native
default_transport = smtp:[127.0.0.1]:{sink}
default_destination_concurrency_limit = 20
initial_destination_concurrency = 20
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = {name}
cyrus_sasl_config_path = {folder}/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/sasl/sasldb2
mech_list: PLAIN LOGIN
"""


@dataclass(frozen=True)
class Postfix:
    """A running Postfix."""

    port: int
    folder: Path
    authority: Authority

    @property
    def url(self) -> str:
        """Give what NEWSLETTER_SMTP_URL is to be for it."""
        return f"smtp+starttls://{quote(USER)}:{quote(PASSWORD, safe='')}@{_NAME}:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has logged."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def waiting(self) -> int:
        """Give how many mails are in its queue."""
        return self._run("postqueue", "-j").count("queue_name")

    def _run(self, program: str, *arguments: str) -> str:
        command = [_found(program), "-c", str(self.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def running_postfix(
    sink_port: int, recipe: Mapping[str, str] | None = None, starter: Sequence[str] = ()
) -> Iterator[Postfix]:
    """Give a Postfix that hands its mail on to that port; skip or fail where this machine can't run one.

    A `recipe` tells what is to be added to its files in /etc/postfix, by their names; a `starter` is a command that
    starts it.
    """
    if os.geteuid() != 0:
        pytest.skip("Postfix can only be started by root")
    for program in _PROGRAMS:
        _found(program)
    # Its daemons, which are nobody in particular, must be able to get there.
    folder = Path(tempfile.mkdtemp(prefix="newsletter-postfix-"))
    folder.chmod(0o755)
    server = Postfix(free_port(), folder, Authority(folder))
    try:
        _configure(server, sink_port)
        for name, text in (recipe or {}).items():
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write(text.replace("/etc/postfix", str(folder)))
        _start(server, starter)
        yield server
    finally:
        subprocess.run([_found("postfix"), "-c", folder, "stop"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _found(program: str) -> str:
    found = shutil.which(program, path=_SEARCHED)
    if found is None:
        unavailable(f"no {program} here: install Debian's postfix, sasl2-bin and libsasl2-modules")
    return found


def _configure(server: Postfix, sink_port: int) -> None:
    folder, shown = server.folder, server.authority.certificate([_NAME])
    owner = pwd.getpwnam("postfix")
    for name in ("queue", "data", "sasl"):
        (folder / name).mkdir()
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    binaries = Path(_found("postfix")).parent
    daemons = next(path for path in (Path("/usr/lib/postfix/sbin"), Path("/usr/libexec/postfix")) if path.is_dir())
    values = {"folder": folder, "name": _NAME, "sink": sink_port, "commands": binaries, "daemons": daemons}
    certificate = {"certificate": shown.file, "key": shown.key_file}
    (folder / "main.cf").write_text(_MAIN.format(**values, **certificate), encoding="utf-8")
    (folder / "master.cf").write_text(_MASTER.format(port=server.port), encoding="utf-8")
    (folder / "sasl" / "smtpd.conf").write_text(_SASL.format(folder=folder), encoding="utf-8")
    passwords = folder / "sasl" / "sasldb2"
    command = [_found("saslpasswd2"), "-p", "-c", "-f", str(passwords), "-u", _NAME, USER]
    subprocess.run(command, input=PASSWORD, text=True, capture_output=True, check=True)
    os.chown(passwords, owner.pw_uid, owner.pw_gid)


def _start(server: Postfix, starter: Sequence[str]) -> None:
    command = [*starter, _found("postfix"), "-c", str(server.folder), "start"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"Postfix did not start: {done.stdout}{done.stderr}"
    eventually(lambda: "daemon started" in server.log, what="the start of Postfix")
