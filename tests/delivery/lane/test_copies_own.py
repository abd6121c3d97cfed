"""What is a reader's own in a copy: their address and their links, and nobody else's (RULES E1, G3)."""

import pytest

from newsletter.delivery.lane.copies import Copies
from newsletter.mail.message import InvalidHeader
from tests.delivery.lane.copying import KARI, MOMENT, NOBODY, SENDER, addresses, both, compiled, read


def test_a_copy_holds_nothing_of_the_example_it_was_made_from() -> None:
    copy, _ = both(compiled("[les](https://example.com/a) [mer](https://example.com/b)"), {})
    assert [token for token in NOBODY if token.encode() in copy] == []
    # Two links in both parts, and the pixel.
    assert copy.count(KARI.opened.encode()) == 5


@pytest.mark.parametrize("less", [{"mailbox": ""}, {"opened": ""}, {"mailbox": "", "opened": ""}])
def test_where_nothing_is_measured_or_no_mail_comes_back_a_copy_still_reads_as_the_whole(less: dict[str, str]) -> None:
    body = "[les](https://example.com/a?b=1&c='2') \\{\\{ og {{ given_name }}, [mer](https://example.com/b)"
    copy, long_way = both(compiled(body), {"given_name": "Kari"}, less=less)
    assert read(copy) == read(long_way)


def test_an_installation_below_a_path_that_needs_escaping_is_no_exception() -> None:
    copy, long_way = both(compiled("[les](https://example.com/a)"), {}, base="https://example.com/r&d/=20/'news'")
    assert read(copy) == read(long_way)


@pytest.mark.parametrize(
    "to", ["o'brien+news@example.com", "kåre@example.com", "kari@bøker.example.com", f"{'k' * 300}@x.no"]
)
def test_every_address_is_written_as_in_the_whole(to: str) -> None:
    copy, long_way = both(compiled("Hei"), {}, to=to)
    assert read(copy) == read(long_way)


@pytest.mark.parametrize(
    "to",
    ["a@example.com\r\nBcc: b@example.com", "a@example.com\n", "a, b@example.com", "a@example.com>", "", "x" * 999],
)
def test_an_address_that_would_break_out_of_its_header_is_refused(to: str) -> None:
    content = compiled("Hei")
    copies = Copies.of(content, SENDER, NOBODY, addresses(content, NOBODY))
    assert copies is not None
    with pytest.raises(InvalidHeader):
        copies.write(to, {}, KARI, MOMENT)
