"""Purges what has grown old: traces by when they last changed, and what was counted in their time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from audittrail.jobs.erasure import Erasure
from audittrail.model.activity import SYSTEM, Action
from audittrail.model.retention import DAY_US, horizon, trusted
from audittrail.store import activity, erasure, retention
from audittrail.store.connection import Connection
from audittrail.store.database import Database
from audittrail.store.erasure import Doomed

log = logging.getLogger(__name__)

# An hour and not a minute: each run that purges rewrites the search index, and days are what is counted.
LOOK_SECONDS = 3600.0
RETRY_SECONDS = 5.0
AGED = 100  # rows of each table, an approval in six indexes among them, that a transaction takes
BATCH = 256  # traces that are hidden before their spans are erased


class Tally(msgspec.Struct, frozen=True):
    """What one run has purged of a project, and where in the activity log that stands."""

    id: str = ""
    traces: int = 0
    spans: int = 0
    bytes: int = 0


class Retention:
    """`run()` is the task. It also finishes what people deleted, whatever ended the process that was at it."""

    def __init__(
        self,
        db: Database,
        erasure_job: Erasure,
        now_us: Callable[[], int],
        days: int,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._erasure = erasure_job
        self._now_us = now_us
        self._days = days
        self._elapsed = elapsed
        self._looked = elapsed()
        self.behind_us = 0  # of the clock, which retention does not believe so far
        self.last_us: int | None = None  # when this process last purged something

    async def run(self) -> None:
        """Goes on until cancelled."""
        while True:
            wiped = True
            self._erasure.wanted.clear()
            async with self._db.purging() as alone:
                if alone:
                    await self.purge()
                    wiped = await self._erasure.wipe()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._erasure.wanted.wait(), LOOK_SECONDS if wiped else RETRY_SECONDS)

    @property
    def reason(self) -> str:
        """What an operator should know, for the health page; empty when all is well."""
        if self.behind_us <= DAY_US:
            return ""
        return (
            f"The clock is {self.behind_us // DAY_US} days ahead of what retention has followed; it follows by a day "
            "an hour. If the clock is wrong, set it right before traces are purged by it."
        )

    async def purge(self) -> dict[int, Tally]:
        """One run: what it purged, by project."""
        tallies: dict[int, Tally] = {}
        await self._erasure.finish()
        if not self._days:
            return tallies
        now_us = self._now_us()
        horizon_us = horizon(await self._time(now_us), self._days)

        async def noted(conn: Connection, hidden: Sequence[Doomed]) -> None:
            # With all of their spans, since it is certain from here on that these go.
            for project_id in {one.project_id for one in hidden}:
                mine = [one for one in hidden if one.project_id == project_id]
                done = tallies.get(project_id, Tally())
                traces, spans = done.traces + len(mine), done.spans + sum(one.spans for one in mine)
                size = done.bytes + sum(one.bytes for one in mine)
                detail: dict[str, Any] = {"traces": traces, "spans": spans, "bytes": size, "horizon_us": horizon_us}
                if done.id:
                    id_ = done.id
                    await activity.go_on(conn, id_, **detail)
                else:
                    what: Action = "retention.purged"
                    id_ = await activity.note(conn, now_us, SYSTEM, what, project_id=project_id, **detail)
                tallies[project_id] = Tally(id_, traces, spans, size)

        while True:
            async with self._db.read() as conn:
                keys = await retention.expired(conn, horizon_us, BATCH)
            if not keys:
                break
            await self._erasure.hide(keys, "expired", SYSTEM, noted)
            await self._erasure.finish()
        while await self._age(horizon_us):
            pass
        if tallies:
            self.last_us = now_us
            traces, spans = (sum(getattr(one, name) for one in tallies.values()) for name in ("traces", "spans"))
            log.info("Retention purged %d traces with %d spans", traces, spans)
        return tallies

    async def _age(self, horizon_us: int) -> bool:
        """Deletes some of what belongs to no trace; whether there was any."""
        async with self._db.read() as conn:
            aged = await retention.find_aged(conn, horizon_us, AGED)
        if aged:
            await self._erasure.step(lambda conn: retention.remove(conn, aged))
        return bool(aged)

    async def _time(self, now_us: int) -> int:
        """The time to go by, which the next run goes on from, whichever process that is."""
        elapsed, self._looked = self._elapsed() - self._looked, self._elapsed()
        async with self._db.read() as conn:
            reached_us = (await erasure.progress(conn)).trusted_us
            if not reached_us:
                # The first run there ever is. The newest trace says how far time had come; an idle day more is likely.
                newest_us = await retention.newest(conn)
                reached_us = now_us if newest_us is None else min(now_us, newest_us + DAY_US)
        # Another process may have gone on meanwhile: what passed here since the last look may have been followed there.
        time_us = trusted(reached_us, now_us, int(min(elapsed, LOOK_SECONDS) * 1_000_000))
        self.behind_us = max(0, now_us - time_us)
        async with self._db.write() as conn:
            await erasure.set_progress(conn, trusted_us=max(reached_us, time_us))
        return time_us
