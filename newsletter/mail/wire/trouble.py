"""Why the relay can't be used, in a sentence that says what to do about it. Pure.

What goes wrong before the first mail comes as an exception of the network, of TLS or of SMTP; what the relay thinks of
the sender comes as a reply to MAIL. Both become a `Trouble`. Its sentence is made of our own words, the relay's host
and port, and a code: a reply's text and an exception's message may hold an address or a password, and never get here
(RULES C7).
"""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import aiosmtplib

_SETTING = "NEWSLETTER_SMTP_URL"
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_FIRST_PERMANENT = 500


class TroubleKind(StrEnum):
    """What keeps the relay from being used."""

    HOST_UNKNOWN = "host_unknown"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    HUNG_UP = "hung_up"
    NO_TLS = "no_tls"
    NO_STARTTLS = "no_starttls"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_WRONG_NAME = "certificate_wrong_name"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_INVALID = "certificate_invalid"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_NOT_OFFERED = "sign_in_not_offered"
    TLS_WANTED = "tls_wanted"
    SIGN_IN_WANTED = "sign_in_wanted"
    SENDER_REFUSED = "sender_refused"
    BUSY = "busy"
    UNWELCOME = "unwelcome"
    OTHER = "other"


_SENTENCES = {
    TroubleKind.HOST_UNKNOWN: "The relay's name {host} is not known in the DNS: check it in {setting}.",
    TroubleKind.CONNECTION_REFUSED: "Nobody listens on port {port} of the relay {host}: "
    "check that the relay is running, and the port in {setting}.",
    TroubleKind.UNREACHABLE: "There is no way from here to the relay {host}: check the network and its firewalls.",
    TroubleKind.TIMEOUT: "The relay {host} did not answer on port {port} in time: check what firewalls there are, "
    "and that scheme and port belong together (smtps:// with 465, smtp+starttls:// with 587).",
    TroubleKind.HUNG_UP: "The relay {host}:{port} ended the connection before any mail: its own log says why.",
    TroubleKind.NO_TLS: "The relay {host} could not begin TLS with us on port {port}: "
    "if it offers STARTTLS there, write smtp+starttls:// in {setting}.",
    TroubleKind.NO_STARTTLS: "The relay {host}:{port} does not offer STARTTLS, and nothing is sent in the clear: "
    "use another port, or write smtp:// in {setting} if the way to it is safe.",
    TroubleKind.CERTIFICATE_UNTRUSTED: "The certificate of the relay {host} is signed by nobody this machine trusts: "
    "let it show one of a known authority with the whole chain, or name its authority's file in SSL_CERT_FILE.",
    TroubleKind.CERTIFICATE_WRONG_NAME: "The certificate of the relay is not made out to {host}: "
    "write the name that stands in the certificate in {setting}, or let the relay show the right one.",
    TroubleKind.CERTIFICATE_EXPIRED: "The certificate of the relay {host} has expired, or is not valid yet: "
    "let it be renewed, and check this machine's clock.",
    TroubleKind.CERTIFICATE_INVALID: "The certificate of the relay {host} is not valid (OpenSSL's check {code}).",
    TroubleKind.SIGN_IN_REFUSED: "The relay {host}:{port} refused our user name or password (code {code}): "
    "check them in {setting}, where characters like @ : / % must be percent-encoded.",
    TroubleKind.SIGN_IN_NOT_OFFERED: "The relay {host}:{port} offers no way to sign in that we know: "
    "use the port and the security with which it takes passwords, or take the password out of {setting}.",
    TroubleKind.TLS_WANTED: "The relay {host}:{port} wants a secured connection first (code {code}): "
    "write smtp+starttls:// or smtps:// in {setting}.",
    TroubleKind.SIGN_IN_WANTED: "The relay {host}:{port} wants us to sign in, or to use TLS (code {code}): "
    "give a user and a password in {setting}, and smtp+starttls:// or smtps://.",
    TroubleKind.SENDER_REFUSED: "The relay {host}:{port} refused the sender's address (code {code}): "
    "let it allow the newsletter's sender, or the bounce domain where one is set, to the user we sign in as.",
    TroubleKind.BUSY: "The relay {host}:{port} takes nothing just now (code {code}); it is tried again.",
    TroubleKind.UNWELCOME: "The relay {host}:{port} does not want to talk to us (code {code}): "
    "let it allow this machine's address and name.",
    TroubleKind.OTHER: "The relay {host}:{port} can't be used ({code}).",
}

_CERTIFICATE_CHECKS = {
    **dict.fromkeys((9, 10), TroubleKind.CERTIFICATE_EXPIRED),
    **dict.fromkeys((2, 18, 19, 20, 21), TroubleKind.CERTIFICATE_UNTRUSTED),
    **dict.fromkeys((62, 64), TroubleKind.CERTIFICATE_WRONG_NAME),
}
"""The checks of OpenSSL (X509_V_ERR_…) that can be said more plainly."""

_NETWORK = {
    errno.ECONNREFUSED: TroubleKind.CONNECTION_REFUSED,
    errno.ETIMEDOUT: TroubleKind.TIMEOUT,
    errno.ENETUNREACH: TroubleKind.UNREACHABLE,
    errno.EHOSTUNREACH: TroubleKind.UNREACHABLE,
    errno.EADDRNOTAVAIL: TroubleKind.UNREACHABLE,
    errno.EACCES: TroubleKind.UNREACHABLE,
}
_WANTS_TLS, _WANTS_SIGN_IN = (523, 538), (530,)
_NOT_SIGNED_IN = "5.7.0"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps the relay from being used. `code` is that of the reply or of the check of the certificate."""

    kind: TroubleKind
    host: str
    port: int
    code: int | str = ""

    @property
    def sentence(self) -> str:
        """Give a sentence for the operator that says what to do; it holds no address and no password."""
        return _SENTENCES[self.kind].format(host=self.host, port=self.port, code=self.code, setting=_SETTING)


def trouble_of(error: BaseException, host: str, port: int) -> Trouble:
    """Say what an exception of connecting, securing, greeting or signing in means."""
    for cause in _causes(error):
        if (found := _read(cause)) is not None:
            kind, code = found
            return Trouble(kind, host, port, code)
    return Trouble(TroubleKind.OTHER, host, port, type(error).__name__)


def trouble_at_mail(code: int, enhanced: str | None, host: str, port: int) -> Trouble:
    """Say what a refusal at MAIL means: it is about the sender or about us, never about a recipient."""
    return Trouble(_kind_of_reply(code, enhanced, TroubleKind.SENDER_REFUSED), host, port, code)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give the exception and what it was raised from, the deepest first: that one knows best."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__
    return reversed(chain)


def _read(error: BaseException) -> tuple[TroubleKind, int | str] | None:
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE_CHECKS.get(error.verify_code, TroubleKind.CERTIFICATE_INVALID), error.verify_code
        case ssl.SSLZeroReturnError() | ssl.SSLEOFError():
            return TroubleKind.HUNG_UP, ""
        case ssl.SSLError():
            return TroubleKind.NO_TLS, ""
        case aiosmtplib.SMTPAuthenticationError():
            return _kind_of_reply(error.code, None, TroubleKind.SIGN_IN_REFUSED), error.code
        case aiosmtplib.SMTPResponseException():
            return _kind_of_reply(error.code, None, TroubleKind.UNWELCOME), error.code
        case TimeoutError():
            return TroubleKind.TIMEOUT, ""
        case socket.gaierror():
            return TroubleKind.HOST_UNKNOWN, ""
        case OSError():
            return _kind_of_network(error), ""
        case aiosmtplib.SMTPException() if (kind := _kind_of_words(error.message)) is not None:
            return kind, ""
        case EOFError():
            return TroubleKind.HUNG_UP, ""
    return None


def _kind_of_reply(code: int, enhanced: str | None, usual: TroubleKind) -> TroubleKind:
    if code in _WANTS_TLS:
        return TroubleKind.TLS_WANTED
    if code in _WANTS_SIGN_IN or (usual is TroubleKind.SENDER_REFUSED and enhanced == _NOT_SIGNED_IN):
        return TroubleKind.SIGN_IN_WANTED
    return usual if code >= _FIRST_PERMANENT else TroubleKind.BUSY


def _kind_of_network(error: OSError) -> TroubleKind:
    # Where a name has several addresses, asyncio raises one error without a number for all that failed.
    numbers = [error.errno] if error.errno else [int(number) for number in _ERRNO.findall(str(error))]
    return next((_NETWORK[number] for number in numbers if number in _NETWORK), TroubleKind.HUNG_UP)


def _kind_of_words(message: str) -> TroubleKind | None:
    """Tell apart what aiosmtplib has no class for. The words are its own, not the relay's."""
    if "STARTTLS extension" in message:
        return TroubleKind.NO_STARTTLS
    if "AUTH extension" in message or "authentication method" in message:
        return TroubleKind.SIGN_IN_NOT_OFFERED
    return None
