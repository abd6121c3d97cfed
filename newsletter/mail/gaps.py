"""Quoted-printable with gaps: what is the same in every mail is encoded once, and each reader's own goes between.

A gap stands between soft line breaks (a `=` at the end of a line), which vanish when the mail is read (RFC 2045 §6.7).
So a value never changes the lines around it, and filling in is a join of bytes.
"""

from functools import lru_cache

from newsletter.mail.message import LONGEST_BODY_LINE, quoted_printable

SOFT_BREAK = b"=\r\n"
_ROOM = LONGEST_BODY_LINE - 1 - len("2E")


def constant(text: str) -> bytes:
    """Encode what stands before a gap, or between two; it ends in a soft line break. Nothing stays nothing."""
    return _with_soft_break(quoted_printable(text)) if text else b""


@lru_cache(maxsize=8192)
def value(text: str) -> bytes:
    """Encode what goes into a gap; the same names come again and again, so they are remembered for a while."""
    return _with_soft_break(quoted_printable(text)) if text else b""


def plain(octets: bytes) -> bytes:
    """Give what goes into a gap where it needs no encoding: a URL of our own making, in ASCII and without `=`.

    Longer than a line it is broken softly, as any other; no line of it begins with a dot (RULES G2).
    """
    if len(octets) <= _ROOM:
        return octets + SOFT_BREAK
    lines = [octets[start : start + _ROOM] for start in range(0, len(octets), _ROOM)]
    return b"".join((b"=2E" + line[1:] if line[:1] == b"." else line) + SOFT_BREAK for line in lines)


def _with_soft_break(encoded: bytes) -> bytes:
    line = encoded[encoded.rfind(b"\n") + 1 :]
    if len(line) < LONGEST_BODY_LINE:
        return encoded + SOFT_BREAK
    # No room for one more sign: break before the last character, which may be an escape of three.
    cut = len(encoded) - (3 if encoded[-3:-2] == b"=" else 1)
    return encoded[:cut] + SOFT_BREAK + encoded[cut:] + SOFT_BREAK
