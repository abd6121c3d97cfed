"""Charts drawn by the server: numbers in, one SVG string out.

The stylesheet colours them by class, light and dark, so nothing here names a colour and a strict content
security policy holds. Each chart says its gist in words, for whoever can't see it, and each bar its number.
However much there is to show, the picture keeps its size: hours become days, days become spans of days, and
links beyond the most followed are left to the table beside the chart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from babel.numbers import format_decimal

from newsletter.figures.drawing import (
    BOTTOM,
    CHARACTER,
    LABEL_EVERY,
    RIGHT,
    THINNEST,
    TOP,
    WIDTH,
    box,
    gridlines,
    legend,
    nothing,
    picture,
    scale,
    text_at,
    text_within,
    width_of,
)
from newsletter.language import catalogue

_MOST_COLUMNS = 72
_MOST_LINKS = 20
_WIDEST_BAR = 32.0
_LONGEST_URL = 90


@dataclass(frozen=True, slots=True)
class Slot:
    """One hour of an issue's life. `label` is its day, a space and its hour, as in "2 March 14:00"."""

    label: str
    opens: int
    clicks: int


@dataclass(frozen=True, slots=True)
class LinkBar:
    """How often a link was followed, and by how many."""

    url: str
    total: int
    unique: int


@dataclass(frozen=True, slots=True)
class _Column:
    label: str
    hour: str
    day: str
    opens: int
    clicks: int

    def tick(self) -> str:
        return self.hour or self.day


class _Words:
    """The sentences of a chart, in one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._catalogue = catalogue(language)
        self.say = self._catalogue.gettext

    def number(self, value: int) -> str:
        return format_decimal(value, locale=self._language)

    def opens(self, value: int) -> str:
        return self._counted(self._catalogue.ngettext("%(count)s open", "%(count)s opens", value), value)

    def clicks(self, value: int) -> str:
        return self._counted(self._catalogue.ngettext("%(count)s click", "%(count)s clicks", value), value)

    def readers(self, value: int) -> str:
        return self._counted(self._catalogue.ngettext("%(count)s reader", "%(count)s readers", value), value)

    def more(self, value: int) -> str:
        some = self._catalogue.ngettext("and %(count)s more link", "and %(count)s more links", value)
        return self._counted(some, value)

    def _counted(self, sentence: str, value: int) -> str:
        return sentence % {"count": self.number(value)}


def over_time(series: Sequence[Slot], *, language: str = "en") -> str:
    """Draw opens and clicks as pairs of bars, an hour each; give the SVG, its words in `language`.

    `series` is in the order of time and has every hour, the empty ones too. More than 72 hours are drawn by
    the day, more than 72 days by spans of days. The caller knows whether hours may be shown (RULES D5).
    """
    words = _Words(language)
    columns = _columns(series)
    if not columns:
        return nothing(words.say("Nothing has been counted yet."))
    grid = scale(max(max(column.opens, column.clicks) for column in columns))
    left = 12 + max(width_of(words.number(value)) for value in grid)
    parts = [
        *legend(left, ("chart-bar", words.say("Opens")), ("chart-bar-2", words.say("Clicks"))),
        *gridlines(grid, left, words.number),
        *_pairs(columns, grid[-1], left, words),
        *_ticks(columns, left),
    ]
    if not any(column.opens or column.clicks for column in columns):
        sentence = words.say("No opens or clicks yet.")
        parts.append(text_at((left + RIGHT) / 2, (TOP + BOTTOM) / 2, sentence, anchor="middle"))
    height = BOTTOM + (44 if columns[0].hour else 27)
    return picture(height, _gist(series, columns, words), parts)


def by_link(links: Sequence[LinkBar], *, language: str = "en") -> str:
    """Draw how often each link was followed as horizontal bars, the most followed first; give the SVG.

    The inner bar is for how many followed it. The first 20 are drawn, and the rest counted in words.
    """
    words = _Words(language)
    if not links:
        return nothing(words.say("No link has been followed yet."))
    shown = sorted(links, key=lambda link: (-link.total, -link.unique, link.url))[:_MOST_LINKS]
    most = max(1, shown[0].total)
    room = WIDTH - 12 - max(width_of(_followed(link, words)) * 1.1 for link in shown)
    parts = [*legend(0, ("chart-bar", words.say("Readers")), ("chart-bar-2", words.say("Clicks")))]
    for row, link in enumerate(shown):
        parts += _link_row(link, TOP + 46 * row, room / most, words)
    height = TOP + 46 * len(shown)
    if left_out := len(links) - len(shown):
        parts.append(text_at(0, height + 12, words.more(left_out)))
        height += 24
    gist = words.say("Clicks for each link. Most followed is %(url)s, with %(followed)s.")
    return picture(height, gist % {"url": _shortened(shown[0].url), "followed": _followed(shown[0], words)}, parts)


def _columns(series: Sequence[Slot]) -> list[_Column]:
    hours = [_hour(slot) for slot in series]
    if len(hours) <= _MOST_COLUMNS:
        return hours
    days = [_merged(list(run)) for _day, run in groupby(hours, key=lambda column: column.day)]
    if len(days) <= _MOST_COLUMNS:
        return days
    span = 7 * -(-len(days) // (7 * _MOST_COLUMNS))
    return [_merged(days[start : start + span]) for start in range(0, len(days), span)]


def _hour(slot: Slot) -> _Column:
    day, _, hour = slot.label.rpartition(" ")
    return _Column(slot.label, hour if day else "", day.rstrip(" ,") or hour, slot.opens, slot.clicks)


def _merged(run: Sequence[_Column]) -> _Column:
    first, last = run[0].day, run[-1].day
    label = first if first == last else f"{first} – {last}"
    return _Column(label, "", first, *_sums(run))


def _sums(counts: Sequence[Slot | _Column]) -> tuple[int, int]:
    return sum(each.opens for each in counts), sum(each.clicks for each in counts)


def _pairs(columns: Sequence[_Column], top: int, left: float, words: _Words) -> Iterator[str]:
    step = (RIGHT - left) / len(columns)
    bar = min(_WIDEST_BAR, step * 0.42)
    for index, column in enumerate(columns):
        middle = left + step * (index + 0.5)
        for kind, x, value, said in (
            ("chart-bar", middle - bar, column.opens, words.opens),
            ("chart-bar-2", middle, column.clicks, words.clicks),
        ):
            if value:
                height = max(THINNEST, (BOTTOM - TOP) * value / top)
                yield box(kind, x, BOTTOM - height, bar, height, f"{column.label}: {said(value)}")


def _ticks(columns: Sequence[_Column], left: float) -> Iterator[str]:
    step = (RIGHT - left) / len(columns)
    widest = max(width_of(column.tick()) for column in columns)
    every = next((n for n in LABEL_EVERY if n * step >= widest + 14), len(columns))
    day, free = "", 0.0
    for index in range(0, len(columns), every):
        column, x = columns[index], left + step * (index + 0.5)
        yield text_within(x, BOTTOM + 18, column.tick())
        # The day stands under its first labelled hour where there is room for it, else under the next one.
        if column.hour and column.day != day and x - width_of(column.day) / 2 >= free:
            yield text_within(x, BOTTOM + 35, column.day)
            day, free = column.day, x + width_of(column.day) / 2 + 10


def _gist(series: Sequence[Slot], columns: Sequence[_Column], words: _Words) -> str:
    opens, clicks = _sums(series)
    if len(series) == 1:
        alone = words.say("Opens and clicks, %(label)s: %(opens)s and %(clicks)s.")
        return _counted(alone, columns[0], words)
    gist = words.say("Opens and clicks from %(first)s to %(last)s: %(opens)s and %(clicks)s in all.") % {
        "first": series[0].label,
        "last": series[-1].label,
        "opens": words.opens(opens),
        "clicks": words.clicks(clicks),
    }
    if not opens and not clicks:
        return gist
    peak = max(columns, key=lambda column: column.opens + column.clicks)
    return f"{gist} {_counted(words.say('The most: %(label)s, with %(opens)s and %(clicks)s.'), peak, words)}"


def _counted(sentence: str, column: _Column, words: _Words) -> str:
    opens, clicks = words.opens(column.opens), words.clicks(column.clicks)
    return sentence % {"label": column.label, "opens": opens, "clicks": clicks}


def _link_row(link: LinkBar, y: float, unit: float, words: _Words) -> Iterator[str]:
    title = f"{link.url}: {_followed(link, words)}"
    yield text_at(0, y + 10, _shortened(link.url))
    total = max(THINNEST, link.total * unit) if link.total else 0.0
    if total:
        yield box("chart-bar-2", 0, y + 17, total, 14, title)
    if link.unique:
        yield box("chart-bar", 0, y + 17, max(THINNEST, min(total, link.unique * unit)), 14, title)
    yield text_at(total + 8 if total else 0, y + 28, _followed(link, words), kind="chart-value")


def _followed(link: LinkBar, words: _Words) -> str:
    return f"{words.clicks(link.total)}, {words.readers(link.unique)}"


def _shortened(url: str) -> str:
    """Keep the beginning and the end of an address: they tell most about it."""
    room = _LONGEST_URL * len(url) // max(1, round(width_of(url) / CHARACTER))
    if len(url) <= room:
        return url
    tail = room // 3
    return f"{url[: room - tail - 1]}…{url[len(url) - tail :]}"
