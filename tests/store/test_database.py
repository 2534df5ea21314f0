"""One process on a SQLite file, one schema in a database, and the settings that make it durable."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from audittrail.model.errors import ConfigurationError
from audittrail.settings import asset_folder
from audittrail.store.database import Database, FileLock
from audittrail.store.migrations import migrate
from audittrail.store.tables import metadata


def test_a_second_holder_of_the_lock_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    first.acquire()
    with pytest.raises(ConfigurationError, match=r"Another AuditTrail \(process \d+\)"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


async def test_migrating_again_does_nothing(database_url: str) -> None:
    async with Database(database_url) as db:
        before, head = await migrate(db, asset_folder("migrations"))
        assert before is None
        assert await migrate(db, asset_folder("migrations")) == (head, head)


async def test_the_migrations_make_the_tables_that_the_code_expects(database_url: str) -> None:
    async with Database(database_url) as db:
        await migrate(db, asset_folder("migrations"))
        async with db.read() as conn:
            found = await conn.run_sync(
                lambda sync: {
                    name: {column["name"] for column in inspect(sync).get_columns(name)}
                    for name in inspect(sync).get_table_names()
                }
            )
    found.pop("alembic_version")
    # Each database keeps the words of search in a way of its own: store/dialect.py.
    found = {name: columns for name, columns in found.items() if not name.startswith("search_text")}
    assert found == {table.name: {c.name for c in table.columns} for table in metadata.sorted_tables}


async def test_a_newer_database_is_refused(database_url: str) -> None:
    async with Database(database_url) as db:
        await migrate(db, asset_folder("migrations"))
        async with db.write() as conn:
            await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ConfigurationError, match="newer AuditTrail"):
            await migrate(db, asset_folder("migrations"))


async def test_sqlite_is_durable_and_its_readers_only_read(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.db") as db:
        async with db.write() as conn:
            assert (await conn.exec_driver_sql("PRAGMA journal_mode")).scalar_one() == "wal"
            assert (await conn.exec_driver_sql("PRAGMA synchronous")).scalar_one() == 2  # FULL
            assert (await conn.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1
            await conn.exec_driver_sql("CREATE TABLE t(a)")
        async with db.read() as conn:
            assert (await conn.exec_driver_sql("PRAGMA query_only")).scalar_one() == 1


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://a/b",
        "sqlite:///x.db",
        "postgresql://u@h/d",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
    ],
)
def test_an_address_that_cannot_work_is_refused_in_words(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Database(url)
