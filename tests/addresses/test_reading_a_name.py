"""A name, title or employer is no place to write a message to somebody else (RULES H4)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.addresses import NO_LINKS, NOT_PRINTABLE, NOT_TEXT, TOO_LONG, read_name
from newsletter.errors import InvalidInput

FIELDS = ("given_name", "family_name", "title", "employer")
SENTENCES = {NO_LINKS, NOT_PRINTABLE, NOT_TEXT, TOO_LONG}


def refusal(field: str, text: object) -> str:
    """Give the sentence with which `text` is refused for `field`."""
    with pytest.raises(InvalidInput) as refused:
        read_name(field, text)
    assert list(refused.value.fields) == [field]
    return refused.value.fields[field]


@given(st.sampled_from(FIELDS), st.text(max_size=80))
def test_what_is_taken_can_stand_on_one_line_of_a_letter(field: str, text: str) -> None:
    try:
        name, said = read_name(field, text), None
    except InvalidInput as error:
        name, said = None, error.fields[field]
    assert said is None or said in SENTENCES
    if name is not None:
        assert 1 <= len(name) <= 64
        assert "://" not in name
        assert not {unicodedata.category(character)[0] for character in name} & {"C"}
        assert not set(name) & set("\r\n\u2028\u2029\0")
        assert read_name(field, name) == name


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", ["Kåre", "Anne-Marie", "O’Hara", "Dr. Bjørk", "李", "van der Berg", "Å" * 64])
def test_names_are_taken_as_they_are(field: str, name: str) -> None:
    assert read_name(field, f" {name} ") == name


@pytest.mark.parametrize("nothing", [None, "", "   ", "\r\n"])
def test_nothing_typed_is_no_name(nothing: str | None) -> None:
    assert read_name("title", nothing) is None


def test_a_letter_written_as_two_characters_counts_as_one() -> None:
    assert read_name("title", unicodedata.normalize("NFD", "Å" * 64)) == "Å" * 64


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://evil.example", NO_LINKS),
        ("ftp://x", NO_LINKS),
        ("Win at WWW.evil.example", NO_LINKS),
        ("evil.example/win", NO_LINKS),
        ("ｗｗｗ．evil.example", NO_LINKS),
        ("https：//evil.example", NO_LINKS),
        ("Kari\r\nBcc: eve@example.com", NOT_PRINTABLE),
        ("Kari\0", NOT_PRINTABLE),
        ("Kari\x1b[31m", NOT_PRINTABLE),
        ("\u202eirak", NOT_PRINTABLE),
        ("Ka\u200bri", NOT_PRINTABLE),
        ("Ka\u2028ri", NOT_PRINTABLE),
        ("Ka\ud800ri", NOT_PRINTABLE),
        ("Ka\ue000ri", NOT_PRINTABLE),
        ("K" * 65, TOO_LONG),
        (7, NOT_TEXT),
        (True, NOT_TEXT),
        (["Kari"], NOT_TEXT),
    ],
)
def test_what_could_carry_a_message_is_refused(field: str, text: object, sentence: str) -> None:
    assert refusal(field, text) == sentence


def test_an_employer_may_be_called_after_its_domain_but_a_person_is_not() -> None:
    assert read_name("employer", "Example.com") == "Example.com"
    assert read_name("title", "Editor of Example.com") == "Editor of Example.com"
    assert refusal("given_name", "Example.com") == NO_LINKS
    assert refusal("family_name", "visit win-now.top today") == NO_LINKS
