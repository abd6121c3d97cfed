"""DKIM (RFC 6376): a mail is signed as the very bytes that leave; nothing may touch them afterwards (RULES G1, G6).

Header and body are canonicalised "relaxed": runs of white space count as one space, trailing ones not at all. Every
field of `SIGNED` is named once more in the signature than it stands in the mail, so that nobody on the way can add a
second From or a List-Unsubscribe of their own without breaking it. There is no l=, so nothing can be appended either.

The core takes bytes and a time, and gives bytes; `Signer` runs it in threads.
"""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain

from newsletter.clock import Clock
from newsletter.mail.dkim.keys import SigningDomain, SigningKey, in_base64

# What a reader sees or a mail program acts on, and what only the sender may say (RULES E1, G6).
SIGNED = (
    *(b"from", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"auto-submitted", b"feedback-id"),
    *(b"list-unsubscribe", b"list-unsubscribe-post", b"list-id", b"list-post", b"list-help", b"list-archive"),
    *(b"list-subscribe", b"list-owner"),
)
_FOLD_AT = 78
_BASE64_LINE = 76


class UnsignableMail(ValueError):
    """Bytes that are no mail, or that a relay would rewrite so that no signature could hold (RULES G2)."""


def signatures(domain: SigningDomain, content: bytes, seconds: int) -> bytes:
    """Give the DKIM-Signature of each key of `domain`, to stand in front of `content`, the whole mail as it will leave.

    `seconds` since 1970 is when it was signed. Raises UnsignableMail.
    """
    head, body = _parted(content)
    fields = relaxed_fields(head)
    numbers, names = _plan(tuple(name for name, _ in fields))
    signed = b"".join(fields[number][1] for number in numbers)
    body_hash = in_base64(hashlib.sha256(relaxed_body(body)).digest())
    return b"".join(_signature(domain.name, key, seconds, names, signed, body_hash) for key in domain.keys)


def _signature(domain: str, key: SigningKey, seconds: int, names: str, fields: bytes, body_hash: str) -> bytes:
    opening, unfolded = _opening(domain, key.selector, key.algorithm, seconds, names)
    rest = f" bh={body_hash}; b="
    value = in_base64(key.sign(fields + (unfolded + rest).encode()))
    lines = (value[first : first + _BASE64_LINE] for first in range(0, len(value), _BASE64_LINE))
    return "\r\n ".join([f"{opening}\r\n{rest}", *lines]).encode() + b"\r\n"


@lru_cache(maxsize=64)
def _opening(domain: str, selector: str, algorithm: str, seconds: int, names: str) -> tuple[str, str]:
    """Give what is the same in the signatures of a second: folded as it is sent, and canonical as it is signed."""
    first, *further = names.split(":")
    pieces = [
        *("DKIM-Signature: v=1;", f" a={algorithm};", " c=relaxed/relaxed;", f" d={domain};", f" s={selector};"),
        *(f" t={seconds};", f" h={first}", *(f":{name}" for name in further), ";"),
    ]
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece) > _FOLD_AT:
            lines.append(" " + piece.lstrip(" "))
        else:
            lines[-1] += piece
    return "\r\n".join(lines), "".join(lines).replace("DKIM-Signature: ", "dkim-signature:")


class Signer:
    """Signs mails in threads of its own: `cryptography` lets go of Python's lock, so the loop goes on meanwhile."""

    def __init__(self, domain: SigningDomain, clock: Clock, threads: int | None = None) -> None:
        self.domain = domain
        self._clock = clock
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="dkim")

    async def sign(self, contents: Sequence[bytes]) -> list[bytes]:
        """Give the header(s) to put in front of each of the mails. Raises UnsignableMail."""
        seconds = int(self._clock.now().timestamp())
        loop = asyncio.get_running_loop()
        # One errand for each thread, not for each mail: an errand costs the loop more than a signature's Python part.
        each = max(1, -(-len(contents) // self._threads))
        errands = [
            loop.run_in_executor(self._pool, self._sign_all, contents[first : first + each], seconds)
            for first in range(0, len(contents), each)
        ]
        return list(chain.from_iterable(await asyncio.gather(*errands)))

    def _sign_all(self, contents: Sequence[bytes], seconds: int) -> list[bytes]:
        return [signatures(self.domain, content, seconds) for content in contents]

    def close(self) -> None:
        """Let the threads end. What they were asked for is still done."""
        self._pool.shutdown(wait=False)


def relaxed_body(body: bytes) -> bytes:
    """Give the canonical body (RFC 6376 §3.4.4) of a body whose every line, the last one too, ends with CRLF."""
    body = _one_space(body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def relaxed_fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Give the name and the canonical line of every field of a header (RFC 6376 §3.4.2), from the top."""
    lines = _one_space(head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")).split(b"\r\n")
    parted = (line.partition(b":") for line in lines)
    return [
        (name := field.rstrip(b" ").lower(), name + b":" + value.strip(b" ") + b"\r\n") for field, _, value in parted
    ]


def _one_space(text: bytes) -> bytes:
    text = text.replace(b"\t", b" ")
    # Halving the runs again and again is much faster than a regular expression, for a run of any length.
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _parted(content: bytes) -> tuple[bytes, bytes]:
    if not (content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r") and content.endswith(b"\r\n")):
        raise UnsignableMail("A mail must have CRLF, and nothing else, at the end of each line.")
    head, empty_line, body = content.partition(b"\r\n\r\n")
    if not empty_line:
        raise UnsignableMail("A mail must have an empty line between its header and its body.")
    return head, body


@lru_cache(maxsize=64)
def _plan(standing: tuple[bytes, ...]) -> tuple[list[int], str]:
    """Say which of the fields that stand in a header are signed, in which order, and under which names (h=)."""
    if standing.count(b"from") != 1:
        raise UnsignableMail("A mail must have exactly one From.")
    names: list[bytes] = []
    numbers: list[int] = []
    for name in dict.fromkeys([*SIGNED, *(each for each in standing if each.startswith(b"list-"))]):
        # Of equal fields the lowest is taken first; one name more than there are says that there is no other (§5.4.2).
        found = [number for number, each in enumerate(standing) if each == name]
        numbers += reversed(found)
        names += [name] * (len(found) + 1)
    return numbers, b":".join(names).decode()
