"""Every setting, with its default and what it is for."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from newsletter.errors import MisconfiguredError
from newsletter.settings.key_file import key_file
from newsletter.tokens import MINIMUM_SECRET_BYTES, Keyring

PREFIX = "NEWSLETTER_"
KEY_FILE = "secret.key"
LONGEST_RECEIPTS = 90

# Nothing that would end a header line, split a link in a mail, or put a password into one.
_WEB_ADDRESS = re.compile(r"https?://[^\s@?#<>\"\\]+")
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.IGNORECASE)


class Settings(BaseModel):
    """Every setting, with its default and what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: Annotated[
        str, Field(description="The address under which readers reach this service; it is in every link.")
    ] = "http://localhost:8000"
    data_dir: Annotated[Path, Field(description="The folder for the SQLite database and the secret key.")] = Path(
        "data"
    )
    database_url: Annotated[
        str,
        Field(
            repr=False, description="`postgresql://user:password@host/name`, or empty for SQLite in the data folder."
        ),
    ] = ""
    secret_key: Annotated[
        str,
        Field(
            repr=False,
            description="The root secret, at least 32 characters. On SQLite a file is made in the data folder where "
            "it is not given; on PostgreSQL it must be given, the same to every process.",
        ),
    ] = ""
    secret_key_previous: Annotated[
        str,
        Field(repr=False, description="The root secret before a rotation, so that links already mailed still work."),
    ] = ""
    smtp_url: Annotated[
        str,
        Field(
            repr=False,
            description="The relay: `smtp://`, `smtps://` or `smtp+starttls://`, then `user:password@host:port` and "
            "options; further ones, separated by spaces, stand in where it fails.",
        ),
    ] = "smtp://localhost:25"
    smtp_connections: Annotated[
        int, Field(ge=1, le=200, description="How many connections to the relay are used at once.")
    ] = 10
    relays: Annotated[
        str,
        Field(
            repr=False,
            description="Relays of their own for senders' domains: `news.example.com = smtp://…`, one a line or "
            "separated by semicolons.",
        ),
    ] = ""
    domain_pace: Annotated[
        str,
        Field(
            description="Mails per second, minute or hour, and connections, to a domain from all workers together: "
            "`gmail.com=20/s 8; outlook.com,hotmail.com=300/m 4; *=2/s`."
        ),
    ] = ""
    hourly_limit: Annotated[
        int,
        Field(ge=0, le=1_000_000_000, description="The most mails of a sender's domain in an hour; 0 for no limit."),
    ] = 0
    warm_up: Annotated[
        str,
        Field(
            description="Sending domains that are new: the first day, its mails and the last day's: "
            "`news.example.com=2026-11-22 50 10000`."
        ),
    ] = ""
    bounce_domain: Annotated[
        str,
        Field(description="The domain whose mail reaches this service; the mailto unsubscribe address is under it."),
    ] = ""
    inbound_listen: Annotated[
        str,
        Field(
            description="Where a worker takes the mail of the bounce domain, by SMTP and LMTP: a machine's address and "
            "a port, or `off`."
        ),
    ] = "127.0.0.1:8025"
    imap_url: Annotated[
        str,
        Field(
            repr=False,
            description="The mailbox that bounces wait in, where they are delivered to one: "
            "`imaps://user:password@host/INBOX`, with options.",
        ),
    ] = ""
    dead_address_hold: Annotated[
        int,
        Field(ge=0, description="Seconds between the refusal of a dead address and the deletion of its subscriber."),
    ] = 3600
    dkim_domain: Annotated[
        str, Field(description="The domain that signs mail (DKIM); that of the senders' addresses. Empty: not signed.")
    ] = ""
    dkim_selector: Annotated[str, Field(description="The name of the RSA key in the DNS.")] = ""
    dkim_key: Annotated[str, Field(description="The private RSA key, PEM; `newsletter dkim new` makes one.")] = ""
    dkim_ed25519_selector: Annotated[
        str, Field(description="The name of the Ed25519 key, where mail is to carry a second signature (RFC 8463).")
    ] = ""
    dkim_ed25519_key: Annotated[str, Field(description="The private Ed25519 key, PEM.")] = ""
    webhook_ses: Annotated[
        str, Field(repr=False, description="The SNS topics of Amazon SES that are heard, by ARN, separated by commas.")
    ] = ""
    webhook_postmark: Annotated[
        str, Field(repr=False, description="The `user:password` with which Postmark calls its webhook.")
    ] = ""
    webhook_sendgrid: Annotated[
        str, Field(repr=False, description="The verification key of SendGrid's signed event webhook, base64.")
    ] = ""
    webhook_mailgun: Annotated[str, Field(repr=False, description="The signing key of Mailgun's webhooks.")] = ""
    controller_name: Annotated[
        str, Field(description="The company that answers for the data, as it is registered.")
    ] = ""
    controller_organisation_number: Annotated[str, Field(description="Its organisation number.")] = ""
    controller_address: Annotated[str, Field(description="Its postal address, on one line.")] = ""
    controller_email: Annotated[str, Field(description="Where readers write about privacy.")] = ""
    controller_data_protection_officer: Annotated[
        str, Field(description="How to reach the data protection officer, where there is one.")
    ] = ""
    metrics_token: Annotated[
        str, Field(repr=False, description="The bearer token for /metrics; without it nobody may read them.")
    ] = ""
    retention_unconfirmed: Annotated[
        int, Field(ge=1, le=168, description="Hours after which a signup that nobody confirmed is purged (RULES C6).")
    ] = 72
    retention_audit: Annotated[
        int, Field(ge=1, le=120, description="Months after which an entry of the audit trail is purged.")
    ] = 24
    retention_receipts: Annotated[
        int,
        Field(ge=0, le=1096, description="Days for which a receipt is kept of an agreement that ended (RULES C3)."),
    ] = 90
    retention_receipts_reason: Annotated[
        str,
        Field(
            validate_default=True,
            description="Why receipts are kept longer than 90 days; needed where they are (RULES C3).",
        ),
    ] = ""
    retention_suppressions: Annotated[
        int,
        Field(ge=1, le=1096, description="Days for which an address that must not be mailed is recognised (RULES C4)."),
    ] = 1096
    retention_tombstones: Annotated[
        int,
        Field(ge=1, le=366, description="Days for which backups are kept, and whoever left can be deleted again."),
    ] = 35
    heads_file: Annotated[
        Path | None,
        Field(
            description="Where the signed heads of the chains of evidence are appended, outside the database; best on "
            "a volume of its own. At first `agreement-heads.jsonl` in the data folder."
        ),
    ] = None
    tombstone_file: Annotated[
        Path | None,
        Field(
            description="Where tombstones are kept outside the database: on a volume that all processes share, and not "
            "in the backups. At first `tombstones.jsonl` in the data folder."
        ),
    ] = None

    @field_validator("base_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        if not _WEB_ADDRESS.fullmatch(value) or not _has_a_host(value):
            raise ValueError("it must look like https://news.example.com")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_a_known_database(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "sqlite:///")):
            raise ValueError("it must begin with postgresql:// (or be empty, for SQLite in the data folder)")
        return value

    @field_validator("bounce_domain")
    @classmethod
    def _is_a_domain(cls, value: str) -> str:
        # Under anything else every mail would have a sender that no mail server takes.
        if value and not _DOMAIN.fullmatch(value):
            raise ValueError("it must look like bounces.example.com")
        return value

    @field_validator("inbound_listen")
    @classmethod
    def _is_an_address_and_a_port(cls, value: str) -> str:
        if value != "off" and _place(value) is None:
            raise ValueError("it must look like 127.0.0.1:8025, [::1]:8025 or off")
        return value

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def _is_long_enough(cls, value: str) -> str:
        if value and len(value.encode()) < MINIMUM_SECRET_BYTES:
            raise ValueError(f"it must be at least {MINIMUM_SECRET_BYTES} characters long")
        return value

    @field_validator("retention_receipts_reason")
    @classmethod
    def _long_receipts_have_a_reason(cls, value: str, read: ValidationInfo) -> str:
        if read.data.get("retention_receipts", 0) > LONGEST_RECEIPTS and not value.strip():
            raise ValueError(f"say here why receipts are kept longer than {LONGEST_RECEIPTS} days")
        return value

    @property
    def heads(self) -> Path:
        """Give the file of the signed heads."""
        return self.heads_file or self.data_dir / "agreement-heads.jsonl"

    @property
    def tombstones(self) -> Path:
        """Give the file of the tombstones."""
        return self.tombstone_file or self.data_dir / "tombstones.jsonl"

    @property
    def database(self) -> str:
        """Give the URL of the database that is used."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'newsletter.sqlite'}"

    @property
    def journal_dir(self) -> Path:
        """Give the folder of the journals of delivery, which must be this machine's own."""
        return self.data_dir / "journal"

    @property
    def inbound(self) -> tuple[str, int] | None:
        """Give the address and the port on which a worker takes mail; None where it takes none."""
        return _place(self.inbound_listen) if self.bounce_domain else None

    @property
    def host(self) -> str:
        """Give the host name of `base_url`, for message ids and list ids."""
        return urlsplit(self.base_url).hostname or "localhost"

    def lacking_of_the_sender(self) -> list[str]:
        """Give the settings that are empty though every issue must name its sender with them (RULES G7)."""
        fields = ("controller_name", "controller_organisation_number", "controller_address", "controller_email")
        return [f"{PREFIX}{field.upper()}" for field in fields if not getattr(self, field)]

    def keyring(self) -> Keyring:
        """Give the root secrets; on SQLite make a key file, readable by its owner alone, at the first start.

        Raises MisconfiguredError on PostgreSQL where no secret is set: the processes of a cluster must share it.
        """
        secret = self.secret_key
        if not secret:
            if self.database.startswith("postgresql"):
                raise MisconfiguredError(
                    "Set NEWSLETTER_SECRET_KEY (or NEWSLETTER_SECRET_KEY_FILE) to the same secret for every process; "
                    "`openssl rand -base64 32` makes one."
                )
            secret = key_file(self.data_dir / KEY_FILE)
        previous = self.secret_key_previous.encode() or None
        return Keyring(secret.encode(), previous)


def _has_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _place(value: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port) if host and port and parts.netloc == value and "@" not in value else None
