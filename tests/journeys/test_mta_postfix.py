"""Through a real Postfix, by each of its recipes: it takes an issue for people who are gone, or whose mailbox is full,
and then reports it to the return addresses.
"""

import shutil
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import pytest

from tests.journeys.returning import DOMAIN, GONE, OTHERS, REFUSED, Told, check, company_behind, send
from tests.support.peer import SmtpPeer
from tests.support.ports import free_port
from tests.support.postfix import Postfix, running_postfix
from tests.support.recipes import files, recipe
from tests.support.waiting import eventually

FULL, STUFFED, *ALIVE = OTHERS
# It refuses one at once, as it does those whom its own lists lack; and tries others once, where it would for days.
MORE = f"""
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {REFUSED} = 550 5.1.1 User unknown }} }}
maximal_queue_lifetime = 0
"""
ANYBODY = "nobody"
# Whoever Postfix starts the command for may read this program, although it may lie where only root can enter.
_RIGHT = "+dac_override"
ENTERING = ("setpriv", "--inh-caps", _RIGHT, "--ambient-caps", _RIGHT, "--securebits", "+no_setuid_fixup")


def told(way: str) -> Told:
    return Told({"dead": 1}, {"dead": 1, "mailbox_full": 2}, way, gone={GONE, REFUSED}, got={*ALIVE})


@contextmanager
def postfix_with(
    peer: SmtpPeer, recipe_files: dict[str, str], port: int | None = None, starter: Sequence[str] = ()
) -> Iterator[Postfix]:
    written = {name: text.replace("8025", str(port)) for name, text in recipe_files.items()}
    peer.refuse(GONE)
    peer.refuse(FULL, "552 5.2.2 Mailbox full", stage="END")
    peer.defer(STUFFED, "452 4.2.2 Over quota")
    with running_postfix(peer.port, written | {"main.cf": written["main.cf"] + MORE}, starter) as postfix:
        yield postfix


def mailed_from_outside(postfix: Postfix, to: str) -> int:
    """Give what Postfix says to a report from another mail server."""
    with smtplib.SMTP("localhost", postfix.port) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(postfix.authority.file)))
        client.mail("")
        return client.rcpt(to)[0]


@pytest.mark.parametrize(
    ("database_kind", "protocol"), [("sqlite", "lmtp"), ("postgresql", "smtp")], indirect=["database_kind"]
)
def test_postfix_buries_only_the_dead(protocol: str, database_url: str, tmp_path: Path, peer: SmtpPeer) -> None:
    port = free_port()
    by_lmtp, by_smtp = (files(block) for block in recipe("Postfix"))
    if protocol == "smtp":
        by_lmtp["main.cf"] += by_smtp["main.cf"]
    with postfix_with(peer, by_lmtp, port) as postfix:
        with company_behind(tmp_path, database_url, postfix.url, port, postfix.authority.file) as company:
            check(company, peer, send(company), told("listener"))
            assert mailed_from_outside(postfix, f"guessed@{DOMAIN}") == 550
            assert mailed_from_outside(postfix, f"unsubscribe+token@{DOMAIN}") == 250
        eventually(lambda: postfix.waiting == 0, what="the end of the queue")
        assert [postfix.log.count(f"status={state}") for state in ("bounced", "expired")] == [2, 1]
        assert postfix.log.count(f"postfix/{protocol}[") > 0


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_postfix_hands_reports_to_the_command(database_url: str, tmp_path: Path, peer: SmtpPeer) -> None:
    if subprocess.run([*ENTERING, "true"], capture_output=True, check=False).returncode:
        pytest.skip("the right to enter all folders can't be handed on here")
    with postfix_with(peer, by_command(), starter=ENTERING) as postfix:
        with company_behind(tmp_path, database_url, postfix.url, None, postfix.authority.file) as company:
            let_it_receive(postfix.folder, company.program.environment)
            check(company, peer, send(company), told("command"))
        eventually(lambda: postfix.waiting == 0, what="the end of the queue")
        assert postfix.log.count("delivered via newsletter service") == 3


def by_command() -> dict[str, str]:
    """Give the recipe of the command, with the places and the user that there are here."""
    program = Path(sys.executable).with_name("newsletter")
    settings, script = recipe("Postfix, by a command")
    places = {
        "/usr/local/bin/": "/etc/postfix/",
        "/etc/newsletter/": "/etc/postfix/",
        "/opt/newsletter/.venv/bin/newsletter": str(program),
        "user=newsletter": f"user={ANYBODY}",
    }
    written = files(settings) | {"newsletter-receive": script}
    for advised, here in places.items():
        written = {name: text.replace(advised, here) for name, text in written.items()}
    return written


def let_it_receive(folder: Path, environment: dict[str, str]) -> None:
    """Give the command its settings, and a data folder of its own."""
    (folder / "newsletter-receive").chmod(0o755)
    data = folder / "received"
    data.mkdir(mode=0o700)
    named = {name: value for name, value in environment.items() if name.startswith("NEWSLETTER_")}
    lines = [f"{name}={quote(value)}\n" for name, value in (named | {"NEWSLETTER_DATA_DIR": str(data)}).items()]
    (folder / "receive.env").write_text("".join(lines), encoding="utf-8")
    (folder / "receive.env").chmod(0o600)
    for path in (data, folder / "receive.env"):
        shutil.chown(path, ANYBODY)
