"""Reports: asked for, taken up by one process, and kept with what their files are like until somebody deletes them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.filters import Cursor, Page
from audittrail.model.report import ID, Report
from audittrail.store.leases import Leases
from audittrail.store.notify import changed
from audittrail.store.tables import reports as r

_FIELDS = Report.__struct_fields__
_HIDDEN = "hidden"  # a status that nobody sees: the row stands until its files are removed
_SELECT = select(*(r.c[name] for name in _FIELDS)).where(r.c.status != _HIDDEN)
leases = Leases(r, "reports")


def _report(row: Row[Any]) -> Report:
    return Report(**dict(zip(_FIELDS, row, strict=True)))


async def add(conn: AsyncConnection, project_id: int, report: Report) -> None:
    """A new one, to be taken up by whoever is free."""
    values = {name: getattr(report, name) for name in _FIELDS}
    await conn.execute(r.insert().values(project_id=project_id, lease_us=0, **values))
    changed(conn, project_id, "reports", [report.id])


async def report(conn: AsyncConnection, project_id: int, id_: str) -> Report | None:
    """One of a project."""
    if not ID.fullmatch(id_):
        return None  # PostgreSQL takes no NUL, not even to say that there is no such row
    row = (await conn.execute(_SELECT.where(r.c.project_id == project_id, r.c.id == id_))).first()
    return _report(row) if row else None


async def remove(conn: AsyncConnection, project_id: int, id_: str) -> bool:
    """The row, when its files are gone. False: there was none."""
    if not ID.fullmatch(id_):
        return False
    changed(conn, project_id, "reports", [id_])
    return (await conn.execute(delete(r).where(r.c.project_id == project_id, r.c.id == id_))).rowcount == 1


async def hide(conn: AsyncConnection, project_id: int, id_: str) -> bool:
    """It is nowhere to be found from now on, whatever it does just now; its files are still to be removed. False: there
    was none."""
    if not ID.fullmatch(id_):
        return False
    changed(conn, project_id, "reports", [id_])
    mine = (r.c.project_id == project_id, r.c.id == id_, r.c.status != _HIDDEN)
    return (await conn.execute(update(r).where(*mine).values(status=_HIDDEN))).rowcount == 1


async def hide_sheets(conn: AsyncConnection, project_id: int, trace_ids: Collection[str]) -> None:
    """The same with all sheets of these traces."""
    mine = (r.c.project_id == project_id, r.c.trace_id.in_(list(trace_ids)))
    await conn.execute(update(r).where(*mine).values(status=_HIDDEN))


async def hidden(conn: AsyncConnection, now_us: int, limit: int) -> list[tuple[int, str]]:
    """(project, id) of reports whose files are to be removed, and which nobody is making any more: whoever was may have
    left files until its lease is over."""
    mine = (r.c.status == _HIDDEN, leases.over(now_us))
    rows = await conn.execute(select(r.c.project_id, r.c.id).where(*mine).limit(limit))
    return [(row.project_id, row.id) for row in rows]


async def list_reports(
    conn: AsyncConnection, project_id: int, *, trace: str = "", after: Cursor | None = None, size: int
) -> Page[Report]:
    """Newest first, one page after the cursor; about one trace, if one is named."""
    query = _SELECT.where(r.c.project_id == project_id)
    if trace:
        query = query.where(r.c.trace_id == trace)
    if after:
        query = query.where(tuple_(r.c.requested_us, r.c.id) < after.key)
    rows = await conn.execute(query.order_by(r.c.requested_us.desc(), r.c.id.desc()).limit(size + 1))
    return Page.cut([_report(row) for row in rows], size, lambda one: (one.requested_us, one.id))
