"""The whole program and a real IMAP server: killed between taking a bounce and moving it, it does neither twice."""

from pathlib import Path

from tests.bounces.coming_back import report
from tests.bounces.mailbox.mailboxes import MOVED, RETURNED, UNREAD, mail
from tests.journeys.story import open_company
from tests.support.dovecot import PASSWORD, running_dovecot
from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually

GONE = "reader0@example.com"


def test_a_bounce_that_was_taken_before_a_kill_is_moved_after_it(tmp_path: Path, peer: SmtpPeer) -> None:
    with running_dovecot() as dovecot:
        settings = {
            "imap_url": dovecot.url("imaps", "?every=1"),
            "bounce_domain": "bounces.example.com",
            "inbound_listen": "off",
            "dead_address_hold": "3",
        }
        program = Program(tmp_path / "program", peer.url, **settings)
        program.environment["SSL_CERT_FILE"] = str(dovecot.authority.file)
        obstacle = dovecot.folder / "mail" / ".Processed"
        obstacle.write_text("no folder")
        dovecot.deliver(mail("editor@example.com", "A letter to the editor"))
        with program:
            company = open_company(program)
            readers = company.readers(5)
            company.finished(company.write_and_send())
            address = peer.mails_to(GONE)[-1].sender
            dovecot.deliver(f"Delivered-To: {address}\n".encode() + report(GONE))
            eventually(lambda: "it does not move mail" in program.log, what="a move that fails")
            program.kill()
            assert dovecot.mails()[-1] == (RETURNED, UNREAD)
            obstacle.unlink()
            program.start()
            eventually(lambda: dovecot.mails("Processed") == [(RETURNED, MOVED)], what="the move")
            eventually(lambda: not company.find(GONE), what="the deletion")
            assert all(company.find(reader) for reader in readers if reader != GONE)
            assert dovecot.mails() == [("A letter to the editor", UNREAD)]
            assert program.stop() == 0
        assert PASSWORD not in program.log
        assert GONE not in program.log
        assert address not in program.log
