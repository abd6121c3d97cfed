"""Fresh databases in no time: migrated once a session, then copied."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.schema import upgrading
from tests.support.postgresql import PostgreSQL


@dataclass
class Templates:
    """The migrated databases of this session, made when they are first needed."""

    folder: Path
    made: dict[str, str] = field(default_factory=dict)

    def sqlite(self, file: Path) -> str:
        """Put a migrated SQLite database at `file`; give its URL."""
        template = self.folder / "template.sqlite"
        if "sqlite" not in self.made:
            self.made["sqlite"] = f"sqlite:///{template}"
            upgrading.upgrade(self.made["sqlite"])
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    @contextmanager
    def postgresql(self, server: PostgreSQL) -> Iterator[str]:
        """Give the URL of a migrated PostgreSQL database, and drop it in the end."""
        if "postgresql" not in self.made:
            template = server.create()
            upgrading.upgrade(template)
            self.made["postgresql"] = template
        url = server.create(template=self.made["postgresql"])
        try:
            yield url
        finally:
            server.drop(url)
