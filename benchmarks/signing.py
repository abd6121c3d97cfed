"""Sending with DKIM signatures (RSA, 2048 bits), beside bare signing by `cryptography` in as many threads as there are
processors.

A signature costs several times what all the rest does, so the rest has to fit in between: with the lean sink it is what
the worker itself needs, with smtp-sink the sink needs its share of the same processors.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.processes import CLOCK
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES, ours
from newsletter.mail.dkim.keys import private_pem

_HEADER = b"x" * 1500
_BATCH = 100


def bare(key: RSAPrivateKey, count: int) -> Figures:
    """Sign as many headers, and do nothing else."""

    def sign(_: int) -> None:
        for _ in range(_BATCH):
            key.sign(_HEADER, PKCS1v15(), SHA256())

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        began = CLOCK.monotonic()
        batches = count // _BATCH
        list(threads.map(sign, range(batches)))
        return {RATE: batches * _BATCH / (CLOCK.monotonic() - began)}


def measure(run: Run) -> list[Row]:
    """Measure every database with the lean sink, and the first one with smtp-sink."""
    people = run.size(15_000, 2_000)
    key = generate_private_key(public_exponent=65537, key_size=2048)
    settings = {"dkim_domain": "example.com", "dkim_selector": "s1", "dkim_key": private_pem(key)}
    sides: dict[str, Callable[[], Figures]] = {"bare": partial(bare, key, people)}
    cases = [(kind, True) for kind in run.databases] + [(run.databases[0], False)]
    for kind, lean in cases:
        sides[_name(kind, lean=lean)] = partial(ours, run, kind, people, lean=lean, settings=settings)
    found = run.interleave("Signing", sides)
    return [
        Row(
            benchmark=f"signing-{kind}{'' if lean else '-smtp-sink'}",
            what=f"Sending signed with RSA-2048, {_name(kind, lean=lean)}",
            peer="bare signing",
            unit="mails/s",
            ours=found[_name(kind, lean=lean)].of(RATE),
            theirs=found["bare"].of(RATE),
            goal=Goal(0.8),
            details=found[_name(kind, lean=lean)].details(),
        )
        for kind, lean in cases
    ]


def _name(kind: str, *, lean: bool) -> str:
    return f"{NAMES[kind]}, {'lean sink' if lean else 'smtp-sink'}"
