"""Ablation runs: asked for, taken up by one process, kept alive by it, and kept when they are done."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, and_, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.ablation import ID, AblationRun, RunStatus
from audittrail.model.filters import Cursor, Page
from audittrail.store.leases import Leases
from audittrail.store.notify import changed
from audittrail.store.tables import ablations as a

_FIELDS = AblationRun.__struct_fields__
_SELECT = select(*(a.c[name] for name in _FIELDS))
# A result may be of megabytes, and a list is of many.
_LISTED = select(*(literal("null").label(name) if name == "result" else a.c[name] for name in _FIELDS))
_encode = msgspec.json.Encoder().encode
_leases = Leases(a, "ablations")


def _run(row: Row[Any] | tuple[Any, ...]) -> AblationRun:
    values = dict(zip(_FIELDS, row, strict=True))
    return AblationRun(
        **values | {"outcome": msgspec.json.decode(values["outcome"]), "result": msgspec.json.decode(values["result"])}
    )


async def add(conn: AsyncConnection, project_id: int, run: AblationRun) -> None:
    """A new one, to be taken up by whoever is free."""
    values = {name: getattr(run, name) for name in _FIELDS}
    values |= {"outcome": _encode(run.outcome).decode(), "result": _encode(run.result).decode()}
    await conn.execute(a.insert().values(project_id=project_id, lease_us=0, **values))
    changed(conn, project_id, "ablations", [run.id])


async def ablation(conn: AsyncConnection, project_id: int, id_: str) -> AblationRun | None:
    """One of a project."""
    if not ID.fullmatch(id_):
        return None  # PostgreSQL takes no NUL, not even to say that there is no such row
    row = (await conn.execute(_SELECT.where(a.c.project_id == project_id, a.c.id == id_))).first()
    return _run(row) if row else None


async def same(conn: AsyncConnection, project_id: int, run: AblationRun) -> AblationRun | None:
    """The newest run of the same question about the trace as it is now, which would give the same answer."""
    asked = and_(*(a.c[name] == getattr(run, name) for name in ("trace_id", "method", "players", "level", "seed")))
    alive = or_(a.c.status.in_(("queued", "running")), and_(a.c.status == "done", a.c.received_us == run.received_us))
    query = _SELECT.where(a.c.project_id == project_id, asked, a.c.outcome == _encode(run.outcome).decode(), alive)
    row = (await conn.execute(query.order_by(a.c.requested_us.desc(), a.c.id.desc()).limit(1))).first()
    return _run(row) if row else None


async def open_runs(conn: AsyncConnection, project_id: int) -> int:
    """How many of a project have not ended."""
    return await _leases.open(conn, project_id)


async def any_waits(conn: AsyncConnection, now_us: int) -> bool:
    """Whether there is something to be taken up."""
    return await _leases.any_waits(conn, now_us)


async def claim(conn: AsyncConnection, now_us: int, lease_us: int) -> tuple[int, AblationRun] | None:
    """Takes up the oldest that waits, or that a process left when it ended; with its project. None: nothing waits."""
    found = await _leases.claim(conn, now_us, lease_us)
    if found is None:
        return None
    row = (await conn.execute(_SELECT.where(a.c.project_id == found[0], a.c.id == found[1]))).one()
    return found[0], _run(row)


async def progress(conn: AsyncConnection, project_id: int, id_: str, done: int, total: int, lease_us: int) -> bool:
    """Renews the lease. False: it is not running any more, since somebody cancelled it."""
    return await _leases.renew(conn, project_id, id_, done, total, lease_us)


async def finish(
    conn: AsyncConnection, project_id: int, id_: str, status: RunStatus, now_us: int, *, result: Any = None, **said: Any
) -> bool:
    """The end of one that runs, with what else is to be said of it. False: it was cancelled before."""
    values = {"status": status, "finished_us": now_us, "result": _encode(result).decode(), **said}
    return await _leases.finish(conn, project_id, id_, values)


async def release(conn: AsyncConnection, project_id: int, id_: str) -> None:
    """Gives one back that was taken up and will not be finished here."""
    await _leases.release(conn, project_id, id_)


async def cancel(conn: AsyncConnection, project_id: int, id_: str, now_us: int) -> bool:
    """False: it had ended before."""
    mine = and_(a.c.project_id == project_id, a.c.id == id_, a.c.status.in_(("queued", "running")))
    changed(conn, project_id, "ablations", [id_])
    return (await conn.execute(update(a).where(mine).values(status="cancelled", finished_us=now_us))).rowcount == 1


async def list_ablations(
    conn: AsyncConnection, project_id: int, *, trace: str = "", after: Cursor | None = None, size: int
) -> Page[AblationRun]:
    """Newest first, without their results, one page after the cursor; of one trace, if one is named."""
    query = _LISTED.where(a.c.project_id == project_id)
    if trace:
        query = query.where(a.c.trace_id == trace)
    if after:
        query = query.where(tuple_(a.c.requested_us, a.c.id) < after.key)
    rows = await conn.execute(query.order_by(a.c.requested_us.desc(), a.c.id.desc()).limit(size + 1))
    return Page.cut([_run(row) for row in rows], size, lambda one: (one.requested_us, one.id))
