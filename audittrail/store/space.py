"""What the database takes on disk, and giving back what it no longer needs."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store import dialect

_INCREMENTAL = 2
# 4 MB: as much as SQLite itself moves at once after a commit.
_LEFT_PAGES = 1_000


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


async def empty_log(url: URL, alone: AbstractAsyncContextManager[object]) -> bool:
    """Moves SQLite's write-ahead log into the file, and empties it. False: a reader was in the way; try again.

    Truncating waits for no reader, but holds the lock of the writer: `alone` is entered for that, so that nobody else
    writes, and only when what is left to move is little.
    """
    engine = dialect.create_single(url)
    try:
        async with engine.connect() as conn:
            driver: Any = (await conn.get_raw_connection()).driver_connection
            await driver.execute("PRAGMA busy_timeout=100")
            # Most of it while others write. A reader may be in the way of all of it, and gone a moment later.
            busy, pages, moved = await _checkpoint(driver, "PASSIVE")
            if busy or pages - moved > _LEFT_PAGES:
                return False
            async with alone:
                busy, _, _ = await _checkpoint(driver, "TRUNCATE")
            return not busy
    finally:
        await engine.dispose()


async def _checkpoint(driver: Any, mode: str) -> tuple[int, int, int]:
    """(whether something was in the way, pages in the log, of them moved into the file)."""
    cursor = await driver.execute(f"PRAGMA wal_checkpoint({mode})")
    busy, pages, moved = await cursor.fetchone()
    return busy, pages, moved
