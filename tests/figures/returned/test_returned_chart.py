"""The picture of what came back stands, whatever the numbers are, and says by words what it shows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.figures.returned.actions import Day, Kind
from newsletter.figures.returned.chart import by_day
from tests.figures.test_charts import drawn, numbers, size, stays_inside, texts, titles

TODAY = datetime(2026, 3, 14, tzinfo=UTC)


def days(*counts: dict[Kind, int]) -> list[Day]:
    """Give days up to today."""
    return [Day(TODAY - timedelta(days=len(counts) - 1 - place), kinds) for place, kinds in enumerate(counts)]


def test_each_day_is_a_bar_of_its_kinds() -> None:
    picture = drawn(by_day(days({Kind.DEAD: 3, Kind.FULL: 1}, {}, {Kind.DEAD: 1200})))
    assert titles(picture) == ["12 Mar, dead or closed: 3", "12 Mar, full or late: 1", "14 Mar, dead or closed: 1,200"]
    assert {"12 Mar", "13 Mar", "14 Mar"} <= set(texts(picture))
    gist = picture.get("aria-label") or ""
    assert gist.startswith("What came back from 12 Mar to 14 Mar: 1,204 in all.")
    assert "dead or closed 1,203, full or late 1" in gist
    assert "The most: 14 Mar, with 1,200." in gist


def test_the_parts_of_a_bar_stand_on_each_other() -> None:
    picture = drawn(by_day(days({Kind.DEAD: 30, Kind.FULL: 10})))
    dead, full = (bar for bar in picture.iter("rect") if bar.find("title") is not None)
    assert abs(size(full, "y") + size(full, "height") - size(dead, "y")) < 0.02
    assert size(dead, "height") > 2.9 * size(full, "height")


@given(st.lists(st.dictionaries(st.sampled_from(Kind), numbers), min_size=1, max_size=40))
def test_any_numbers_stay_inside(counts: list[dict[Kind, int]]) -> None:
    assert stays_inside(drawn(by_day(days(*counts))))
