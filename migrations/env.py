"""Runs migrations on the connection that audittrail.store.migrations hands over."""

from alembic import context

from audittrail.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
# The caller holds the transaction: a migration that fails half way leaves nothing behind.
context.run_migrations()
