"""Addresses are judged as in the signup form, though the library sees each domain once; and no file ever raises."""

import io
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.addresses import Address, read_address
from newsletter.errors import InvalidInput
from newsletter.imports.reading.columns import guess
from newsletter.imports.reading.rows import Reader, read_quickly
from newsletter.imports.reading.shape import look_at
from newsletter.imports.reading.slices import slices
from newsletter.imports.reasons import sentence

NOW = datetime(2026, 11, 2, tzinfo=UTC)
LOCALS = st.one_of(
    st.sampled_from(
        ["kari", "Info", "POSTMASTER", "a.b", "a..b", ".a", "a.", "åse", "a+b", '"a b"', "a b", "x" * 64, "x" * 65]
    ),
    st.text(alphabet="aB1.+_-!#'@\" å\u0301", max_size=12),
)
DOMAINS = st.one_of(
    st.sampled_from(
        ["Example.com", "example", "xn--bcher-kva.example", "bücher.example", "a..com", "-a.com", "a-.com", "[1.2.3.4]"]
    ),
    st.sampled_from(
        ["localhost", "example.test", "1.2.3.4", "a.com.", ".com", "x" * 63 + ".com", "x" * 64 + ".com", "a.invalid"]
    ),
    st.text(alphabet="aB1.-åß_", max_size=14),
    st.integers(50, 130).map(lambda length: ".".join(["d" * 40] * (length // 40)) + ".com"),
)


def slowly(text: str) -> Address | None:
    try:
        return read_address(text)
    except InvalidInput:
        return None


@settings(deadline=None)
@given(LOCALS, DOMAINS)
def test_the_verdict_is_the_library_s(local: str, domain: str) -> None:
    address = f"{local}@{domain}".strip()
    assert read_quickly(address) == slowly(address)


@settings(deadline=None)
@given(st.lists(st.tuples(LOCALS, DOMAINS), min_size=1, max_size=6))
def test_a_row_is_taken_with_that_verdict(addresses: list[tuple[str, str]]) -> None:
    reader = Reader({"email": 0}, 1, NOW)
    for local, domain in addresses:
        # A mark before what would be a formula comes off (RULES H8).
        text = f"{local}@{domain}".strip().lstrip("'")
        read, right = reader.read(2, [text]), slowly(text)
        assert (getattr(read, "canonical", None)) == (right.canonical if right else None)


@settings(deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet="a@.,;\"'\n\r\0=å é", max_size=300).map(str.encode))
def test_whatever_is_in_a_file_each_row_gets_a_sentence(content: bytes) -> None:
    file = io.BytesIO(b"email,given_name,agreed_at,status\n" + content)
    try:
        shape = look_at(file)
    except InvalidInput:
        return
    for piece in slices(file, shape, Reader(guess(shape.header), len(shape.header), NOW), size=3):
        assert all(sentence(refused.reason).endswith(".") for refused in piece.refused)
        assert piece.end <= len(file.getvalue())
