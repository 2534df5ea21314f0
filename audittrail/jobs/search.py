"""Indexes what spans say, behind the writer's back: in small transactions, and slowly while spans are coming in."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import msgspec

from audittrail.ingest.document import document
from audittrail.jobs.whole import whole
from audittrail.store import search
from audittrail.store.connection import Connection
from audittrail.store.database import Database
from audittrail.store.packing import unpack
from audittrail.store.search import Entry, Unread, Waiting

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# A replica's transaction may show its traces later than another's with a later time, and clocks step back.
LATE_US = 120_000_000
RECENT_US = 5_000_000
LATE_SECONDS = 30.0
KEEP_US = 10_000_000
# A transaction of 64 spans with 1.7 KB of words each takes 3 ms, and merging 100 pages 9 (measured 2026-11-24).
SPANS = 64
KEYS = 1024  # of a trace with many spans: so often is it gone through from its start
WORDS = 150_000
MERGE_PAGES = 100
# Reading 8 records holds the GIL for 1.4 ms.
PIECE = 8
# How many times as long as it has worked it rests then, while requests wait for the writer.
BUSY_REST = 24.0


class SearchIndex:
    """`run()` is the task. What is not indexed is told from the database alone, so it may be killed at any time."""

    def __init__(self, db: Database, now_us: Callable[[], int], busy: Callable[[], bool]) -> None:
        self._db = db
        self._now_us = now_us
        self._busy = busy
        self._untidy = True
        self._kept_us = 0
        self.waiting_since_us: int | None = None  # when the oldest trace arrived that is not whole in the index

    async def run(self) -> None:
        """Goes on until cancelled."""
        async with self._db.read() as conn:
            since_us = await search.reached(conn)
        late = 0.0
        while True:
            now_us = self._now_us()
            if time.monotonic() >= late:
                late = time.monotonic() + LATE_SECONDS
                async with self._db.read() as conn:  # another process may have cleared it
                    since_us = min(since_us, now_us - LATE_US, await search.reached(conn))
            since_us = min(since_us, now_us)
            async with self._db.read() as conn:
                waiting = await search.find_waiting(conn, since_us, SPANS)
            self.waiting_since_us = waiting[0].received_us if waiting else None
            if not waiting:
                since_us = max(since_us, now_us - RECENT_US)
                if self._untidy:
                    await self._tidy()
                else:
                    await asyncio.sleep(LOOK_SECONDS)
                continue
            since_us = waiting[0].received_us
            try:
                if not await self._index(waiting, min(since_us, now_us - LATE_US)):
                    await asyncio.sleep(LOOK_SECONDS)
            except search.Outdated:
                log.warning("Search is indexed anew: this version reads records differently. Until then it finds less.")
                await self._written(search.clear)
                since_us = self._kept_us = 0

    async def _index(self, waiting: Sequence[Waiting], reached_us: int) -> bool:
        """Takes the first of what waits. False: another process was at it."""
        traces = _first(waiting)
        async with self._db.read() as conn:
            unread = await search.find_unread(conn, traces, KEYS)
        done = traces if len(unread) < KEYS else []
        if not unread:
            return await self._put([], done, reached_us)
        for i in range(0, len(unread), SPANS):
            parts = [part async for part in self._parts(unread[i : i + SPANS])]
            for part in parts:
                last = part is parts[-1] and i + SPANS >= len(unread)
                if not await self._put(part, done if last else [], reached_us):
                    return False
        return True

    async def _parts(self, unread: Sequence[Unread]) -> AsyncIterator[list[Entry]]:
        """Their words, in parts that a short transaction holds."""
        async with self._db.read() as conn:
            packed = await search.find_records(conn, unread)
        part: list[Entry] = []
        size = 0
        for i in range(0, len(unread), PIECE):
            began = time.perf_counter()
            for entry in await asyncio.to_thread(_read, unread[i : i + PIECE], packed):
                part.append(entry)
                size += len(entry.words) + len(entry.words_were or "")
                if size > WORDS:
                    yield part
                    part, size = [], 0
            await self._rest(began)
        if part:
            yield part

    async def _put(self, entries: Sequence[Entry], done: Sequence[Waiting], reached_us: int) -> bool:
        began = time.perf_counter()
        moved = abs(reached_us - self._kept_us) >= KEEP_US
        if not await self._written(lambda conn: search.put(conn, entries, done, reached_us if moved else None)):
            return False
        if moved:
            self._kept_us = reached_us
        await self._rest(began)
        if entries:
            await self._tidy()
        return True

    async def _tidy(self) -> None:
        began = time.perf_counter()
        self._untidy = await self._written(lambda conn: search.tidy(conn, MERGE_PAGES))
        await self._rest(began)

    async def _written(self, work: Callable[[Connection], Awaitable[bool]]) -> bool:
        """What `work` returns, committed."""

        async def within() -> bool:
            async with self._db.write() as conn:
                return await work(conn)

        return await whole(within())

    async def _rest(self, began: float) -> None:
        await asyncio.sleep((time.perf_counter() - began) * BUSY_REST if self._busy() else 0)


def _first(waiting: Sequence[Waiting]) -> list[Waiting]:
    """So many of them that their spans fit into one round, and at least one."""
    traces: list[Waiting] = []
    spans = 0
    for one in waiting:
        spans += one.span_count
        if traces and spans >= SPANS:
            break
        traces.append(one)
    return traces


def _read(unread: Sequence[Unread], packed: Mapping[tuple[tuple[int, str, str], int], bytes]) -> list[Entry]:
    entries = []
    for one in unread:
        were = words_of(packed.get((one.key, one.was)), one.key) if one.was is not None else None
        said = words_of(packed.get((one.key, one.version)), one.key)
        entries.append(Entry(one.key, one.version, said, one.was, were))
    return entries


def words_of(packed: bytes | None, key: tuple[int, str, str]) -> str:
    """The words by which the span of a packed record is found."""
    try:
        return document(unpack(packed)) if packed is not None else ""
    except (ValueError, msgspec.MsgspecError) as error:
        # One damaged record shall not keep all others from being found.
        log.error("Span %s of trace %s cannot be searched: %s", key[2], key[1], type(error).__name__)
        return ""
