"""Which passwords will do."""

import pytest

from newsletter.editors.passwords.rules import fault, is_short

ABOUT = ("olga@example.com", "Olga Nordmann")


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_it_has_twelve_to_256_characters(password: str) -> None:
    assert "12 to 256" in str(fault(password))


@pytest.mark.parametrize(
    "password",
    ["password1234", "123456789012", "qwertyuiop12", "aaaaaaaaaaaa", "iloveyou1234", "PASSWORD1234", "passordpassord"],
)
def test_it_is_not_among_those_that_everybody_tries(password: str) -> None:
    assert "first that others would try" in str(fault(password))


@pytest.mark.parametrize("password", ["olga@example.com", "OLGA@Example.com", " olga@example.com ", "olga nordmann"])
def test_it_is_not_the_address_or_the_name(password: str) -> None:
    assert "must not be" in str(fault(password, ABOUT))


def test_the_address_with_a_digit_after_it_is_as_easily_guessed() -> None:
    assert fault("olga@example.com1") is None
    assert fault("olga@example.com1", ABOUT)


@pytest.mark.parametrize("password", ["a long enough password", "eple kake med krem", "x9!Kq27#vLp0"])
def test_others_will_do(password: str) -> None:
    assert fault(password, ABOUT) is None
    assert not is_short(password)


def test_short_is_said_of_what_was_taken_in_an_earlier_time() -> None:
    assert is_short("x" * 11)
    assert not is_short("x" * 12)
