"""Reaching an IMAP server, securely, and saying what kept us from it.

What a server says is not logged: it may repeat what it was told.
"""

import contextlib
import imaplib
import socket
import ssl
import threading
from typing import Self

from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderCreateError,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailboxStarttlsError,
    UnexpectedCommandStatusError,
)
from imap_tools.mailbox import BaseMailBox
from imap_tools.utils import check_command_status

from newsletter.bounces.mailbox.url import MailboxPlace

__all__ = ["FAILURES", "NotDone", "NotMoved", "connected", "reason_of"]

# What anything asked of a server raises where it is away or won't.
FAILURES = (OSError, imaplib.IMAP4.error, ImapToolsError)
# Whoever connects can't be interrupted, so that a worker that is to end waits for it.
_CONNECT_SECONDS = 8.0


class NotMoved(UnexpectedCommandStatusError):
    """The server does not move mail to the folder for what was processed."""


class NotDone(UnexpectedCommandStatusError):
    """The server does not do what it was asked."""


class _Patience:
    """How long the server may take until it is reached, all in all: each of its bytes may come late, and none too late.

    A context manager. Whoever waits when it ends is cut off.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._line: socket.socket | None = None
        self.ended = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._line is not None:
            self._line.close()

    def watch(self, line: socket.socket) -> socket.socket:
        """Watch over a connection; give it back. Raises TimeoutError where it came too late."""
        # Our own handle: TLS takes the connection over.
        self._line = line.dup()
        if self.ended:
            line.close()
            raise TimeoutError
        return line

    def _end(self) -> None:
        self.ended = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


class _Client(imaplib.IMAP4):
    """A client of the library's over a connection that is watched; with a context it speaks TLS from the beginning."""

    def __init__(self, place: MailboxPlace, patience: _Patience, context: ssl.SSLContext | None) -> None:
        self._patience, self._context = patience, context
        super().__init__(place.host, place.port, _CONNECT_SECONDS)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, as the library's would."""
        self.host, self.port = host, port
        line = self._patience.watch(socket.create_connection((host, port), timeout))
        self.sock = self._context.wrap_socket(line, server_hostname=host) if self._context else line
        self.file = self.sock.makefile("rb")


class _Box(BaseMailBox):
    """The mailbox of a place."""

    def __init__(self, place: MailboxPlace, patience: _Patience) -> None:
        self._place, self._patience = place, patience
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        # Without a context of ours the certificate would not be looked at.
        context = None if self._place.security == "imap" else ssl.create_default_context()
        if self._place.security != "imap+starttls":
            return _Client(self._place, self._patience, context)
        client = _Client(self._place, self._patience, None)
        try:
            check_command_status(client.starttls(context), MailboxStarttlsError)
        except BaseException:
            with contextlib.suppress(OSError):
                client.shutdown()
            raise
        return client


def connected(place: MailboxPlace) -> BaseMailBox:
    """Connect, secured as the place says, and hear the greeting. Raises one of FAILURES."""
    with _Patience(_CONNECT_SECONDS) as patience:
        try:
            return _Box(place, patience)
        except FAILURES:
            if patience.ended:
                raise TimeoutError from None
            raise


def reason_of(error: BaseException) -> str:
    """Say what one of FAILURES means, in words that hold nothing of what the server said."""
    return next(reason for kinds, reason in _REASONS if isinstance(error, kinds))


_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((ssl.SSLCertVerificationError,), "its certificate is not good for this host"),
    ((ssl.SSLError, MailboxStarttlsError), "no TLS comes about with it"),
    ((TimeoutError,), "it does not answer in time"),
    ((socket.gaierror,), "its name is not known"),
    ((OSError,), "it can't be reached, or has hung up"),
    ((MailboxLoginError,), "it refuses user and password"),
    ((MailboxFolderSelectError,), "it has no such folder, or does not open it"),
    ((imaplib.IMAP4.readonly,), "the folder may only be read"),
    ((imaplib.IMAP4.abort,), "it has hung up"),
    ((NotMoved, MailboxFolderCreateError), "it does not move mail to the folder for what was processed"),
    ((BaseException,), "it did not do what it was asked"),
)
