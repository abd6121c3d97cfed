"""Which language a page is in: what the browser likes best among those we have; `no` is bokmål."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.language import LANGUAGES, known, preferred


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "en"),
        ("nb", "nb"),
        ("no", "nb"),
        ("NO-no", "nb"),
        ("nn-NO,nb;q=0.8,en;q=0.5", "nn"),
        ("de,fr;q=0.9,nb;q=0.1", "nb"),
        ("en;q=0.2, nb;q=0.9", "nb"),
        ("nb;q=0, nn;q=0.1", "nn"),
        ("nb ; q=0.1 , nn ; q=0.2", "nn"),
        ("nb;q=hello, nn;q=0.1", "nn"),
        ("nb_NO", "nb"),
        ("nb,nn", "nb"),
        ("de", "en"),
        ("*", "en"),
        ("nb;q=nan", "en"),
        (";;;,,,q=", "en"),
        ("x" * 10_000 + ",nb", "en"),
    ],
)
def test_the_browser_gets_what_it_likes_best(header: str, chosen: str) -> None:
    assert preferred(header, LANGUAGES, "en") == chosen


def test_only_what_is_offered_is_chosen() -> None:
    assert preferred("nn, nb;q=0.5", ["nb", "en"], "en") == "nb"
    assert preferred("nn", ["nb"], "nb") == "nb"


@given(st.text(max_size=200))
def test_no_header_is_too_strange(header: str) -> None:
    assert preferred(header, LANGUAGES, "en") in LANGUAGES


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("no", "nb"),
        ("NB", "nb"),
        ("nn_NO", "nn"),
        (" en-GB ", "en"),
        ("sv", None),
        ("", None),
        (None, None),
        ("nbx", None),
    ],
)
def test_a_tag_is_known_by_its_first_part(tag: str | None, name: str | None) -> None:
    assert known(tag) == name
