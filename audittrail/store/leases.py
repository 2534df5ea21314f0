"""Work that is taken up by one process, kept alive by it, and taken up again by another when it is not.

For tables with the columns project_id, id, status, requested_us, started_us, lease_us, done and total.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.changes import Topic
from audittrail.store.notify import changed

LONGEST_LEASE_US = 60_000_000


class Leases:
    """Of one table, whose changes are told under a topic."""

    def __init__(self, table: Table, topic: Topic) -> None:
        self._t = table
        self._c = table.c
        self._topic = topic

    def over(self, now_us: int) -> ColumnElement[bool]:
        """Whether no process keeps it alive."""
        lease_us = self._c.lease_us
        # Nobody takes a lease that long: the clock was set back since, and who held it may be gone.
        return or_(lease_us <= now_us, lease_us > now_us + LONGEST_LEASE_US)

    def _waits(self, now_us: int) -> ColumnElement[bool]:
        c = self._c
        return or_(c.status == "queued", and_(c.status == "running", self.over(now_us)))

    def _running(self, project_id: int, id_: str) -> ColumnElement[bool]:
        return and_(self._c.project_id == project_id, self._c.id == id_, self._c.status == "running")

    async def open(self, conn: AsyncConnection, project_id: int) -> int:
        """How many of a project have not ended."""
        c = self._c
        query = select(func.count()).where(c.project_id == project_id, c.status.in_(("queued", "running")))
        return int(await conn.scalar(query) or 0)

    async def any_waits(self, conn: AsyncConnection, now_us: int) -> bool:
        """Whether there is something to be taken up."""
        return await conn.scalar(select(self._c.id).where(self._waits(now_us)).limit(1)) is not None

    async def claim(self, conn: AsyncConnection, now_us: int, lease_us: int) -> tuple[int, str] | None:
        """Takes up the oldest that waits, or that a process left when it ended; its project and id. None: none."""
        c, waits = self._c, self._waits(now_us)
        oldest = select(c.project_id, c.id).where(waits).order_by(c.requested_us, c.id).limit(1)
        found = (await conn.execute(oldest)).first()
        if found is None:
            return None
        take = update(self._t).where(c.project_id == found.project_id, c.id == found.id, waits)
        values = {"status": "running", "started_us": now_us, "lease_us": lease_us, "done": 0, "total": 0}
        if (await conn.execute(take.values(values))).rowcount != 1:
            return None  # another process was first
        changed(conn, found.project_id, self._topic, [found.id])
        return found.project_id, found.id

    async def renew(
        self, conn: AsyncConnection, project_id: int, id_: str, done: int, total: int, lease_us: int
    ) -> bool:
        """Keeps it, with how far it is. False: it is not running any more."""
        return await self._change(conn, project_id, id_, {"done": done, "total": total, "lease_us": lease_us})

    async def finish(self, conn: AsyncConnection, project_id: int, id_: str, values: dict[str, Any]) -> bool:
        """Its end, and what is to be said of it. False: it was not running any more."""
        return await self._change(conn, project_id, id_, {**values, "lease_us": 0})

    async def release(self, conn: AsyncConnection, project_id: int, id_: str) -> None:
        """Gives one back that was taken up and will not be finished here."""
        await self._change(conn, project_id, id_, {"status": "queued", "lease_us": 0, "done": 0, "total": 0})

    async def _change(self, conn: AsyncConnection, project_id: int, id_: str, values: dict[str, Any]) -> bool:
        changed(conn, project_id, self._topic, [id_])
        return (await conn.execute(update(self._t).where(self._running(project_id, id_)).values(values))).rowcount == 1
