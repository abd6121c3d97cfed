"""The return address: signed, short, good for thirty days, and of no use to whoever makes one up (RULES F5)."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery.return_address import (
    Fault,
    ReturnAddresses,
    ReturnedDelivery,
    ReturnedLetter,
    of_letter,
    read,
)
from newsletter.tokens import Keyring, new_id

OLD, NEW = Keyring(b"o" * 32), Keyring(b"n" * 32, previous=b"o" * 32)
DOMAIN = "bounces.example.com"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
MAILING = new_id()
ADDRESS = ReturnAddresses(OLD, DOMAIN, MAILING).of(4_000_000_000, NOW.timestamp())


def test_it_says_which_delivery_and_in_which_hour_it_was_written() -> None:
    assert read(OLD, DOMAIN, ADDRESS, NOW) == ReturnedDelivery(MAILING, 4_000_000_000, NOW.replace(minute=0))
    assert len(ADDRESS.partition("@")[0]) <= 64
    assert ADDRESS.islower()


def test_so_does_that_of_a_letter_and_neither_passes_for_the_other() -> None:
    about = new_id()
    letter = of_letter(OLD, DOMAIN, about, NOW)
    assert read(OLD, DOMAIN, letter, NOW) == ReturnedLetter(about, NOW.replace(minute=0))
    assert read(OLD, DOMAIN, f"b-{letter[2:]}", NOW) == Fault.FORGED


@pytest.mark.parametrize(
    "written",
    [ADDRESS.upper(), ADDRESS.title(), f"<{ADDRESS}>", ADDRESS.partition("@")[0]],
    ids=["capitals", "titled", "in brackets", "without the domain"],
)
def test_mail_servers_may_write_it_as_they_like(written: str) -> None:
    assert read(OLD, DOMAIN.upper(), written, NOW) == read(OLD, DOMAIN, ADDRESS, NOW)


def test_it_outlives_one_rotation_of_the_keys() -> None:
    assert isinstance(read(NEW, DOMAIN, ADDRESS, NOW), ReturnedDelivery)
    assert read(Keyring(b"x" * 32, previous=b"n" * 32), DOMAIN, ADDRESS, NOW) == Fault.FORGED


@pytest.mark.parametrize(
    ("later", "good"),
    [
        (timedelta(days=30) - timedelta(minutes=30), True),
        (timedelta(days=30), False),
        (timedelta(hours=-20), True),
        (timedelta(days=-2), False),
    ],
)
def test_it_is_good_for_thirty_days_also_where_clocks_differ(later: timedelta, *, good: bool) -> None:
    assert (read(OLD, DOMAIN, ADDRESS, NOW + later) != Fault.EXPIRED) is good


@pytest.mark.parametrize("place", range(2, 55))
def test_no_letter_of_it_can_be_changed(place: int) -> None:
    """The last one holds a bit that says nothing."""
    other = "q" if ADDRESS[place] == "a" else "a"
    assert read(OLD, DOMAIN, f"{ADDRESS[:place]}{other}{ADDRESS[place + 1 :]}", NOW) == Fault.FORGED


@pytest.mark.parametrize(
    "address",
    ["", "@", "b-", f"b-@{DOMAIN}", f"b-{'a' * 500}@{DOMAIN}", f"b-ß@{DOMAIN}", f"l-\0@{DOMAIN}", f"b-1890@{DOMAIN}"],
)
def test_whatever_else_is_there_leads_nowhere(address: str) -> None:
    assert isinstance(read(OLD, DOMAIN, address, NOW), Fault)


def test_another_domain_is_foreign_and_so_is_everything_where_none_is_set() -> None:
    assert read(OLD, "example.org", ADDRESS, NOW) == Fault.FOREIGN
    assert read(OLD, "", ADDRESS, NOW) == Fault.FOREIGN
    assert read(OLD, DOMAIN, f"books@{DOMAIN}", NOW) == Fault.FOREIGN
