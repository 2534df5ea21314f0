"""What open streams need beside what is published: traces that finish by being quiet, and sign-ins that end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from audittrail.live.hub import Hub
from audittrail.model.summary import ORPHAN_QUIET_US
from audittrail.store import keys, sessions, traces
from audittrail.store.bulk import by_project
from audittrail.store.database import Database

SETTLE_SECONDS = 1.0
# A stream outlives its session, key or membership by no more than this.
ADMIT_SECONDS = 5.0
MOST = 1_000  # traces settled at once; where there are more, all may have

OVER = {
    "session": "You are signed out, or no longer a member of this project. Sign in again.",
    "key": "The API key was revoked, or has expired.",
}


class Streams:
    """Two tasks, which cost nothing while no stream is open."""

    def __init__(self, db: Database, hub: Hub, now_us: Callable[[], int]) -> None:
        self._db = db
        self._hub = hub
        self._now_us = now_us

    async def settle(self) -> None:
        """Goes on until cancelled: tells of traces that have been quiet for long enough to be finished."""
        since_us = self._now_us()
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            now_us = self._now_us()
            if self._hub.watched:
                # Also after a clock that stepped: what was told once may be told again.
                since_us = min(max(since_us, now_us - ORPHAN_QUIET_US), now_us)
                async with self._db.read() as conn:
                    found = await traces.settled(conn, since_us, now_us, MOST)
                for project_id, trace_ids in by_project(found).items():
                    self._hub.settle(project_id, trace_ids if len(found) < MOST else [])
            since_us = now_us

    async def admit(self) -> None:
        """Goes on until cancelled: ends the streams of those who may not look any more."""
        while True:
            await asyncio.sleep(ADMIT_SECONDS)
            open_now = self._hub.streams
            by_session = {one.holder.session for one in open_now if one.holder.session}
            by_key = {one.holder.key_id for one in open_now if one.holder.key_id}
            if not open_now:
                continue
            now_us = self._now_us()
            async with self._db.read() as conn:
                may_look = await sessions.who_may_look(conn, by_session, now_us)
                usable = await keys.usable_keys(conn, by_key, now_us)
            for stream in open_now:
                holder = stream.holder
                if holder.key_id:
                    if holder.key_id not in usable:
                        stream.end(OVER["key"])
                elif (holder.session, holder.project_id) not in may_look:
                    stream.end(OVER["session"])
