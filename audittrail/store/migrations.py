"""Brings a database to the schema of this program, and refuses one that is newer."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.errors import ConfigurationError
from audittrail.store import locks
from audittrail.store.database import Database


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def schemas(folder: Path) -> tuple[str, ...]:
    """Every schema that this program knows, the newest first."""
    return tuple(each.revision for each in ScriptDirectory.from_config(_config(folder)).walk_revisions())


def _upgrade(connection: Connection, folder: Path, to: str | None = None) -> tuple[str | None, str]:
    config = _config(folder)
    script = ScriptDirectory.from_config(config)
    head = to or script.get_current_head()
    if head is None:
        raise ConfigurationError(f"No migrations are in {folder}: the installation is incomplete.")
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None:
        try:
            script.get_revision(current)
        except CommandError:
            raise ConfigurationError(
                f"The database has schema {current}, which this program does not know: a newer AuditTrail wrote it. "
                "Start that version or a later one, or restore a backup made before the upgrade."
            ) from None
    if current != head:
        config.attributes["connection"] = connection
        command.upgrade(config, head)
    return current, head


async def migrate(db: Database, folder: Path) -> tuple[str | None, str]:
    """(schema before, schema now). Replicas that start together wait for each other.

    Raises ConfigurationError when it cannot be used, or is newer.
    """
    await db.open()
    async with db.write() as conn:
        return await migrate_within(conn, folder)


async def migrate_within(conn: AsyncConnection, folder: Path, to: str | None = None) -> tuple[str | None, str]:
    """As `migrate`, in a transaction that is open already; to the schema `to`, for who restores an older database."""
    await locks.lock_migrations(conn)
    return await conn.run_sync(_upgrade, folder, to)
