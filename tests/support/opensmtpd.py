"""A real OpenSMTPD as the relay, in a folder of its own: it takes whatever it is given and brings it to a port, but for
the mail to the bounce domain, for which it has the action and the rule of `docs/operating.md`.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.jail import Jail, jailed
from tests.support.ports import free_port
from tests.support.waiting import eventually

_USER, _QUEUE_USER = "opensmtpd", "opensmtpq"
_QUEUE = "var/spool/smtpd/queue"
_CONFIGURATION = """\
listen on 127.0.0.1 port {port}
{recipe}
action "others" relay host "smtp+notls://127.0.0.1:{onward}"
match from any for rcpt-to "{unlisted}" reject
match from any for any action "others"
"""


@dataclass(frozen=True)
class OpenSmtpd:
    """A running OpenSMTPD."""

    port: int
    jail: Jail

    @property
    def url(self) -> str:
        """Give what NEWSLETTER_SMTP_URL is to be for it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has logged."""
        return self.jail.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def waiting(self) -> int:
        """Give how many mails are in its queue."""
        # Not with `glob`, which fails where a folder goes while it looks.
        walked = os.walk(self.jail.folder / _QUEUE)
        return len([name for _, _, names in walked for name in names if name != "message"])


@contextmanager
def running_opensmtpd(onward: int, recipe: str, unlisted: str) -> Iterator[OpenSmtpd]:
    """Give an OpenSMTPD that hands its mail on to the port `onward`, and mail to the bounce domain by `recipe`; it
    refuses the address `unlisted` at once. Skip where this machine can't run one.
    """
    with jailed("opensmtpd", "smtpd", [_USER, _QUEUE_USER]) as jail:
        server = OpenSmtpd(free_port(), jail)
        jail.make("var/lib/opensmtpd/empty")
        jail.make("var/run")
        jail.make("var/spool")
        jail.write("etc/mailname", "mail.example.org\n")
        values = {"port": server.port, "onward": onward, "unlisted": unlisted}
        jail.write("etc/smtpd.conf", _CONFIGURATION.format(**values, recipe=recipe))
        (jail.folder / "etc" / "smtpd.conf").chmod(0o600)
        with jail.running("-d"):
            eventually(lambda: _listens(server.port), what="the start of OpenSMTPD")
            yield server


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
