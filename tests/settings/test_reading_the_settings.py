"""A setting that is wrong stops the program with one sentence that names it, and never shows what it was set to."""

from pathlib import Path

import pytest

from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings, load

SECRET = "a root secret that is long enough for everybody"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "news.hunter2.example"),
        ("BASE_URL", "ftp://hunter2.example"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://hunter2.example/?x=1"),
        ("BASE_URL", "https://hunter2.example/#x"),
        ("BASE_URL", "https://[hunter2"),
        ("BASE_URL", "https://hunter2.example:port"),
        ("BASE_URL", "https://hunter2.example\r\nBcc: eve@example.com"),
        ("BASE_URL", "https://hunter2 example"),
        ("BASE_URL", "https://kari:hunter2@example.com"),
        ("DATABASE_URL", "mysql://root:hunter2@localhost/x"),
        ("DATABASE_URL", "hunter2"),
        ("SECRET_KEY", "hunter2"),
        ("SECRET_KEY_PREVIOUS", "hunter2"),
        ("SMTP_CONNECTIONS", "0"),
        ("SMTP_CONNECTIONS", "201"),
        ("SMTP_CONNECTIONS", "hunter2"),
        ("DEAD_ADDRESS_HOLD", "-1"),
        ("DEAD_ADDRESS_HOLD", "99999999999999"),
        ("DEAD_ADDRESS_HOLD", "an hour2"),
        ("RETENTION_UNCONFIRMED", "0"),
        ("RETENTION_UNCONFIRMED", "169"),
        ("HOURLY_LIMIT", "-1"),
        ("HOURLY_LIMIT", "many"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:////"),
        ("DATABASE_URL", "sqlite:///hunter2?mode=ro"),
        ("DATABASE_URL", "postgresql://hunter2:port/x"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql://kari:hunter2@localhost/x/y"),
        ("DATABASE_URL", "postgresql://kari:hunter2%zz@localhost/x"),
        ("DATABASE_URL", "postgresql://kari:hunter2@localhost/x?sslmode=require"),
        ("DATABASE_URL", "postgresql://kari:hunter2@localhost/x?nothing"),
        ("DATABASE_URL", "postgresql://kari:hunter2@localhost/x\n"),
        ("SMTP_URL", "smtp://kari:hunter2%@localhost"),
        ("SMTP_URL", "smtp://kari:hunter2%ff@localhost"),
        ("RELAYS", "example.com=smtp://kari:hunter2%4@localhost"),
        ("IMAP_URL", "imaps://kari:hunter2%x1@mail.example.com/INBOX"),
        ("CONTROLLER_EMAIL", "hunter2"),
        ("CONTROLLER_EMAIL", "hunter2@example"),
        ("CONTROLLER_EMAIL", "Kari <hunter2@example.com>"),
        ("CONTROLLER_NAME", "hunter2\nBcc: eve@example.com"),
        ("CONTROLLER_ADDRESS", "hunter2\x1b[2J"),
        ("CONTROLLER_ORGANISATION_NUMBER", "hunter2\u2028"),
        ("CONTROLLER_DATA_PROTECTION_OFFICER", "hunter2\x00"),
        ("RETENTION_RECEIPTS_REASON", "hunter2\r\n"),
        ("METRICS_TOKEN", " \t"),
        ("SECRET_KEY", " " * 40),
        ("WEBHOOK_MAILGUN", "  "),
        ("WEBHOOK_POSTMARK", "kari:hunter2\n"),
        ("LIMIT_NETWORK", "-1"),
        ("LIMIT_ADDRESS_WEEKLY", "101"),
        ("RATE_LIMITS", "hunter2"),
        ("TRUSTED_PROXIES", "hunter2"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, hunter2"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, value: str) -> None:
    with pytest.raises(MisconfiguredError) as refused:
        load({f"NEWSLETTER_{name}": value})
    sentence = refused.value.sentence
    assert sentence.startswith(f"NEWSLETTER_{name}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "hunter2" not in sentence
    assert value not in sentence.split()
    assert not refused.value.__cause__


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(MisconfiguredError) as refused:
        load({"NEWSLETTER_BASE_URL": "x", "NEWSLETTER_SMTP_CONNECTIONS": "many"})
    assert "NEWSLETTER_BASE_URL: " in refused.value.sentence
    assert "NEWSLETTER_SMTP_CONNECTIONS: " in refused.value.sentence


def test_without_any_setting_there_are_defaults() -> None:
    settings = load({"PATH": "/bin", "HOME": "/root"})
    assert settings == Settings()
    assert settings.database == f"sqlite:///{Path.cwd() / 'data' / 'newsletter.sqlite'}"
    assert (settings.base_url, settings.host) == ("http://localhost:8000", "localhost")


@pytest.mark.parametrize("place", ["localhost", ":25", "localhost:0", "localhost:70000", "a@b:25", "h:25/x", ""])
def test_a_place_to_listen_is_an_address_and_a_port(place: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NEWSLETTER_INBOUND_LISTEN: it must look like"):
        load({"NEWSLETTER_INBOUND_LISTEN": place})


@pytest.mark.parametrize("name", ["no domain", "https://example.com", "bounces@example.com", "example", "a..com"])
def test_the_bounce_domain_is_a_domain(name: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NEWSLETTER_BOUNCE_DOMAIN: it must look like"):
        load({"NEWSLETTER_BOUNCE_DOMAIN": name})


def test_nothing_is_listened_for_without_a_bounce_domain() -> None:
    assert load({}).inbound is None
    assert load({"NEWSLETTER_BOUNCE_DOMAIN": "bounces.example.com"}).inbound == ("127.0.0.1", 8025)


def test_a_slash_at_the_end_of_the_base_address_does_not_end_up_in_links() -> None:
    settings = load({"NEWSLETTER_BASE_URL": "https://news.example.com/"})
    assert (settings.base_url, settings.host) == ("https://news.example.com", "news.example.com")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    value = {
        "base_url": "https://news.example.com",
        "database_url": "postgresql://localhost/x",
        "smtp_connections": "7",
        "bounce_domain": "bounces.example.com",
        "inbound_listen": "[::1]:7",
        "dead_address_hold": "7",
        "retention_unconfirmed": "7",
        "retention_audit": "7",
        "retention_receipts": "7",
        "retention_suppressions": "7",
        "retention_tombstones": "7",
        "hourly_limit": "7",
        "web_connections": "77",
        "smtp_url": "smtp://localhost",
        "relays": "example.com=smtp://localhost",
        "controller_email": "privacy@example.com",
        "limit_network": "7",
        "limit_network_wide": "7",
        "limit_address_hourly": "7",
        "limit_address_weekly": "7",
        "limit_domain": "7",
        "limit_confirmations": "7",
        "rate_limits": "off",
        "trusted_proxies": "10.0.0.0/8, ::1",
    }.get(name, SECRET)
    (tmp_path / "secret").write_text(f"{value}\n", encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    variable = f"NEWSLETTER_{name.upper()}"
    settings = load({f"{variable}_FILE": str(tmp_path / "secret"), variable: "not this, the file goes first"})
    assert str(getattr(settings, name)) == value


def test_a_wrong_value_in_a_file_is_not_shown_either(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2", encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(MisconfiguredError) as refused:
        load({"NEWSLETTER_SECRET_KEY_FILE": str(tmp_path / "secret")})
    assert refused.value.sentence.startswith("NEWSLETTER_SECRET_KEY: ")
    assert "hunter2" not in refused.value.sentence


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_can_not_be_read_is_named_by_its_setting(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
        (tmp_path / "secret").chmod(0o600)
    with pytest.raises(MisconfiguredError, match=r"^NEWSLETTER_SECRET_KEY_FILE can't be read\.$"):
        load({"NEWSLETTER_SECRET_KEY_FILE": str(tmp_path / "secret")})


def test_settings_do_not_show_their_secrets_when_they_are_printed() -> None:
    settings = load(
        {
            "NEWSLETTER_SECRET_KEY": SECRET,
            "NEWSLETTER_SECRET_KEY_PREVIOUS": SECRET,
            "NEWSLETTER_SMTP_URL": "smtp://kari:hunter2@localhost:25",
            "NEWSLETTER_RELAYS": "example.com=smtp://kari:hunter2@localhost:25",
            "NEWSLETTER_DATABASE_URL": "postgresql://kari:hunter2@localhost/x",
            "NEWSLETTER_METRICS_TOKEN": "hunter2",
        }
    )
    assert "hunter2" not in f"{settings!r} {settings}"
    assert SECRET not in f"{settings!r} {settings} {settings.keyring()!r}"


def test_receipts_are_kept_longer_than_90_days_only_for_a_reason_that_is_written_down() -> None:
    """RULES C3."""
    longer = {"NEWSLETTER_RETENTION_RECEIPTS": "400"}
    with pytest.raises(MisconfiguredError, match="NEWSLETTER_RETENTION_RECEIPTS_REASON: say here why"):
        load(longer)
    reason = {"NEWSLETTER_RETENTION_RECEIPTS_REASON": "a case before the court"}
    assert load(longer | reason).retention_receipts == 400
    with pytest.raises(MisconfiguredError):
        load({"NEWSLETTER_RETENTION_RECEIPTS": "1200"} | reason)
