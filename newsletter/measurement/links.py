"""The measured links of one mail: its pixel and its clicks.

A token is the issue, a nonce, and for a click the link's number, under a MAC with a key of that issue. The nonce is
made when the mail is rendered and is stored nowhere: nothing kept can lead from it to a person (DESIGN §6).
"""

from dataclasses import dataclass

from newsletter.tokens import ID_BYTES, InvalidToken, Keyring, decode_id, encode_id, payload

OPEN = -1
ANY_LINK = -2
_LINK_BYTES = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """What a valid token says: which issue, which nonce, and which link (OPEN for the pixel)."""

    issue_id: str
    nonce: bytes
    link: int


def open_token(keys: Keyring, issue_id: str, nonce: bytes) -> str:
    """Give the token of a mail's pixel."""
    return keys.sign(f"open/{issue_id}", decode_id(issue_id) + nonce)


def click_token(keys: Keyring, issue_id: str, nonce: bytes, link: int) -> str:
    """Give the token of a mail's link number `link`."""
    return keys.sign(f"click/{issue_id}", decode_id(issue_id) + nonce + link.to_bytes(_LINK_BYTES, "big"))


def read_open(keys: Keyring, token: str) -> Hit:
    """Read a pixel's token. Raises InvalidToken."""
    issue_id = encode_id(payload(token)[:ID_BYTES])
    content = keys.read(f"open/{issue_id}", token)
    return Hit(issue_id, content[ID_BYTES:], OPEN)


def read_click(keys: Keyring, token: str) -> Hit:
    """Read a click's token. Raises InvalidToken."""
    issue_id = encode_id(payload(token)[:ID_BYTES])
    content = keys.read(f"click/{issue_id}", token)
    if len(content) != 2 * ID_BYTES + _LINK_BYTES:
        raise InvalidToken
    link = int.from_bytes(content[-_LINK_BYTES:], "big")
    return Hit(issue_id, content[ID_BYTES:-_LINK_BYTES], link)
