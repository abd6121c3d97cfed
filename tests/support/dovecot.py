"""A real Dovecot with one mailbox: its own configuration and mail, on ports of loopback, with and without TLS.

It is started from the binaries of the system, and knows nothing of the mail system that the machine itself may have.
"""

import base64
import getpass
import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from newsletter.clock import SystemClock
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.requirements import unavailable
from tests.support.waiting import eventually

USER, PASSWORD = "bounces@example.com", "et langt passord: 100 % @ /"
_SEARCHED = "/usr/sbin:/usr/bin"
_PARTS = ("/usr/lib/dovecot", "/usr/libexec/dovecot")
_SETTINGS = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = newsletter
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail:UTF-8
mailbox_list_index = no
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner_group} home={folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
protocol imap {{
  {more}
}}
"""


@dataclass
class Dovecot:
    """A Dovecot that runs, or was stopped. `more` is what stands in its configuration for IMAP."""

    folder: Path
    authority: Authority
    more: str = ""
    port: int = field(default_factory=free_port)
    plain_port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def url(self, scheme: str = "imaps", options: str = "", password: str = PASSWORD, folder: str = "INBOX") -> str:
        """Give what NEWSLETTER_IMAP_URL is to be for it."""
        port = self.port if scheme == "imaps" else self.plain_port
        return f"{scheme}://{quote(USER)}:{quote(password, safe='')}@localhost:{port}/{folder}{options}"

    @property
    def log(self) -> str:
        """Give what it has logged."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [_found(), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(self._answers, what=f"the start of Dovecot; its log: {self.log}")

    def stop(self) -> None:
        """End it and everything it has started."""
        if self._process is not None:
            process, self._process = self._process, None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def deliver(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Put mails into a folder, as a mail server does."""
        with self.client() as client:
            for mail in mails:
                told, said = client.append(folder, "", "", mail.replace(b"\n", b"\r\n"))
                assert told == "OK", said

    def fill(self, mails: Iterable[bytes]) -> None:
        """Put many mails into the inbox at once, past the server."""
        # It makes the folder and its subfolders when it is first asked for it.
        with self.client() as client:
            client.select("INBOX", readonly=True)
        for number, mail in enumerate(mails):
            (self.folder / "mail" / "new" / f"{number}.example").write_bytes(mail)

    def mails(self, folder: str = "INBOX") -> list[tuple[str, str]]:
        """Give subject and flags of each mail in a folder; nothing where there is no such folder."""
        with self.client() as client:
            told, number = client.select(f'"{folder}"', readonly=True)
            if told != "OK" or number == [b"0"]:
                return []
            _, said = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        pairs = [line for line in said if isinstance(line, tuple)]
        flags = [line[0].decode().partition("FLAGS (")[2].partition(")")[0].replace("\\Recent", "") for line in pairs]
        subjects = [line[1].decode().partition(":")[2].strip() for line in pairs]
        return [(subject, kept.strip()) for subject, kept in zip(subjects, flags, strict=True)]

    @property
    def now(self) -> datetime:
        """Give the time by its clock, which is the machine's."""
        return SystemClock().now()

    def sent_bytes(self) -> int:
        """Give how many bytes it has sent to all who signed in, when they have all gone."""
        eventually(lambda: self.log.count("Login: user") == self.log.count(" deleted="), what="the end of the sessions")
        return sum(int(number) for number in re.findall(r" out=(\d+)", self.log))

    def client(self) -> imaplib.IMAP4:
        """Give a client that has signed in; use it as a context manager."""
        client = imaplib.IMAP4("127.0.0.1", self.plain_port, timeout=60)
        client.login(USER, PASSWORD)
        return client

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Dovecot ended: {self.log}"
        try:
            imaplib.IMAP4("127.0.0.1", self.plain_port, timeout=60).logout()
        except (OSError, imaplib.IMAP4.error):
            return False
        return True


@contextmanager
def running_dovecot(more: str = "") -> Iterator[Dovecot]:
    """Give a Dovecot with an empty mailbox; skip or fail where this machine can't run one."""
    _found()
    # Its processes, which are nobody in particular, must be able to get there.
    folder = Path(tempfile.mkdtemp(prefix="newsletter-dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder, Authority(folder), more)
    try:
        _configure(server)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _found() -> str:
    found = shutil.which("dovecot", path=_SEARCHED)
    if found is None or not any((Path(folder) / "imap").exists() for folder in _PARTS):
        unavailable("no dovecot here: install Debian's dovecot-imapd")
    return found


def _configure(server: Dovecot) -> None:
    folder, shown = server.folder, server.authority.certificate(["localhost"])
    as_root = os.geteuid() == 0
    me = getpass.getuser()
    internal, login, owner = ("dovecot", "dovenull", "nobody") if as_root else (me, me, me)
    mail = folder / "mail"
    mail.mkdir()
    theirs = pwd.getpwnam(owner)
    if as_root:
        os.chown(mail, theirs.pw_uid, theirs.pw_gid)
    # Encoded, for a colon would end it.
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    (folder / "users").write_text(f"{USER}:{{PLAIN.b64}}{encoded}\n", encoding="utf-8")
    values = {
        "folder": folder,
        "certificate": shown.file,
        "key": shown.key_file,
        "internal": internal,
        "internal_group": grp.getgrgid(pwd.getpwnam(internal).pw_gid).gr_name,
        "login": login,
        "owner": theirs.pw_uid,
        "owner_group": theirs.pw_gid,
        "port": server.port,
        "plain_port": server.plain_port,
        "more": server.more,
    }
    (folder / "dovecot.conf").write_text(_SETTINGS.format(**values), encoding="utf-8")
