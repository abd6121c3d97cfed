"""A real Exim as the relay, in a folder of its own: it takes whatever it is given and brings it to a port, but for the
mail to the bounce domain, for which it has the router and the transport of `docs/operating.md`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.jail import Jail, jailed
from tests.support.ports import free_port
from tests.support.waiting import eventually

_USER = "Debian-exim"
_SPOOL, _LOG = "var/spool/exim4", "var/log/exim4"
_CONFIGURATION = """\
primary_hostname = mail.example.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = /{spool}
log_file_path = /{log}/%s
deliver_drop_privilege = true
keep_environment =
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny recipients = {unlisted}
       message = 5.1.1 Unknown user
  accept
begin routers
{router}
others:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = others
begin transports
{transport}
others:
  driver = smtp
  port = {onward}
  allow_localhost
begin retry
* * F,1h,1s
"""


@dataclass(frozen=True)
class Exim:
    """A running Exim."""

    port: int
    jail: Jail

    @property
    def url(self) -> str:
        """Give what NEWSLETTER_SMTP_URL is to be for it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has logged."""
        files = sorted((self.jail.folder / _LOG).iterdir())
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    @property
    def waiting(self) -> int:
        """Give how many mails are in its queue."""
        return len(list((self.jail.folder / _SPOOL / "input").rglob("*-H")))


@contextmanager
def running_exim(onward: int, router: str, transport: str, unlisted: str) -> Iterator[Exim]:
    """Give an Exim that hands its mail on to the port `onward`, and mail to the bounce domain by `router` and
    `transport`; it refuses the address `unlisted` at once. Skip where this machine can't run one.
    """
    with jailed("exim4-daemon-light", "exim4", [_USER]) as jail:
        server = Exim(free_port(), jail)
        jail.make(_SPOOL, _USER)
        jail.make(_LOG, _USER)
        values = {"port": server.port, "spool": _SPOOL, "log": _LOG, "onward": onward, "unlisted": unlisted}
        jail.write("etc/exim4/exim4.conf", _CONFIGURATION.format(**values, router=router, transport=transport))
        with jail.running("-C", "/etc/exim4/exim4.conf", "-bdf", "-q2s"):
            eventually(lambda: "daemon started" in server.log, what="the start of Exim")
            yield server
