"""Every setting, with its default and what it is for."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from newsletter.settings.shapes import (
    DatabaseUrl,
    Domain,
    Line,
    ListeningPlace,
    MailAddress,
    NetworkList,
    Place,
    Secret,
    Token,
    Url,
    WebAddress,
)

PREFIX = "NEWSLETTER_"
LONGEST_RECEIPTS = 90
_NO_MORE = 1_000_000_000


class Fields(BaseModel):
    """Every setting, with its default and what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: Annotated[
        WebAddress, Field(description="The address under which readers reach this service; it is in every link.")
    ] = "http://localhost:8000"
    data_dir: Annotated[Place, Field(description="The folder for the SQLite database and the secret key.")] = Path(
        "data"
    )
    database_url: Annotated[
        DatabaseUrl,
        Field(
            repr=False, description="`postgresql://user:password@host/name`, or empty for SQLite in the data folder."
        ),
    ] = ""
    secret_key: Annotated[
        Secret,
        Field(
            repr=False,
            description="The root secret, at least 32 characters. On SQLite a file is made in the data folder where "
            "it is not given; on PostgreSQL it must be given, the same to every process.",
        ),
    ] = ""
    secret_key_previous: Annotated[
        Secret,
        Field(repr=False, description="The root secret before a rotation, so that links already mailed still work."),
    ] = ""
    smtp_url: Annotated[
        Url,
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
        Url,
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
        Domain,
        Field(description="The domain whose mail reaches this service; the mailto unsubscribe address is under it."),
    ] = ""
    inbound_listen: Annotated[
        ListeningPlace,
        Field(
            description="Where a worker takes the mail of the bounce domain, by SMTP and LMTP: a machine's address and "
            "a port, or `off`."
        ),
    ] = "127.0.0.1:8025"
    imap_url: Annotated[
        Url,
        Field(
            repr=False,
            description="The mailbox that bounces wait in, where they are delivered to one: "
            "`imaps://user:password@host/INBOX`, with options.",
        ),
    ] = ""
    dead_address_hold: Annotated[
        int,
        Field(
            ge=0,
            le=31_536_000,
            description="Seconds between the refusal of a dead address and the deletion of its subscriber.",
        ),
    ] = 3600
    dkim_domain: Annotated[
        str, Field(description="The domain that signs mail (DKIM); that of the senders' addresses. Empty: not signed.")
    ] = ""
    dkim_selector: Annotated[str, Field(description="The name of the RSA key in the DNS.")] = ""
    dkim_key: Annotated[
        str, Field(repr=False, description="The private RSA key, PEM; `newsletter dkim new` makes one.")
    ] = ""
    dkim_ed25519_selector: Annotated[
        str, Field(description="The name of the Ed25519 key, where mail is to carry a second signature (RFC 8463).")
    ] = ""
    dkim_ed25519_key: Annotated[str, Field(repr=False, description="The private Ed25519 key, PEM.")] = ""
    webhook_ses: Annotated[
        Token,
        Field(repr=False, description="The SNS topics of Amazon SES that are heard, by ARN, separated by commas."),
    ] = ""
    webhook_postmark: Annotated[
        Token, Field(repr=False, description="The `user:password` with which Postmark calls its webhook.")
    ] = ""
    webhook_sendgrid: Annotated[
        Token, Field(repr=False, description="The verification key of SendGrid's signed event webhook, base64.")
    ] = ""
    webhook_mailgun: Annotated[Token, Field(repr=False, description="The signing key of Mailgun's webhooks.")] = ""
    controller_name: Annotated[
        Line, Field(description="The company that answers for the data, as it is registered.")
    ] = ""
    controller_organisation_number: Annotated[Line, Field(description="Its organisation number.")] = ""
    controller_address: Annotated[Line, Field(description="Its postal address, on one line.")] = ""
    controller_email: Annotated[MailAddress, Field(description="Where readers write about privacy.")] = ""
    controller_data_protection_officer: Annotated[
        Line, Field(description="How to reach the data protection officer, where there is one.")
    ] = ""
    web_connections: Annotated[
        int,
        Field(
            ge=10,
            le=100_000,
            description="How many connections to the web server may be open at once, half of them from one network.",
        ),
    ] = 1000
    metrics_token: Annotated[
        Token, Field(repr=False, description="The bearer token for /metrics; without it nobody may read them.")
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
        Line,
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
    trusted_proxies: Annotated[
        NetworkList,
        Field(description="The networks of the web servers in front, whose word on where a request comes from counts."),
    ] = ""
    rate_limits: Annotated[
        Literal["on", "off"], Field(description="Whether the limits below hold; `off` is for load tests.")
    ] = "on"
    limit_network: Annotated[
        int,
        Field(
            ge=0,
            le=_NO_MORE,
            description="Requests that cause mail, in an hour from one address (IPv4 /32, IPv6 /64); 0 for no limit.",
        ),
    ] = 30
    limit_network_wide: Annotated[
        int,
        Field(
            ge=0, le=_NO_MORE, description="The same from the network around it (IPv4 /24, IPv6 /56); 0 for no limit."
        ),
    ] = 120
    limit_address_hourly: Annotated[
        int,
        Field(ge=0, le=100, description="Letters to one address in an hour that strangers can cause; 0 for no limit."),
    ] = 1
    limit_address_weekly: Annotated[
        int, Field(ge=0, le=100, description="The same in any seven days; 0 for no limit.")
    ] = 3
    limit_domain: Annotated[
        int,
        Field(
            ge=0,
            le=_NO_MORE,
            description="The same to all addresses of a domain in an hour; more wait. 0 for no limit.",
        ),
    ] = 200
    limit_confirmations: Annotated[
        int,
        Field(ge=0, le=_NO_MORE, description="The same in all, the budget of an hour; more wait. 0 for no limit."),
    ] = 1000
    heads_file: Annotated[
        Place | None,
        Field(
            description="Where the signed heads of the chains of evidence are appended, outside the database; best on "
            "a volume of its own. At first `agreement-heads.jsonl` in the data folder."
        ),
    ] = None
    tombstone_file: Annotated[
        Place | None,
        Field(
            description="Where tombstones are kept outside the database: on a volume that all processes share, and not "
            "in the backups. At first `tombstones.jsonl` in the data folder."
        ),
    ] = None

    @field_validator("retention_receipts_reason")
    @classmethod
    def _long_receipts_have_a_reason(cls, value: str, read: ValidationInfo) -> str:
        if read.data.get("retention_receipts", 0) > LONGEST_RECEIPTS and not value.strip():
            raise ValueError(f"say here why receipts are kept longer than {LONGEST_RECEIPTS} days")
        return value
