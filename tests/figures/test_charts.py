"""A chart is read as a picture and by its words: both must stand, whatever the numbers are."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.figures.charts import LinkBar, Slot, by_link, over_time

numbers = st.sampled_from([0, 1, 2, 9, 10, 11, 999, 1_000_000]) | st.integers(0, 10**9)
nasty = st.sampled_from(['"><script>alert(1)</script>', "2 March 14:00", "&amp;", "\x00\u202e"])
words = st.text(max_size=40) | nasty


def hours(many: int, opens: int = 3, clicks: int = 1) -> list[Slot]:
    return [Slot(f"{1 + hour // 24} March {hour % 24:02}:00", opens, clicks) for hour in range(many)]


def drawn(svg: str) -> ElementTree.Element:
    """Read the picture as strictly as a machine can; it must be whole by itself."""
    picture = ElementTree.fromstring(svg)  # noqa: S314 (our own words, with no entities)
    assert picture.get("role") == "img"
    assert picture.get("aria-label")
    assert not re.search(r"\bstyle=|<style|\son\w+=|<script|href", re.sub(r">[^<]*<|\"[^\"]*\"", "><", svg))
    return picture


def bars(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """Give the bars of a class; the legend's little squares have no title and are none."""
    return [bar for bar in picture.iter("rect") if bar.get("class") == kind and bar.find("title") is not None]


def titles(picture: ElementTree.Element) -> list[str]:
    return [title.text or "" for title in picture.iter("title")]


def texts(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iter("text")]


def size(bar: ElementTree.Element, name: str) -> float:
    return float(bar.get(name) or "nan")


def stays_inside(picture: ElementTree.Element) -> bool:
    _, _, width, height = map(float, (picture.get("viewBox") or "").split())
    return all(
        -0.1 <= size(bar, "x") <= size(bar, "x") + size(bar, "width") <= width + 0.1
        and -0.1 <= size(bar, "y") <= size(bar, "y") + size(bar, "height") <= height + 0.1
        for bar in picture.iter("rect")
    )


def test_each_hour_has_a_pair_of_bars_that_say_their_numbers() -> None:
    picture = drawn(over_time([Slot("2 March 14:00", 12, 1), Slot("2 March 15:00", 6, 3)]))

    assert titles(picture) == [
        "2 March 14:00: 12 opens", "2 March 14:00: 1 click",
        "2 March 15:00: 6 opens", "2 March 15:00: 3 clicks",
    ]  # fmt: skip
    tall, short = bars(picture, "chart-bar")
    assert size(tall, "height") == pytest.approx(2 * size(short, "height"))
    assert size(tall, "x") + size(tall, "width") <= size(bars(picture, "chart-bar-2")[0], "x") + 0.01


def test_the_gist_is_said_in_words() -> None:
    picture = drawn(over_time([Slot("2 March 14:00", 1200, 1), Slot("2 March 15:00", 6, 3)]))

    assert picture.get("aria-label") == (
        "Opens and clicks from 2 March 14:00 to 2 March 15:00: 1,206 opens and 4 clicks in all. "
        "The most: 2 March 14:00, with 1,200 opens and 1 click."
    )
    alone = drawn(over_time([Slot("2 March 14:00", 5, 0)]))
    assert alone.get("aria-label") == "Opens and clicks, 2 March 14:00: 5 opens and 0 clicks."


@pytest.mark.parametrize(
    ("highest", "lines"),
    [
        (1, ["0", "1"]),
        (7, ["0", "2", "4", "6", "8"]),
        (10, ["0", "2", "4", "6", "8", "10"]),
        (230, ["0", "50", "100", "150", "200", "250"]),
        (1_000_000, ["0", "200,000", "400,000", "600,000", "800,000", "1,000,000"]),
    ],
)
def test_the_gridlines_stand_at_round_numbers(highest: int, lines: list[str]) -> None:
    picture = drawn(over_time([Slot("2 March 14:00", highest, 0)]))

    assert [text for text in texts(picture) if re.fullmatch(r"[\d,]+", text)] == lines


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert "1\u00a0000\u00a0000" in over_time([Slot("2. mars 14:00", 1_000_000, 0)], language="nb")


def test_up_to_72_hours_are_drawn_by_the_hour_and_more_by_the_day() -> None:
    assert len(bars(drawn(over_time(hours(72))), "chart-bar")) == 72

    by_day = drawn(over_time(hours(73)))

    assert [title for title in titles(by_day) if "open" in title] == [
        "1 March: 72 opens", "2 March: 72 opens", "3 March: 72 opens", "4 March: 3 opens",
    ]  # fmt: skip
    assert "from 1 March 00:00 to 4 March 00:00: 219 opens" in (by_day.get("aria-label") or "")


def test_a_long_life_is_drawn_by_spans_of_days_and_loses_nothing() -> None:
    picture = drawn(over_time(hours(10_000)))

    opens = [title for title in titles(picture) if title.endswith("opens")]
    assert opens[0] == "1 March – 7 March: 504 opens"
    assert len(opens) == 60
    assert sum(int(title.split(": ")[1].split()[0]) for title in opens) == 30_000


def test_only_few_labels_stand_below_and_none_on_another() -> None:
    for many in (1, 5, 24, 72, 73, 1700, 10_000):
        picture = drawn(over_time(hours(many)))
        labels = [text for text in picture.iter("text") if size(text, "y") > 235]
        for row in {size(label, "y") for label in labels}:
            placed = [label for label in labels if size(label, "y") == row]
            assert len(placed) <= 24
            for one, following in pairwise(placed):
                halves = 3.4 * (len(one.text or "") + len(following.text or ""))
                assert size(one, "x") + halves < size(following, "x"), f"{many} hours"


def test_one_beside_a_million_can_be_seen() -> None:
    small, large = bars(drawn(over_time([Slot("a 1:00", 1, 0), Slot("a 2:00", 1_000_000, 0)])), "chart-bar")

    assert 1 <= size(small, "height") < size(large, "height")


def test_nothing_counted_is_said_rather_than_drawn() -> None:
    assert texts(drawn(over_time([]))) == ["Nothing has been counted yet."]
    assert texts(drawn(by_link([]))) == ["No link has been followed yet."]
    zeros = drawn(over_time(hours(3, 0, 0)))
    assert "No opens or clicks yet." in texts(zeros)
    assert titles(zeros) == []


def test_the_most_followed_link_comes_first() -> None:
    links = [LinkBar("https://example.com/b", 2, 2), LinkBar("https://example.com/a", 9, 3)]

    picture = drawn(by_link(links))

    assert titles(picture)[0] == "https://example.com/a: 9 clicks, 3 readers"
    most, least = bars(picture, "chart-bar-2")
    assert size(most, "width") == pytest.approx(4.5 * size(least, "width"), rel=0.01)
    assert size(bars(picture, "chart-bar")[0], "width") == pytest.approx(size(most, "width") / 3, rel=0.01)
    assert picture.get("aria-label") == (
        "Clicks for each link. Most followed is https://example.com/a, with 9 clicks, 3 readers."
    )


def test_a_long_address_is_shortened_in_the_middle_and_whole_in_its_title() -> None:
    url = "https://example.com/" + "path/" * 60 + "the-end.html"

    picture = drawn(by_link([LinkBar(url, 5, 5)]))

    label = next(text for text in texts(picture) if "…" in text)
    assert len(label) == 90
    assert label.startswith("https://example.com/path/")
    assert label.endswith("/the-end.html")
    assert titles(picture)[0].startswith(url)


def test_of_very_many_links_the_first_twenty_are_drawn() -> None:
    picture = drawn(by_link([LinkBar(f"https://example.com/{number}", number, 1) for number in range(500)]))

    assert len(bars(picture, "chart-bar-2")) == 20
    assert "and 480 more links" in texts(picture)


@given(st.lists(st.builds(Slot, words, numbers, numbers), max_size=100))
def test_any_hours_give_a_whole_picture(series: list[Slot]) -> None:
    assert stays_inside(drawn(over_time(series)))


@given(st.lists(st.builds(LinkBar, words, numbers, numbers), max_size=30))
def test_any_links_give_a_whole_picture(links: list[LinkBar]) -> None:
    assert stays_inside(drawn(by_link(links)))
