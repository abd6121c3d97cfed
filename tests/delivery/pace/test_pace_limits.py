"""What the operator sets about the pace is read as it is meant, or refused in a sentence that names the setting."""

from datetime import date

import pytest

from newsletter.delivery.pace.limits import DomainLimit, Limits
from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings

FIRST_DAY = date(2026, 11, 22)


def read(domain_pace: str = "", warm_up: str = "") -> Limits:
    return Limits.of(Settings(domain_pace=domain_pace, warm_up=warm_up))


def test_without_a_setting_nothing_is_limited() -> None:
    assert read().limit("gmail.com") == DomainLimit("gmail.com")
    assert read().quota("news.example.com", FIRST_DAY) is None


def test_domains_with_commas_between_them_share_one_pace() -> None:
    limits = read("gmail.com=20/s 8; outlook.com, Hotmail.com =300/m\nbøker.example=4;\n *=7200/h 2 ;")
    assert limits.limit("gmail.com") == DomainLimit("gmail.com", 20.0, 8)
    assert limits.limit("hotmail.com") == limits.limit("outlook.com") == DomainLimit("outlook.com", 5.0, 0)
    assert limits.limit("xn--bker-gra.example") == DomainLimit("xn--bker-gra.example", 0.0, 4)
    assert limits.limit("example.com") == DomainLimit("example.com", 2.0, 2), "each other domain has a pace of its own"


@pytest.mark.parametrize(
    "text",
    [
        "gmail.com",
        "gmail.com=",
        "=20/s",
        "gmail.com=20/s8",
        "gmail.com=20/day",
        "gmail.com=-1/s",
        "gmail.com=fast",
        "gmail.com=0/s",
        "gmail.com=20/s 0",
        "gmail.com=1/s; gmail.com=2/s",
        "gmail com=1/s",
        "a@gmail.com=1/s",
        "*=1/s; *=2/s",
    ],
)
def test_a_pace_that_can_t_be_read_names_the_setting(text: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NEWSLETTER_DOMAIN_PACE"):
        read(text)


def test_a_warm_up_doubles_each_day_until_its_target() -> None:
    limits = read(warm_up="news.example.com=2026-11-22 50 1000; example.org=2026-12-01 10 10")
    plan = limits.warm_ups["news.example.com"].plan()
    assert [mails for _, mails in plan] == [50, 100, 200, 400, 800, 1000]
    assert [day.day for day, _ in plan] == [22, 23, 24, 25, 26, 27]
    assert limits.quota("news.example.com", FIRST_DAY) == 50
    assert limits.quota("news.example.com", date(2026, 11, 1)) == 50
    assert limits.quota("news.example.com", date(2026, 11, 27)) == 1000
    assert limits.quota("news.example.com", date(2026, 11, 28)) is None
    assert limits.quota("example.org", date(2026, 12, 1)) == 10
    assert limits.quota("example.com", FIRST_DAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "news.example.com",
        "news.example.com=2026-11-22",
        "news.example.com=2026-13-22 50 1000",
        "news.example.com=tomorrow 50 1000",
        "news.example.com=2026-11-22 0 1000",
        "news.example.com=2026-11-22 50 49",
        "news.example.com=9999-12-31 50 1000",
        "*=2026-11-22 50 1000",
        "a.example,b.example=2026-11-22 50 1000",
        "a.example=2026-11-22 50 100;a.example=2026-11-22 50 100",
    ],
)
def test_a_warm_up_that_can_t_be_read_names_the_setting(text: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NEWSLETTER_WARM_UP"):
        read(warm_up=text)
