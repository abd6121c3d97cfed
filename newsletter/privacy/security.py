"""How the data is protected (GDPR art. 32), read from how the installation is set up, weak points included."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.installation import Installation
from newsletter.mail.wire.relays import Routes

_ALWAYS = (
    "Passwords are kept as Argon2id hashes; keys, sessions and mailed links as hashes alone.",
    "No address and no name stands in a link, a web address or a log. No IP address and no browser is stored.",
    "Every look at a person and every change by an editor is noted in a trail that can't be changed unnoticed.",
    "Agreements are chained and signed: a past that was changed is found.",
    "Deleting a person deletes everything that is theirs in one transaction; what stays are keyed tags that expire.",
    "Opens and clicks are counted so that nobody can tell whose they were.",
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A sentence about the protection. One that is not `good` says what is missing."""

    sentence: str
    good: bool = True


def measures(installation: Installation) -> Sequence[Measure]:
    """Give what protects the data in this installation."""
    settings = installation.settings
    encrypted = settings.base_url.startswith("https://")
    https = (
        "Readers and editors reach the service over HTTPS." if encrypted else "The service is reached without HTTPS."
    )
    routes = Routes.of(settings)
    relays = [relay for chosen in (routes.default, *routes.domains.values()) for relay in chosen]
    plain = sorted({relay.name for relay in relays if relay.security == "smtp"})
    to_relays = (
        f"Mail goes to {', '.join(plain)} without encryption; that is right on one's own machine or network alone."
        if plain
        else "Mail goes to the relay encrypted (TLS)."
    )
    dkim = "Mail is signed (DKIM)." if settings.dkim_domain else "Mail is not signed here (DKIM); the relay may do it."
    raw = (
        "What is deleted is overwritten in the database's files within a minute."
        if installation.database.on_sqlite
        else "The tables of people are rewritten on a schedule, so that deleted rows leave the database's files."
    )
    backups = (
        f"Backups are kept for at most {settings.retention_tombstones} days; restoring one deletes again who left."
    )
    return [
        Measure(https, encrypted),
        Measure(to_relays, not plain),
        Measure(dkim, bool(settings.dkim_domain)),
        *(Measure(sentence) for sentence in (*_ALWAYS, raw, backups)),
    ]
