"""An address as a person types it: what is taken, and which spellings are one person."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.addresses import BAD_ADDRESS, NO_ADDRESS, canonical, read_address
from newsletter.errors import InvalidInput

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzæøåABCDEFGHIJKLMNOPQRSTUVWXYZÆØÅ0123456789", min_size=1, max_size=20)


@given(LETTERS, st.sampled_from(["example.com", "blåbær.example", "mail.example.org"]))
def test_upper_and_lower_case_are_one_person(local: str, domain: str) -> None:
    typed = read_address(f"{local}@{domain}")
    assert typed.canonical == read_address(f"  {local.upper()}@{domain.upper()} ").canonical
    assert typed.canonical == read_address(f"{local.lower()}@{domain}").canonical


@given(LETTERS)
def test_a_letter_written_in_two_ways_is_one_letter(local: str) -> None:
    composed = read_address(f"{unicodedata.normalize('NFC', local)}@example.com")
    assert composed.canonical == read_address(f"{unicodedata.normalize('NFD', local)}@example.com").canonical


@given(st.text(max_size=300))
def test_whatever_is_typed_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        address, said = read_address(text), None
    except InvalidInput as error:
        address, said = None, error.fields
    assert said in (None, {"email": NO_ADDRESS}, {"email": BAD_ADDRESS})
    if address is not None:
        assert max(len(address.email), len(address.canonical)) <= 254
        assert not set(address.email + address.canonical) & set("\r\n\0 <>")
        assert read_address(address.email) == address


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_the_canonical_form_of_a_canonical_form_is_itself(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_the_address_is_written_to_as_its_owner_writes_it() -> None:
    kari = read_address("Kari@Example.COM")
    assert (kari.email, kari.canonical) == ("Kari@example.com", "kari@example.com")


def test_an_international_domain_is_the_same_in_both_its_spellings() -> None:
    assert read_address("kari@blåbær.example").canonical == read_address("kari@xn--blbr-roah.example").canonical


@pytest.mark.parametrize("local", ["æøå", "kåre.sørensen", "kari+news", "o'hara"])
def test_a_local_part_may_hold_what_names_hold(local: str) -> None:
    assert read_address(f"{local}@example.com").email == f"{local}@example.com"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kari@straße.example", "kari@strasse.example"),
        ("groß@example.com", "gross@example.com"),
        ("ﬁona@example.com", "fiona@example.com"),
        ("kari+a@example.com", "kari+b@example.com"),
        ("kari.n@example.com", "karin@example.com"),
    ],
)
def test_addresses_that_may_belong_to_two_people_are_two(one: str, other: str) -> None:
    """Whoever confirms from one mailbox must never act on the person at the other."""
    with suppress(InvalidInput):  # Refused is as good.
        assert read_address(one).canonical != read_address(other).canonical


@pytest.mark.parametrize(
    "text",
    [
        "kari",
        "kari@",
        "@example.com",
        "kari@localhost",
        "kari@example..com",
        "kari@example.com\r\nBcc: eve@example.com",
        "kari\0@example.com",
        "kari@exa\u202emple.com",
        "Kari <kari@example.com>",
        "kari@example.com, eve@example.com",
        "kari@[127.0.0.1]",
        '"kari nordmann"@example.com',
        "kari@example.com\ud800",
        f"{'k' * 65}@example.com",
        f"kari@{'e' * 250}.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_address(text)
    assert refused.value.fields == {"email": BAD_ADDRESS}


@pytest.mark.parametrize("nothing", [None, "", "  ", 7, ["kari@example.com"], True])
def test_nothing_at_all_asks_for_an_address(nothing: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_address(nothing)
    assert refused.value.fields == {"email": NO_ADDRESS}
