"""The return address: where a bounce of one delivery, or of one letter, comes back to (RULES F5). Pure.

It is the envelope's sender, `b-TOKEN@BOUNCE_DOMAIN` for a delivery and `l-TOKEN@…` for a letter, and says by itself
what came back: nothing is stored for it, so it outlives the ledger's rows and reads the same on every machine. The MAC
of 80 bits keeps strangers from burying anybody; the hour it was written in makes it end.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.tokens import ID_BYTES, AddressSigner, InvalidToken, Keyring, decode_id, encode_id

LIFE = timedelta(days=30)
_LONGEST_LOCAL_PART = 64
_DELIVERY, _LETTER = "b-", "l-"
_PURPOSES = {_DELIVERY: "return/delivery", _LETTER: "return/letter"}
_NUMBER_BYTES, _HOUR_BYTES = 4, 3
_HOUR = 3600
# Machines that share a domain need not agree on the time.
_AHEAD = timedelta(hours=25)


class Fault(StrEnum):
    """Why an address leads to nobody: it is not of our kind, it was not made by us, or it is too old."""

    FOREIGN = "foreign"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ReturnedDelivery:
    """A bounce of one delivery of a mailing, whose mail was written in the hour that begins at `written_at`."""

    mailing_id: str
    number: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedLetter:
    """A bounce of a letter about a signup request or a subscription, by the id of that."""

    about: str
    written_at: datetime


Aim = ReturnedDelivery | ReturnedLetter


class ReturnAddresses:
    """The return addresses of one mailing: made once for it, as there is one for every mail."""

    def __init__(self, keys: Keyring, domain: str, mailing_id: str) -> None:
        self._signer = AddressSigner(keys, _PURPOSES[_DELIVERY], decode_id(mailing_id))
        self._at = f"@{domain.lower()}"

    def of(self, number: int, written_at: float) -> str:
        """Give the return address of the delivery of that number; `written_at` is in seconds since 1970."""
        named = number << 8 * _HOUR_BYTES | int(written_at) // _HOUR
        return _DELIVERY + self._signer.sign(named.to_bytes(_NUMBER_BYTES + _HOUR_BYTES, "big")) + self._at


def of_letter(keys: Keyring, domain: str, about: str, written_at: datetime) -> str:
    """Give the return address of a letter about the signup request or the subscription of that id."""
    hour = int(written_at.timestamp()) // _HOUR
    token = keys.sign_for_address(_PURPOSES[_LETTER], decode_id(about) + hour.to_bytes(_HOUR_BYTES, "big"))
    return f"{_LETTER}{token}@{domain.lower()}"


def for_letter(installation: Installation, letter: Letter) -> str | None:
    """Give the return address of a letter that waits; None where no bounce domain is set, or it is about neither."""
    domain, about = installation.settings.bounce_domain, letter.request_id or letter.subscription_id
    return of_letter(installation.keys, domain, about, installation.clock.now()) if domain and about else None


def read(keys: Keyring, domain: str, address: str, now: datetime) -> Aim | Fault:
    """Give what a return address stands for, in whatever case a mail server has written it.

    What comes without a domain is taken to be of ours: some services hand on the local part alone.
    """
    local, at, host = address.strip().strip("<>").lower().partition("@")
    purpose = _PURPOSES.get(local[:2])
    if not domain or (at and host.rstrip(".") != domain.lower()) or purpose is None:
        return Fault.FOREIGN
    if len(local) > _LONGEST_LOCAL_PART:
        return Fault.FORGED
    try:
        payload = keys.read_from_address(purpose, local[2:])
    except InvalidToken:
        return Fault.FORGED
    aim = _aim(payload)
    return aim if -_AHEAD < now - aim.written_at <= LIFE else Fault.EXPIRED


def _aim(payload: bytes) -> Aim:
    hour = int.from_bytes(payload[-_HOUR_BYTES:], "big")
    written_at, named = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour), encode_id(payload[:ID_BYTES])
    if len(payload) == ID_BYTES + _HOUR_BYTES:
        return ReturnedLetter(named, written_at)
    number = int.from_bytes(payload[ID_BYTES : ID_BYTES + _NUMBER_BYTES], "big")
    return ReturnedDelivery(named, number, written_at)
