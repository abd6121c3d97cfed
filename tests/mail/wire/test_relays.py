"""Which relay takes a mail: by its sender's domain, and the next one where the first one fails."""

import pytest

from newsletter.errors import MisconfiguredError
from newsletter.mail.wire.relays import Choice, Relay, Routes, Standing, domain_of, read_relay, rests_until
from newsletter.settings import Settings

FIRST, SECOND = Relay("mail1.example.com", 25, "smtp"), Relay("mail2.example.com", 25, "smtp")


def test_how_a_relay_is_to_be_used_stands_behind_its_address() -> None:
    relay = read_relay(
        "smtp+starttls://news%40example.com:p%2Fw%3Ard@mail.example.com?connections=4&messages=100&rate=2.5"
    )
    assert relay == Relay(
        "mail.example.com", 587, "smtp+starttls", "news@example.com", "p/w:rd", connections=4, messages=100, rate=2.5
    )
    assert relay.name == "mail.example.com:587"
    assert "p/w" not in repr(relay)
    assert read_relay("smtp://[::1]?connections=0").name == "[::1]:25"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com",
        "http://hunter2.example.com",
        "smtp://",
        "smtp://mail:port",
        "smtp://mail:0",
        "smtp://mail/hunter2",
        "smtp://kari:hunt/er2@mail",
        "smtp://kari:hunt#er2@mail",
        "smtp://kari:hunt?er2@mail",
        "smtp://kari:hunter2@mail?connections=many",
        "smtp://kari:hunter2@mail?connections=201",
        "smtp://kari:hunter2@mail?connections=-1",
        "smtp://kari:hunter2@mail?hunter2=1",
        "smtp://kari:hunter2@mail?rate=",
        "smtp://kari:hunter2@mail?rate=1&rate=2",
        "smtp://kari:hunter2@mail smtp://other:hunter2@",
        "smtp://kari:hunter2@mail smtp://kari:hunter3@mail",
    ],
)
@pytest.mark.parametrize("setting", ["SMTP_URL", "RELAYS"])
def test_a_relay_that_can_t_be_read_names_the_setting_and_shows_nothing(url: str, setting: str) -> None:
    given = Settings(smtp_url=url) if setting == "SMTP_URL" else Settings(relays=f"example.com={url}")
    with pytest.raises(MisconfiguredError) as refused:
        Routes.of(given)
    assert refused.value.sentence.startswith(f"NEWSLETTER_{setting}")
    assert "hunt" not in refused.value.sentence
    assert not refused.value.__cause__


@pytest.mark.parametrize("relays", ["smtp://mail", "example com=smtp://mail", "a.no=smtp://mail;a.no=smtp://mail2"])
def test_a_route_that_can_t_be_read_names_the_setting(relays: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NEWSLETTER_RELAYS"):
        Routes.of(Settings(relays=relays))


def test_mail_goes_by_the_nearest_domain_above_its_sender_s() -> None:
    routes = Routes.of(
        Settings(
            smtp_url="smtp://mail1.example.com smtp://mail2.example.com",
            relays="example.com = smtp://a.example\nnews.example.com=smtp://b.example smtp://mail1.example.com;"
            "bøker.example=smtp://c.example?rate=1",
        )
    )

    def hosts(sender: str) -> list[str]:
        return [relay.host for relay in routes.route(sender)]

    assert hosts("books@example.org") == ["mail1.example.com", "mail2.example.com"]
    assert hosts("books@example.com") == hosts("books@more.EXAMPLE.com") == ["a.example"]
    assert hosts("a@news.example.com") == hosts("a@x.news.example.com") == ["b.example", "mail1.example.com"]
    assert hosts("a@notexample.com") == hosts("a@com") == hosts("a") == hosts("") == hosts("books@example.org")
    assert hosts("a@bøker.example") == hosts("a@xn--bker-gra.example") == ["c.example"]
    assert [relay.host for relay in routes.all] == [
        "mail1.example.com",
        "mail2.example.com",
        "a.example",
        "b.example",
        "c.example",
    ]


def test_the_domain_of_an_address_has_one_form() -> None:
    assert domain_of("Kari@Bøker.example") == domain_of("kari@xn--bker-gra.EXAMPLE") == "xn--bker-gra.example"


def test_where_the_preferred_relay_fails_the_next_one_stands_in_and_later_it_is_tried_again() -> None:
    standings: dict[Relay, Standing] = {}
    route = (FIRST, SECOND)
    assert Choice.pick(route, standings, 0.0).relay == FIRST
    standings[FIRST] = Standing().failed(0.0)
    assert Choice.pick(route, standings, 14.9).relay == SECOND
    assert Choice.pick(route, standings, 15.0).relay == FIRST
    standings[FIRST] = standings[FIRST].tried(15.0)
    assert Choice.pick(route, standings, 15.1).relay == SECOND, "one tries it, the others don't wait for that"
    assert Choice.pick(route, {FIRST: standings[FIRST].worked()}, 15.2).relay == FIRST
    standings[FIRST] = standings[FIRST].failed(16.0)
    assert Choice.pick(route, standings, 45.9).relay == SECOND
    standings[SECOND] = Standing().failed(40.0)
    assert Choice.pick(route, standings, 45.9) == Choice(None, 46.0)


def test_connections_that_fail_together_are_one_failure() -> None:
    once = Standing().failed(100.0)
    assert once.failed(100.1) == once
    assert once.failed(115.0).failures == 2


def test_a_try_that_nobody_ended_keeps_no_relay_from_being_used() -> None:
    standing = Standing().failed(0.0).tried(15.0)
    assert not standing.rests(60.0)


def test_a_relay_rests_longer_each_time_but_never_for_long() -> None:
    assert [rests_until(failures, 0.0) for failures in (0, 1, 2, 3, 4, 5, 6, 7, 1000)] == [
        *(0, 15, 30, 60, 120, 240, 480, 600, 600)
    ]
