"""Whatever stands in a setting, the start goes on or stops with a sentence that names it, never with a traceback."""

from itertools import product

import pytest
from sqlalchemy import make_url

from newsletter.database.engines import async_engine, sync_engine
from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings, load
from newsletter.worker import check

STRANGE = (
    *(" ", "\t", "x", "-1", "0", "70000", "99999999999999999999", "1e9", "\x01", "a\nb", "\u2028", "\ud800", "\udcff"),
    *("%", "%zz", "%ff", "@", "a@b", "a:b", "a=b", "*", ";", "[", "[::1", "//", "/", ".", "..", "\u0130"),
    *("smtp://", "smtp://[", "smtp://h:x", "smtp://a%@h", "smtp://h?x=1", "smtp://h\x01", "imaps://a:%ff@h/I"),
    *("imaps://a:b@[h/I", "postgresql://h/x?y=1", "postgresql://[h/x", "postgresql://h:99999/x", "sqlite:///:memory:"),
    *("sqlite:///file:x?mode=memory", "sqlite:///x\x01", "x.example=smtp://h%", "x.example=1/s", "x=2026-13-01 1 1"),
    *("arn:aws:sns:::", "-----BEGIN PRIVATE KEY-----", "bücher.example", "127.0.0.1:0", "host:99999", "=" * 100),
)


def started(environment: dict[str, str]) -> str | None:
    """Start as far as a command does before it opens the database; give what it says where it does not go on."""
    try:
        settings = load(environment)
        check(settings)
        make_url(settings.database)
    except MisconfiguredError as error:
        return error.sentence
    return None


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_it_goes_on_or_stops_with_a_sentence(name: str) -> None:
    beside = {"NEWSLETTER_BOUNCE_DOMAIN": "bounces.example.com"} if name != "bounce_domain" else {}
    if name.startswith("dkim"):
        beside |= {
            "NEWSLETTER_DKIM_DOMAIN": "example.com",
            "NEWSLETTER_DKIM_SELECTOR": "s1",
            "NEWSLETTER_DKIM_KEY": "x",
        }
    for value, more in product(STRANGE, ({}, beside)):
        sentence = started(more | {f"NEWSLETTER_{name.upper()}": value})
        assert sentence is None or ("NEWSLETTER_" in sentence and sentence.endswith(".")), (value, sentence)


@pytest.mark.parametrize("option", ["host=/run/postgresql", "port=5433", "passfile=/x", "target_session_attrs=any"])
def test_what_may_stand_in_the_address_of_a_database_both_drivers_know(option: str) -> None:
    url = load({"NEWSLETTER_DATABASE_URL": f"postgresql://kari@localhost/x?{option}"}).database
    name = option.partition("=")[0]
    for engine in (async_engine(url).sync_engine, sync_engine(url)):
        assert name in engine.dialect.create_connect_args(engine.url)[1]
