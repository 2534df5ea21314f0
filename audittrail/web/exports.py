"""The answer that is an export: written as it is read, in portions, and without its manifest where it was cut."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from litestar.types import Receive, Scope, Send
from msgspec.structs import replace

from audittrail.ingest.pipeline import read
from audittrail.model.errors import TooMany, Unavailable
from audittrail.model.filters import MAX_PAGE_SIZE, Cursor, TraceFilter
from audittrail.model.summary import TraceRow
from audittrail.report.export import MEDIA_TYPES, Export, Format, Level
from audittrail.runtime import Runtime
from audittrail.store import exports as export_store
from audittrail.store import traces as trace_store
from audittrail.store.exports import Packed

log = logging.getLogger(__name__)

CHUNK = 256 << 10  # bytes that are handed to the connection at a time
# At once, in this process and of one project: each holds some megabytes for as long as its client reads.
MOST, MOST_OF_PROJECT = 16, 8
WAIT_SECONDS = 10


class Exports:
    """Those that run, and the one thread in which they all read records.

    Of their own, so that nobody else waits for a thread because of them; one, since the interpreter runs no two at
    once, and each thread keeps the memory that it has needed once (six of them 25 MB more, measured 2026-11-24).
    """

    def __init__(self) -> None:
        self._running: Counter[int] = Counter()  # by project
        self.thread = ThreadPoolExecutor(1, "export")

    @contextmanager
    def running(self, project_id: int) -> Iterator[None]:
        """While the block lasts, one more. Raises TooMany."""
        if self._running.total() >= MOST or self._running[project_id] >= MOST_OF_PROJECT:
            raise TooMany(f"Too many exports run just now; try again in {WAIT_SECONDS} seconds.", WAIT_SECONDS)
        self._running[project_id] += 1
        try:
            yield
        finally:
            self._running -= Counter([project_id])  # and forgets who has none left


class ExportStream:
    """The file, as an ASGI application. `want` is a list's filters, or the one trace whose spans are wanted.

    `note` is awaited before the first byte: nobody takes anything away without it having been written down.
    """

    def __init__(
        self,
        exports: Exports,
        runtime: Runtime,
        project: tuple[int, str],
        form: Format,
        level: Level,
        want: TraceFilter | TraceRow,
        note: Callable[[], Awaitable[None]],
    ) -> None:
        self._exports, self._note = exports, note
        self._runtime, self._project_id, self._level, self._want = runtime, project[0], level, want
        self._export = Export(form, level, project[1])
        word = f"trace-{want.trace_id}" if isinstance(want, TraceRow) else f"{level}-{runtime.now_us() // 1_000_000}"
        # Ids are hex, for they were found: nothing in the name is what a client wrote.
        self._headers = [
            (b"content-type", MEDIA_TYPES[form].encode()),
            (b"content-disposition", f'attachment; filename="{word}.{form}"'.encode()),
            (b"x-accel-buffering", b"no"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope.get("method") == "HEAD":
            await send(self._start())
            await send(_body(b"", more=False))
            return
        with self._exports.running(self._project_id):
            await self._note()
            await send(self._start())
            await self._write(receive, send)

    def _start(self) -> Any:
        return {"type": "http.response.start", "status": 200, "headers": self._headers}

    async def _write(self, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send(_body(self._export.opening()))
            async for chunk in self._chunks():
                if gone.done() or self._runtime.stopping:
                    return  # the connection ends without the answer's end, and the file has no manifest
                await send(_body(chunk))
            await send(_body(self._export.closing(), more=False))
        except Unavailable as error:
            log.warning("An export was cut after %d spans: %s", self._export.spans, error)
        finally:
            gone.cancel()

    async def _chunks(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        async for some in self._traces():
            if self._level == "traces":
                yield b"".join([self._export.trace(row) for row in some])
                continue
            for row in some:
                async for packed in self._spans(row.trace_id):
                    waiting = iter(packed)
                    while chunk := await loop.run_in_executor(self._exports.thread, self._lines, waiting):
                        yield chunk

    async def _traces(self) -> AsyncIterator[list[TraceRow]]:
        """Newest first, each once: one that is moved by a late span may come up again further down."""
        if isinstance(self._want, TraceRow):
            yield [self._want]
            return
        want, now_us, seen = replace(self._want, size=MAX_PAGE_SIZE, after=None), self._runtime.now_us(), set[bytes]()
        while True:
            async with self._runtime.db.read() as conn:
                page = await trace_store.list_traces(conn, self._project_id, want, now_us)
            yield [row for row in page.items if bytes.fromhex(row.trace_id) not in seen]
            if page.next is None:
                return
            seen.update(bytes.fromhex(row.trace_id) for row in page.items)
            want = replace(want, after=Cursor.parse(page.next))

    async def _spans(self, trace_id: str) -> AsyncIterator[list[Packed]]:
        after, seen, more = None, set[str](), True
        while more:
            async with self._runtime.db.read() as conn:
                some, more = await export_store.portion(conn, self._project_id, trace_id, after)
            yield [one for one in some if one.span_id not in seen]
            if more:
                seen.update(one.span_id for one in some)
                after = some[-1].started_us, some[-1].span_id

    def _lines(self, waiting: Iterator[Packed]) -> bytes:
        """In a thread: 2 MB of records take half a second to understand."""
        lines, size = list[bytes](), 0
        for one in waiting:
            lines.append(self._export.span(read(one.record, one.cost_basis)))
            size += len(lines[-1])
            if size > CHUNK:
                break
        return b"".join(lines)


def _body(data: bytes, more: bool = True) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
