"""Many rows of one table in one call, and many keys in one question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store import dialect

Key = TypeVar("Key")

_statements: dict[tuple[str, str, bool], str] = {}


def by_project(keys: Iterable[tuple[int, Key]]) -> dict[int, list[Key]]:
    """(project, key) pairs as lists of each project's keys: what a question with `IN` takes."""
    found: dict[int, list[Key]] = {}
    for project_id, key in keys:
        found.setdefault(project_id, []).append(key)
    return found


async def write_rows(
    conn: AsyncConnection, table: Table, rows: Sequence[tuple[Any, ...]], *, over: bool = False
) -> None:
    """Inserts rows, each with all of the table's columns in their order; with `over`, over a row of the same key.

    SQLAlchemy makes the statement, and the rows go to the driver as they are, which saves its 20 microseconds a row for
    parameters. So values are the driver's types, not the columns'.
    """
    if not rows:
        return
    key = (conn.dialect.name, table.name, over)
    if key not in _statements:
        _statements[key] = _compile(conn, table, over)
    await conn.exec_driver_sql(_statements[key], list(rows))


def _compile(conn: AsyncConnection, table: Table, over: bool) -> str:
    statement = dialect.insert(conn, table)
    if over:
        keys = [c.name for c in table.primary_key]
        values = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    return str(statement.compile(dialect=conn.dialect))
