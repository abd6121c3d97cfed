"""How many tries are let: so many at once, one more after each while, and never more when the clock is turned back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editors.signing_in.rules import CODES, KNOWN, LETTERS, STRANGERS, Allowance
from tests.conftest import MORNING

HOUR = timedelta(hours=1)
ANY = st.lists(st.integers(min_value=-4000, max_value=4000), max_size=200)


def tried(allowance: Allowance, seconds: list[int]) -> list[int]:
    """Give the places of the tries that were let."""
    clear_at, let = None, []
    for place, second in enumerate(seconds):
        now = MORNING + timedelta(seconds=second)
        if not allowance.wait(clear_at, now):
            clear_at = allowance.after_one_more(clear_at, now)
            let.append(place)
    return let


@pytest.mark.parametrize(("allowance", "most"), [(STRANGERS, 20), (KNOWN, 10), (CODES, 8), (LETTERS, 6)])
def test_in_an_hour_no_more_than_these(allowance: Allowance, most: int) -> None:
    assert len(tried(allowance, list(range(3601)))) == most


def test_of_an_account_strangers_and_its_own_network_try_thirty() -> None:
    assert len(tried(STRANGERS, list(range(3601)))) + len(tried(KNOWN, list(range(3601)))) == 30


@given(st.lists(st.integers(min_value=0, max_value=20_000), max_size=300).map(sorted))
def test_in_whichever_hour(seconds: list[int]) -> None:
    let = [seconds[place] for place in tried(STRANGERS, seconds)]
    assert all(sum(begin <= second < begin + 3600 for second in let) <= 20 for begin in let)


@given(ANY)
def test_a_clock_that_goes_back_lets_no_more_than_one_that_stands(seconds: list[int]) -> None:
    furthest, standing = -4000, []
    for second in seconds:
        furthest = max(furthest, second)
        standing.append(furthest)
    assert len(tried(STRANGERS, seconds)) <= len(tried(STRANGERS, standing))


def test_who_has_to_wait_is_told_how_long() -> None:
    clear_at = MORNING + 8 * STRANGERS.every
    wait = STRANGERS.wait(clear_at, MORNING)
    assert wait == STRANGERS.every
    assert not STRANGERS.wait(clear_at, MORNING + wait)
