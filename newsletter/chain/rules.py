"""How a chain is hashed and what a signed head says. Pure.

An entry's hash is over everything it holds and the hash of the one before, so that the last hash stands for the whole
chain. A head is that last hash with its number, signed and kept outside the database: whoever can write the database
alone can change a chain and compute every hash anew, but can't make the heads agree with it.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec

GENESIS = "0" * 64
_ENCODE = msgspec.json.Encoder().encode
EVENT, ERASURE, RESTORE = "event", "erasure", "restore"


def entry_hash(chain: str, number: int, kind: str, leaf: str | None, body: str | None, previous: str) -> str:
    """Give the hash of an entry, in hex."""
    return sha256(compact((chain, number, kind, leaf, body, previous)))


def compact(values: Sequence[Any]) -> str:
    """Give a list of texts, numbers, truths and nothings as JSON without blanks: a tenth of the time of `canonical`."""
    return _ENCODE(values).decode()


def canonical(value: Any) -> str:
    """Give JSON in the one form that is hashed and signed: keys sorted, no blanks (for our values, RFC 8785)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def sha256(text: str) -> str:
    """Give the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
