"""What the database takes on disk, and giving back what it no longer needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store import dialect

_INCREMENTAL = 2


async def free_pages(conn: AsyncConnection) -> tuple[int, int]:
    """(free, all) pages of the file, where free ones can be given back; PostgreSQL's autovacuum sees to that itself."""
    if not dialect.is_file(conn) or await conn.scalar(text("PRAGMA auto_vacuum")) != _INCREMENTAL:
        return 0, 0
    return await conn.scalar(text("PRAGMA freelist_count")) or 0, await conn.scalar(text("PRAGMA page_count")) or 0


async def give_back(conn: AsyncConnection, pages: int) -> None:
    """Returns so many free pages to the file system, in a transaction of its own: nothing may have begun one."""
    driver: Any = (await conn.get_raw_connection()).driver_connection
    # A script, since that alone goes through all steps of a statement: SQLite gives back a page with each.
    await driver.executescript(f"PRAGMA incremental_vacuum({int(pages)})")


async def size_bytes(conn: AsyncConnection) -> int:
    """Bytes of the whole database on disk, without its log."""
    if not dialect.is_file(conn):
        return int(await conn.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages, size = await conn.scalar(text("PRAGMA page_count")), await conn.scalar(text("PRAGMA page_size"))
    return int(pages or 0) * int(size or 0)


async def empty_log(url: URL, *, truncate: bool) -> bool:
    """Moves SQLite's write-ahead log into the file, and with `truncate` empties it. False: a reader was in the way.

    Only where nothing is being written: truncating waits for no reader, but holds the lock of the writer.
    """
    engine = dialect.create_single(url)
    try:
        async with engine.connect() as conn:
            driver: Any = (await conn.get_raw_connection()).driver_connection
            await driver.execute("PRAGMA busy_timeout=100")
            cursor = await driver.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if truncate else 'PASSIVE'})")
            return bool((await cursor.fetchone())[0] == 0)
    finally:
        await engine.dispose()
