"""A conversation with an IMAP server about one folder. Blocking: it is held in a thread.

What is not ours stays as it is: mails are read without marking them as seen (BODY.PEEK), and deleted only by their
number (UID EXPUNGE), for a plain EXPUNGE would take along whatever others have marked. Mails that were processed bear a
keyword of ours, so that nothing but them is ever deleted from the folder that they are moved to.
"""

import contextlib
import imaplib
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.utils import check_command_status, encode_folder

from newsletter.bounces.mailbox.connection import FAILURES, NotDone, NotMoved, connected
from newsletter.bounces.mailbox.url import MailboxPlace

# Of a mail this much is read. What a report says stands before the mail that it returns.
_MOST_BYTES = 262_144
_MOST_HEAD = 65_536
_ANSWER_SECONDS = 30.0
_KEYWORD = "$NewsletterProcessed"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UID = re.compile(rb"\bUID (\d+)")


class Folder:
    """A folder, over a connection that is made at once. Everything raises one of FAILURES where the server is away or
    won't. `validity` is what the numbers of the mails are good for: another one, and they are other mails.
    """

    def __init__(self, place: MailboxPlace) -> None:
        self._place = place
        self._box = connected(place)
        self._box.client.socket().settimeout(_ANSWER_SECONDS)
        self._may: frozenset[str] = frozenset()
        self._takes_keywords = False
        self.validity = 0

    def open(self) -> None:
        """Sign in and open the folder."""
        self._sign_in()
        self._may = self._capabilities()
        self._box.folder.set(self._place.folder)
        self.validity = int(self._said("UIDVALIDITY") or 0)
        lasting = self._said("PERMANENTFLAGS")
        self._takes_keywords = rb"\*" in lasting or _KEYWORD.encode() in lasting

    def after(self, number: int) -> list[int]:
        """Give the numbers (UIDs) of the mails that came after that one, in order."""
        # The last mail is always within N:*, even where its number is lower.
        found = self._box.uids(f"UID {number + 1}:* UNDELETED", charset=None)
        return sorted(int(uid) for uid in found if int(uid) > number)

    def heads(self, numbers: Sequence[int], fields: Iterable[str]) -> dict[int, bytes]:
        """Give those header fields of the mails."""
        return self._fetch(numbers, f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields).upper()})]<0.{_MOST_HEAD}>")

    def mails(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Give the first _MOST_BYTES of the mails; one that is gone meanwhile is left out."""
        return self._fetch(numbers, f"BODY.PEEK[]<0.{_MOST_BYTES}>")

    def put_away(self, numbers: Sequence[int]) -> None:
        """Move mails to the folder for what was processed, which is made where there is none."""
        mails, target = _joined(numbers), encode_folder(self._place.processed)
        if not self._box.folder.exists(self._place.processed):
            self._box.folder.create(self._place.processed)
            with contextlib.suppress(ImapToolsError):
                self._box.folder.subscribe(self._place.processed, value=True)
        if self._takes_keywords:
            self._ask("STORE", mails, "+FLAGS.SILENT", f"({_KEYWORD})")
        if "MOVE" in self._may:
            self._ask("MOVE", mails, target)
            return
        self._ask("COPY", mails, target)
        self._delete(mails)

    def purge(self, before: date) -> None:
        """Delete what we moved to the folder for what was processed and what had come before that day.

        Where the server can't be told to delete these and nothing else, it is left to its owner.
        """
        if "UIDPLUS" not in self._may or not self._box.folder.exists(self._place.processed):
            return
        self._box.folder.set(self._place.processed)
        day = f"{before.day}-{_MONTHS[before.month - 1]}-{before.year}"
        if over := self._box.uids(f"KEYWORD {_KEYWORD} BEFORE {day}", charset=None):
            self._delete(_joined(over))

    def cut(self) -> None:
        """End the conversation from another thread: whatever waits for an answer gets an error."""
        with contextlib.suppress(OSError):
            # Not the method of the TLS socket: that would unwrap it under the hands of whoever reads.
            socket.socket.shutdown(self._box.client.socket(), socket.SHUT_RDWR)

    def close(self) -> None:
        """Take leave, as far as the server still listens."""
        with contextlib.suppress(*FAILURES):
            self._box.client.logout()
        with contextlib.suppress(OSError):
            self._box.client.shutdown()

    def _sign_in(self) -> None:
        user, password = self._place.user, self._place.password
        if (user + password).isascii():
            self._box.login(user, password, initial_folder=None)
            return
        try:
            self._box.login_utf8(user, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise MailboxLoginError(("NO", []), "OK") from None

    def _capabilities(self) -> frozenset[str]:
        # Servers say all they can do only to those who have signed in.
        _, said = self._box.client.capability()
        return frozenset(b" ".join(line for line in said if line).decode("ascii", "replace").upper().split())

    def _said(self, code: str) -> bytes:
        _, said = self._box.client.response(code)
        return bytes(said[-1] or b"") if said else b""

    def _delete(self, mails: str) -> None:
        self._ask("STORE", mails, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._may:
            self._ask("EXPUNGE", mails)

    def _fetch(self, numbers: Sequence[int], what: str) -> dict[int, bytes]:
        if not numbers:
            return {}
        return dict(_literals(self._ask("FETCH", _joined(numbers), f"(UID {what})")))

    def _ask(self, command: str, *arguments: Any) -> list[Any]:
        answer = self._box.client.uid(command, *arguments)
        check_command_status(answer, NotMoved if command in ("MOVE", "COPY") else NotDone)
        return list(answer[1])


def _joined(numbers: Iterable[int | str]) -> str:
    return ",".join(map(str, numbers))


def _literals(answer: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    """Give number and content of each mail of an answer to FETCH. The number may stand before or after the content."""
    for place, line in enumerate(answer):
        if not isinstance(line, tuple):
            continue
        after = answer[place + 1] if place + 1 < len(answer) else b""
        found = _UID.search(line[0]) or (_UID.search(after) if isinstance(after, bytes) else None)
        if found:
            yield int(found.group(1)), line[1]
