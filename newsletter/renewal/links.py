"""The link of a letter that asks. It names the letter, and can do nothing but answer it."""

from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id

_PURPOSE = "renew"


def renewal_token(keys: Keyring, letter_id: str) -> str:
    """Give the token of a letter's link; the same each time, so that a letter mailed twice has one link."""
    return keys.sign(_PURPOSE, decode_id(letter_id))


def read_token(keys: Keyring, token: str) -> str | None:
    """Give the letter a link is from; None for a link that isn't ours."""
    try:
        return encode_id(keys.read(_PURPOSE, token))
    except InvalidToken:
        return None
