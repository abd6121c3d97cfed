"""The measured links of one mail: its pixel and its clicks.

A token is the issue and a nonce under a MAC with a key of that issue; a click's has the link's number behind it. The
nonce is made when the mail is rendered and is stored nowhere: nothing kept can lead from it to a person (DESIGN §6).
The MAC keeps strangers from making hits up; whoever holds a mail may follow any of its links anyway, so the number
needs none.
"""

from dataclasses import dataclass

from newsletter.tokens import ID_BYTES, InvalidToken, Keyring, decode_id, encode_id, payload

OPEN = -1
ANY_LINK = -2
_MOST_LINKS = 10_000
_OPEN_CHARACTERS = 66  # 49 bytes in base64


@dataclass(frozen=True, slots=True)
class Hit:
    """What a valid token says: which issue, which nonce, and which link (OPEN for the pixel)."""

    issue_id: str
    nonce: bytes
    link: int


def open_token(keys: Keyring, issue_id: str, nonce: bytes) -> str:
    """Give the token of a mail's pixel."""
    return keys.sign(f"measure/{issue_id}", decode_id(issue_id) + nonce)


def click_token(opened: str, link: int) -> str:
    """Give the token of link number `link` in the mail whose pixel has the token `opened`."""
    return f"{opened}{link}"


def read_open(keys: Keyring, token: str) -> Hit:
    """Read a pixel's token. Raises InvalidToken."""
    issue_id = encode_id(payload(token)[:ID_BYTES])
    content = keys.read(f"measure/{issue_id}", token)
    if len(content) != 2 * ID_BYTES:
        raise InvalidToken
    return Hit(issue_id, content[ID_BYTES:], OPEN)


def read_click(keys: Keyring, token: str) -> Hit:
    """Read a click's token. Raises InvalidToken."""
    opened, number = token[:_OPEN_CHARACTERS], token[_OPEN_CHARACTERS:]
    if not (number.isascii() and number.isdecimal() and str(int(number[:6])) == number) or int(number) >= _MOST_LINKS:
        raise InvalidToken
    hit = read_open(keys, opened)
    return Hit(hit.issue_id, hit.nonce, int(number))
