"""Quoted-printable with gaps: what is the same in every mail is encoded once, and each reader's own goes between.

A gap stands between soft line breaks (a `=` at the end of a line), which vanish when the mail is read (RFC 2045 §6.7).
So a value never changes the lines around it, and filling in is a join of bytes. A token of ours goes in as it is: it
is ASCII without `=`, shorter than a line, and begins with no dot (RULES G2).
"""

from newsletter.mail.message import LONGEST_BODY_LINE, quoted_printable

SOFT_BREAK = b"=\r\n"


def piece(text: str) -> bytes:
    """Encode what stands before a gap, between two, or in one; it ends in a soft line break. Nothing stays nothing."""
    if not text:
        return b""
    encoded = quoted_printable(text)
    line = encoded[encoded.rfind(b"\n") + 1 :]
    if len(line) < LONGEST_BODY_LINE:
        return encoded + SOFT_BREAK
    # No room for one more sign: break before the last character, which may be an escape of three.
    cut = len(encoded) - (3 if encoded[-3:-2] == b"=" else 1)
    return encoded[:cut] + SOFT_BREAK + encoded[cut:] + SOFT_BREAK
