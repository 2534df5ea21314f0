"""What the overview counts: numbers of a range, their series, and breakdowns by agent, model and tool."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.analytics import (
    BUCKETS_US,
    Bucket,
    By,
    Group,
    Summary,
    Totals,
    buckets,
    measures,
    since,
    starts,
)
from audittrail.model.usage import SLOTS_US, Part, Sums, Whose, cover, total
from audittrail.store import approvals, usage
from audittrail.store.tables import verdicts as v


class Window:
    """A project's sums from one time until another (None: open), as they stand now. What no slot fits is read once."""

    def __init__(self, conn: AsyncConnection, project_id: int, from_us: int, until_us: int | None, now_us: int) -> None:
        self._conn, self._project_id, self._now_us = conn, project_id, now_us
        self._from_us, self._until_us = from_us, until_us
        self._ends: list[tuple[int, Part]] | None = None

    async def _parts(self) -> list[tuple[int, Part]]:
        if self._ends is None:
            where = (self._conn, self._project_id)
            self._ends = await usage.parts(*where, cover(self._from_us, self._until_us))
            running = await usage.unsettled(*where, self._from_us, self._until_us, self._now_us)
            for started_us, agent, timing in running:
                less = Sums()
                less.add(timing, -1)
                self._ends.append((started_us, {("all", ""): less, ("agent", agent): less}))
        return self._ends

    async def sums(
        self, whose: Whose, only: Sequence[str] | None = None, sizes: Sequence[int] = SLOTS_US
    ) -> list[tuple[int, str, Sums]]:
        """(time, name, sums), which the caller adds up; `only`: of these names; `sizes`: of the slots to read."""
        stretches = cover(self._from_us, self._until_us, sizes)
        found = await usage.slots(self._conn, self._project_id, whose, stretches, only)
        for started_us, part in await self._parts():
            for (who, name), sums in part.items():
                if who == whose and (only is None or name in only):
                    found.append((started_us, name, sums))
        return found

    async def names(self, whose: Whose, limit: int) -> list[str]:
        """The names with most traces or calls, at most so many."""
        stretches = cover(self._from_us, self._until_us)
        found = await usage.names(self._conn, self._project_id, whose, stretches, limit)
        for _, part in await self._parts():
            # Where the limit is reached, a name of the first five minutes alone is not among the most used.
            found += [n for who, n in part if who == whose and n not in found and len(found) < limit]
        return found

    async def total(self) -> Sums:
        """Of the project."""
        return total(sums for _, _, sums in await self.sums("all"))

    async def groups(self, by: By, limit: int) -> list[Group]:
        """The most used first."""
        names = await self.names(by, limit)
        added: dict[str, Sums] = {name: Sums() for name in names}
        for _, name, sums in await self.sums(by, names):
            added[name].add(sums)
        found = sorted(added.items(), key=lambda one: (-one[1].count, one[0]))
        return [Group(name=name or None, calls=one.count, **measures(one)) for name, one in found if one.count]

    async def series(self, range_: str) -> tuple[Bucket, ...]:
        """In steps that fit the range, which is the window's."""
        return await self.steps(starts(range_, self._now_us))

    async def steps(self, places: range) -> tuple[Bucket, ...]:
        """In steps that begin at these times."""
        bucket, first = places.step, places.start
        sizes = [size for size in SLOTS_US if size <= bucket]
        sums = [(at, one) for at, _, one in await self.sums("all", sizes=sizes)]
        place = (v.c.found_us - first) // bucket
        within = _violations(self._project_id, self._from_us, self._until_us)
        query = select(place, func.count()).where(within).group_by(place)
        found = [(first + int(n) * bucket, int(count)) for n, count in await self._conn.execute(query)]
        return buckets(places, sums, found)

    async def totals(self) -> Totals:
        """The numbers of the whole."""
        sums = await self.total()
        return Totals(
            from_us=self._from_us,
            until_us=self._now_us if self._until_us is None else self._until_us,
            traces=sums.count,
            violations=await violations(self._conn, self._project_id, self._from_us, self._until_us),
            **measures(sums),
        )

    async def by_name(self, whose: Whose, range_: str, only: Sequence[str]) -> dict[str, tuple[Sums, tuple[int, ...]]]:
        """Of each of these names the sums, and the counts in the steps of the range, which is the window's."""
        sizes = [size for size in SLOTS_US if size <= BUCKETS_US[range_]]
        places = starts(range_, self._now_us)
        found = {name: (Sums(), [0] * len(places)) for name in only}
        for at, name, sums in await self.sums(whose, only, sizes):
            added, counts = found[name]
            added.add(sums)
            counts[min(len(places) - 1, (at - places[0]) // places.step)] += sums.count
        return {name: (added, tuple(counts)) for name, (added, counts) in found.items()}


def window(conn: AsyncConnection, project_id: int, range_: str, now_us: int) -> Window:
    """Of a range until now."""
    return Window(conn, project_id, since(range_, now_us), None, now_us)


def before(conn: AsyncConnection, project_id: int, range_: str, now_us: int) -> Window:
    """As long a time, just before the range."""
    first = since(range_, now_us)
    return Window(conn, project_id, since(range_, first), first, now_us)


def _violations(project_id: int, from_us: int, until_us: int | None) -> ColumnElement[bool]:
    within = [v.c.project_id == project_id, v.c.outcome == "violation", v.c.found_us >= from_us]
    if until_us is not None:
        within.append(v.c.found_us < until_us)
    return and_(*within)


async def violations(conn: AsyncConnection, project_id: int, from_us: int, until_us: int | None = None) -> int:
    """How many violations were found."""
    within = _violations(project_id, from_us, until_us)
    return int(await conn.scalar(select(func.count()).select_from(v).where(within)) or 0)


async def summary(conn: AsyncConnection, project_id: int, range_: str, now_us: int, over: Window) -> Summary:
    """The numbers of a range; `over` is its window."""
    pending = await approvals.count_pending(conn, project_id, now_us)
    return Summary(range=range_, pending_approvals=pending, **msgspec.structs.asdict(await over.totals()))
