"""Ids are random and never used again (RULES C1)."""

import base64
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.tokens import ID_BYTES, InvalidToken, decode_id, encode_id, new_id


def test_ids_are_128_random_bits() -> None:
    ids = [new_id() for _ in range(5000)]
    assert len(set(ids)) == len(ids)
    raw = [decode_id(each) for each in ids]
    ones = [sum(each[bit // 8] >> bit % 8 & 1 for each in raw) for bit in range(ID_BYTES * 8)]
    # Each of the 128 bits is a fair coin: eight standard deviations are never seen.
    assert all(abs(count - 2500) < 8 * 35.4 for count in ones)


def test_ids_of_one_moment_have_no_common_beginning() -> None:
    """A sequence, or a clock in the id, would tell when somebody came."""
    first = [new_id()[:8] for _ in range(50)]
    assert all(one != other for one, other in combinations(first, 2))


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES))
def test_an_id_is_read_back_as_it_was_written(raw: bytes) -> None:
    written = encode_id(raw)
    assert (len(written), decode_id(written)) == (26, raw)


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES))
def test_an_id_is_base32_as_everybody_writes_it(raw: bytes) -> None:
    assert encode_id(raw) == base64.b32encode(raw).decode().rstrip("=").lower()


@given(st.text(max_size=40))
def test_whatever_is_read_as_an_id_is_one(text: str) -> None:
    """There is one spelling of each id, so that no two texts name the same thing."""
    try:
        raw = decode_id(text)
    except InvalidToken:
        return
    assert encode_id(raw) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a" * 25,
        "a" * 27,
        "a" * 25 + "b",
        "A" * 26,
        "1" * 26,
        "ı" * 26,
        "a" * 25 + "\0",
        "æ" * 26,
        "a" * 24 + "==",
        "\ud800" * 26,
        "a" * 100_000,
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        decode_id(text)
