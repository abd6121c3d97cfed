"""One installation of the program: its settings, clock, keys and open database, handed to whoever acts on it."""

from dataclasses import dataclass

from newsletter.clock import Clock, SystemClock
from newsletter.database import Database
from newsletter.settings import Settings
from newsletter.tokens import Keyring


@dataclass(frozen=True, slots=True)
class Installation:
    """What everything that acts needs."""

    settings: Settings
    clock: Clock
    keys: Keyring
    database: Database

    def url(self, path: str) -> str:
        """Give the address under which readers reach `path`."""
        return f"{self.settings.base_url}{path}"


def open_installation(settings: Settings, clock: Clock | None = None) -> Installation:
    """Open the database and read the keys; call it inside the running event loop. Raises MisconfiguredError."""
    return Installation(settings, clock or SystemClock(), settings.keyring(), Database(settings.database))
