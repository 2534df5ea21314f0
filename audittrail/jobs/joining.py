"""Joins what log records say of spans to their records, whichever came first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from audittrail.constitution import Constitution
from audittrail.ingest.joining import join
from audittrail.ingest.pipeline import prepare
from audittrail.jobs.bell import Bell
from audittrail.model.batch import Batch
from audittrail.model.record import SpanRecord, decode
from audittrail.store import fragments, spans
from audittrail.store.bulk import by_project
from audittrail.store.database import Database
from audittrail.store.fragments import Kept
from audittrail.store.spans import StoredRecord
from audittrail.store.writer import Writer

AT_ONCE = 64  # spans: preparing one takes 300 microseconds
KEPT_US = 86_400_000_000  # for a span that comes later, or comes again
SWEEP_SECONDS = 600.0
SWEPT_AT_ONCE = 500
NEVER_CAME = "the span that it speaks of did not come within a day"

_Key = tuple[int, str, str]


class Joining:
    """`ring()` when some may wait; `run()` and `sweep()` are the tasks."""

    def __init__(self, db: Database, writer: Writer, constitution: Constitution, now_us: Callable[[], int]) -> None:
        self._db = db
        self._writer = writer
        self._constitution = constitution
        self._now_us = now_us
        self._bell = Bell()
        self.ring = self._bell.ring

    async def run(self) -> None:
        """Goes on until cancelled. Another process's fragments are seen within a second."""
        while True:
            rung = self._bell.listen()
            if not await self._join():
                await self._bell.pause(rung)

    async def _join(self) -> bool:
        async with self._db.read() as conn:
            found = await fragments.waiting(conn, AT_ONCE)
            records: dict[_Key, StoredRecord] = {}
            for project_id, keys in by_project((one.project_id, (one.trace_id, one.span_id)) for one in found).items():
                stored = await spans.records_of(conn, project_id, keys)
                records |= {(project_id, *key): one for key, one in stored.items()}
        if not found:
            return False
        for batch in await asyncio.to_thread(self._joined, found, records):
            await self._writer.submit(batch)
        # Its own versions are noted as come: they are looked at once more, and have everything.
        async with self._db.write() as conn:
            await fragments.settle(conn, found)
        return True

    def _joined(self, found: list[Kept], records: dict[_Key, StoredRecord]) -> list[Batch]:
        said: dict[_Key, list[SpanRecord]] = {}
        for one in found:
            said.setdefault((one.project_id, one.trace_id, one.span_id), []).append(decode(one.record))
        changed: list[tuple[int, SpanRecord]] = []
        for key, mine in said.items():
            if key in records:  # else it is looked at again when its span comes
                record = decode(records[key].record)
                joined = join(record, mine)
                if joined is not record:
                    changed.append((key[0], joined))
        rules = self._constitution.rules
        # Without a redactor: what is joined has been redacted, both of it.
        return [Batch(project_id, prepare(mine, None, rules)) for project_id, mine in by_project(changed).items()]

    async def sweep(self) -> None:
        """Goes on until cancelled: forgets what is old, and counts as refused what never found its span."""
        while True:
            async with self._db.write() as conn:
                gone = await fragments.forget(conn, self._now_us() - KEPT_US, SWEPT_AT_ONCE)
            for project_id, those in by_project(gone).items():
                self._writer.count_refused(project_id, "logs", [NEVER_CAME for came in those if not came])
            if len(gone) < SWEPT_AT_ONCE:
                await asyncio.sleep(SWEEP_SECONDS)
