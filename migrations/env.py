"""How Alembic meets the database: on the connection that `schema.upgrade` hands it, within that transaction."""

from alembic import context

from newsletter.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
