"""Reaching an IMAP server, securely, and saying what kept us from it.

What a server says is not logged: it may repeat what it was told.
"""

import contextlib
import imaplib
import socket
import ssl

from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderCreateError,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailboxStarttlsError,
    UnexpectedCommandStatusError,
)
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
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


class _StartTls(MailBoxStartTls):
    """As its parent, but a connection that can't be secured is closed."""

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4(self._host, self._port, self._timeout)
        try:
            check_command_status(client.starttls(self._ssl_context), MailboxStarttlsError)
        except BaseException:
            with contextlib.suppress(OSError):
                client.shutdown()
            raise
        return client


def connected(place: MailboxPlace) -> BaseMailBox:
    """Connect, secured as the place says, and hear the greeting. Raises one of FAILURES."""
    if place.security == "imap":
        return MailBoxUnencrypted(place.host, place.port, timeout=_CONNECT_SECONDS)
    # Without a context of ours the certificate would not be looked at.
    kind = MailBox if place.security == "imaps" else _StartTls
    return kind(place.host, place.port, timeout=_CONNECT_SECONDS, ssl_context=ssl.create_default_context())


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
