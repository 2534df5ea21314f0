"""What only one transaction of all processes does at a time."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store import dialect

# PostgreSQL's advisory locks are numbers: these are ours.
_MIGRATION = 0x41554449_54
_SEARCH = 0x41554449_55
_USAGE = 0x41554449_56
_RETENTION = 0x41554449_57
_ACTIVITY = 0x41554449_59


async def lock_migrations(conn: AsyncConnection) -> None:
    """Held until the transaction ends, so that replicas starting together migrate one after the other."""
    await dialect.lock_numbers(conn, [_MIGRATION])


async def lock_traces(conn: AsyncConnection, keys: Iterable[tuple[int, str]]) -> None:
    """Makes this transaction the only one that changes these traces."""
    # A trace id is random: its low 63 bits are as good a lock number as a hash of it.
    await dialect.lock_numbers(conn, {int(trace_id[16:], 16) >> 1 for _, trace_id in keys})


async def lock_action(conn: AsyncConnection, action_hash: str) -> None:
    """Makes this transaction the only one that deals with this exact action."""
    await dialect.lock_numbers(conn, [int(action_hash[:16], 16) >> 1])


async def lock_usage(conn: AsyncConnection, project_ids: Iterable[int]) -> None:
    """Makes this transaction the only one that changes these projects' sums."""
    await dialect.lock_numbers(conn, {_USAGE << 22 | project_id & 0x3FFFFF for project_id in project_ids})


async def lock_activity(conn: AsyncConnection) -> None:
    """Makes this transaction the only one that compares what happened with what the activity log says last."""
    await dialect.lock_numbers(conn, [_ACTIVITY])


async def lock_search(conn: AsyncConnection) -> bool:
    """Whether this transaction is now the only one that changes what search has; False: another process is at it."""
    return await dialect.try_lock(conn, _SEARCH)


async def wait_for_search(conn: AsyncConnection) -> None:
    """As `lock_search`, and waits until no other transaction changes what search has."""
    await dialect.lock_numbers(conn, [_SEARCH])


async def lock_retention(conn: AsyncConnection) -> bool:
    """Whether this connection is now the only one that purges, until it is closed."""
    return await dialect.try_lock(conn, _RETENTION, until_closed=True)
