"""What follows from the settings: places, names and keys that nobody need set."""

from pathlib import Path
from urllib.parse import urlsplit

from newsletter.errors import MisconfiguredError
from newsletter.settings.fields import PREFIX, Fields
from newsletter.settings.key_file import key_file
from newsletter.settings.shapes import Network, read_networks, read_place
from newsletter.tokens import Keyring

KEY_FILE = "secret.key"


class Settings(Fields):
    """The settings of an installation, and what follows from them."""

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
        return read_place(self.inbound_listen) if self.bounce_domain else None

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Give the networks of the proxies that are believed."""
        return read_networks(self.trusted_proxies) or ()

    @property
    def relay_is_set(self) -> bool:
        """Say whether somebody has named a relay: the default one may be nobody's."""
        return bool(self.model_fields_set & {"smtp_url", "relays"})

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
