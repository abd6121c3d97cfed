"""DKIM (RFC 6376): a mail is signed as the very bytes that leave; nothing may touch them afterwards (RULES G1, G6).

Header and body are canonicalised "relaxed": runs of white space count as one space, trailing ones not at all. Every
field of `SIGNED` is named once more in the signature than it stands in the mail, so that nobody on the way can add a
second From or a List-Unsubscribe of their own without breaking it. There is no l=, so nothing can be appended either.

The core takes bytes and a time, and gives bytes; `Signer` runs it in threads.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from newsletter.clock import Clock
from newsletter.mail.dkim_keys import SigningDomain, SigningKey, in_base64

# What a reader sees or a mail program acts on, and what only the sender may say (RULES E1, G6).
SIGNED = (
    *("from", "reply-to", "to", "cc", "subject", "date", "message-id"),
    *("mime-version", "content-type", "content-transfer-encoding", "auto-submitted", "feedback-id"),
    *("list-unsubscribe", "list-unsubscribe-post", "list-id", "list-post", "list-help", "list-archive"),
    *("list-subscribe", "list-owner"),
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
    names, fields = _signed_fields(head)
    body_hash = in_base64(hashlib.sha256(relaxed_body(body)).digest())
    return b"".join(_signature(domain.name, key, names, fields, body_hash, seconds) for key in domain.keys)


def _signature(
    domain: str, key: SigningKey, names: Sequence[str], fields: bytes, body_hash: str, seconds: int
) -> bytes:
    lines = _folded([
        "DKIM-Signature: v=1;", f" a={key.algorithm};", " c=relaxed/relaxed;", f" d={domain};", f" s={key.selector};",
        f" t={seconds};", f" h={names[0]}", *(f":{name}" for name in names[1:]), ";", f" bh={body_hash};", " b=",
    ])  # fmt: skip
    # The folding leaves one space at each fold, so the lines put together are the unfolded field.
    signed = in_base64(key.sign(fields + relaxed_field("".join(lines).encode())))
    rest = (f" {signed[first : first + _BASE64_LINE]}" for first in range(0, len(signed), _BASE64_LINE))
    return "\r\n".join([*lines, *rest, ""]).encode()


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


def relaxed_field(field: bytes) -> bytes:
    """Give a canonical header field (RFC 6376 §3.4.2), without the CRLF at its end."""
    name, _, value = field.partition(b":")
    return name.strip(b" \t\r\n").lower() + b":" + _one_space(value.replace(b"\r\n", b"")).strip(b" ")


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


def _signed_fields(head: bytes) -> tuple[list[str], bytes]:
    """Give the names for h= and the fields they stand for, in that order; of equal ones the lowest comes first."""
    standing: dict[str, list[bytes]] = {}
    for line in re.split(rb"\r\n(?![ \t])", head):
        field = relaxed_field(line)
        standing.setdefault(field.partition(b":")[0].decode("latin-1"), []).insert(0, field)
    if len(standing.get("from", ())) != 1:
        raise UnsignableMail("A mail must have exactly one From.")
    further = [name for name in standing if name.startswith("list-") and name not in SIGNED]
    order = [*SIGNED, *further]
    # One name more than there are fields: the last one says that there is no other (§5.4.2).
    names = chain.from_iterable([name] * (len(standing.get(name, ())) + 1) for name in order)
    fields = chain.from_iterable(standing.get(name, ()) for name in order)
    return list(names), b"".join(field + b"\r\n" for field in fields)


def _folded(pieces: Iterable[str]) -> list[str]:
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece) > _FOLD_AT:
            lines.append(" " + piece.lstrip(" "))
        else:
            lines[-1] += piece
    return lines
