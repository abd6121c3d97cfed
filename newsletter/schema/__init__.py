"""Every table in one place, and the way a database is brought up to them. What others use of it is named here.

What runs the migrations, `upgrading`, is named by itself: it loads Alembic, which a database that is up to date does
not need.
"""

from newsletter.schema.all_tables import METADATA, TABLES
from newsletter.schema.folder import migrations_folder
from newsletter.schema.starting import bring_up_to_date

__all__ = ["METADATA", "TABLES", "bring_up_to_date", "migrations_folder"]
