"""One task writes: it commits the work of many requests in one transaction, and says "stored" only after the commit."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from audittrail.model.batch import Batch, Refusal
from audittrail.model.errors import Unavailable
from audittrail.model.verdict import Judge
from audittrail.store import fragments, refusals, spans, tombstones
from audittrail.store.database import Database

log = logging.getLogger(__name__)

# A transaction takes what is waiting, up to this: more would make the first in it wait for the last.
GROUP_SPANS = 4_096
GROUP_BYTES = 32 << 20
MAX_PENDING_SPANS = 65_536
FLUSH_SECONDS = 2.0
MAX_REASONS = 1_000


class WriterState(msgspec.Struct, frozen=True):
    """Counts for the health page. Spans are of this process since its start."""

    pending_spans: int
    pending_bytes: int
    max_pending_spans: int
    max_pending_bytes: int
    stored_spans: int
    refused_spans: int
    busy_answers: int  # requests told to come again because the queue was full
    failing: bool  # the last transaction found no database


class _Job(msgspec.Struct, frozen=True):
    batch: Batch
    size: int
    done: asyncio.Future[list[Refusal]]


class Writer:
    """`await submit(batch)` returns when the batch is on disk. `run()` is the task; `close()` drains it."""

    def __init__(
        self,
        db: Database,
        now_us: Callable[[], int],
        *,
        max_pending_bytes: int,
        judge: Judge | None = None,
        max_pending_spans: int = MAX_PENDING_SPANS,
    ) -> None:
        self._db = db
        self._now_us = now_us
        self._judge = judge
        self._max_bytes = max_pending_bytes
        self._max_spans = max_pending_spans
        self._jobs: deque[_Job] = deque()
        self._refused: dict[tuple[int, str, str], tuple[int, int]] = {}
        self._wake = asyncio.Event()
        self._closing = False
        self._spans = self._bytes = 0
        self._stored = self._refused_spans = self._busy = 0
        self._failing = False
        self.failure = ""  # why, in a sentence

    def state(self) -> WriterState:
        """How it stands."""
        return WriterState(
            self._spans,
            self._bytes,
            self._max_spans,
            self._max_bytes,
            self._stored,
            self._refused_spans,
            self._busy,
            self._failing,
        )

    def admit(self, size: int) -> None:
        """Raises Unavailable when `size` more bytes may not wait: asked before a body is decoded, so that work which
        would be refused is not done. An empty queue admits anything."""
        if self._closing:
            raise Unavailable("The server is stopping; send the same request again.", 2)
        if self._jobs and (self._bytes + size > self._max_bytes or self._spans >= self._max_spans):
            self._busy += 1
            raise Unavailable(f"{self._spans} spans wait to be written, which is the limit; send the same again.", 1)

    async def submit(self, batch: Batch) -> list[Refusal]:
        """Stores the batch; returns what could not be stored, span by span.

        Raises Unavailable when the queue is full or the database does not answer: then nothing of the batch was stored.
        """
        if not batch.ids:
            return []
        size = batch.size
        self.admit(size)
        job = _Job(batch, size, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._spans += len(batch.ids)
        self._bytes += size
        self._wake.set()
        return await job.done

    def keep(self, batch: Batch) -> None:
        """Stores the batch with nobody waiting: AuditTrail's own spans, which no client could send again.

        It goes past the limits of the queue, and is tried again for as long as the database does not answer.
        """
        job = _Job(batch, batch.size, asyncio.get_running_loop().create_future())
        job.done.add_done_callback(lambda done: self._keep_again(batch, done))
        self._jobs.append(job)
        self._spans += len(batch.ids)
        self._bytes += job.size
        self._wake.set()

    def _keep_again(self, batch: Batch, done: asyncio.Future[list[Refusal]]) -> None:
        if done.cancelled() or done.exception() is None:
            return
        if self._closing:
            log.error("%d spans of AuditTrail's own could not be written before the end", len(batch.spans))
        else:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.keep, batch)

    def count_refused(self, project_id: int, signal: str, reasons: Sequence[str]) -> None:
        """Counts refused spans of one request by reason; written with the next transaction, or within FLUSH_SECONDS."""
        for reason, count in Counter(reasons).items():
            self._count((project_id, signal, reason), count, 1)
        self._refused_spans += len(reasons)
        self._wake.set()

    def count_refused_request(self, project_id: int, signal: str, reason: str) -> None:
        """Counts a request that was refused whole, before its spans could be counted."""
        self._count((project_id, signal, reason), 0, 1)
        self._wake.set()

    def _count(self, key: tuple[int, str, str], count: int, requests: int) -> None:
        # Reasons are our own sentences, so they are few; the bound only says so.
        if key in self._refused or len(self._refused) < MAX_REASONS:
            had_spans, had_requests = self._refused.get(key, (0, 0))
            self._refused[key] = (had_spans + count, had_requests + requests)

    async def close(self) -> None:
        """Takes no more, and returns when `run` has written what was waiting. May be called twice."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Writes until closed and drained."""
        while True:
            if not self._jobs:
                if self._closing:
                    await self._flush_refused()
                    return
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), FLUSH_SECONDS if self._refused or self._failing else None)
                except TimeoutError:
                    await (self._probe() if self._failing else self._flush_refused())
                continue
            group: list[_Job] = []
            spans_taken = bytes_taken = 0
            while self._jobs and (not group or (spans_taken < GROUP_SPANS and bytes_taken < GROUP_BYTES)):
                job = self._jobs.popleft()
                group.append(job)
                spans_taken += len(job.batch.ids)
                bytes_taken += job.size
            try:
                await self._write(group)
            finally:
                self._spans -= spans_taken
                self._bytes -= bytes_taken

    async def _write(self, group: list[_Job]) -> None:
        try:
            late = await self._commit([job.batch for job in group])
        except Unavailable as error:
            self._fail(group, error)
        except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
            # Something in the group cannot be stored. Alone, each request is stored or shows which of its spans it is.
            log.warning("A group of %d requests could not be stored: %s", len(group), type(error).__name__)
            for job in group:
                try:
                    refused = await self._isolate(job.batch)
                except Unavailable as unavailable:
                    self._fail([job], unavailable)
                else:
                    _resolve(job, refused)
        except BaseException:
            self._fail(group, Unavailable("The server is stopping; send the same request again.", 2))
            raise
        else:
            for job, refused in zip(group, late, strict=True):
                _resolve(job, refused)

    async def _commit(self, batches: list[Batch]) -> list[list[Refusal]]:
        """Stores the batches; of each what is refused because its trace was deleted."""
        refused, self._refused = self._refused, {}
        try:
            async with self._db.write() as conn:
                now = self._now_us()
                await refusals.add(conn, refused, now)
                kept, late = await tombstones.admit(conn, batches)
                await spans.store(conn, kept, now, self._judge)
                await fragments.keep(conn, kept, now)
        except BaseException:
            self._put_back(refused)
            raise
        self._recovered()
        self._stored += sum(len(batch.spans) for batch in kept)
        for batch, those in zip(batches, late, strict=True):
            if those:
                self.count_refused(batch.project_id, batch.signal, [one.reason for one in those])
        return late

    async def _isolate(self, batch: Batch) -> list[Refusal]:
        """Stores what can be stored of a batch, by halves; returns what cannot."""
        try:
            return (await self._commit([batch]))[0]
        except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
            if len(batch.ids) == 1:
                return [self._poison(batch, error)]
            first, second = batch.halves()
            return await self._isolate(first) + await self._isolate(second)

    def _poison(self, batch: Batch, error: Exception) -> Refusal:
        # Neither the log nor the answer may carry the statement or its values: they are trace content.
        cause = type(getattr(error, "orig", None) or error).__name__
        [(trace_id, span_id)] = batch.ids
        log.error("Span %s of trace %s cannot be stored: %s", span_id, trace_id, cause)
        reason = f"the database refused it ({cause})"
        self.count_refused(batch.project_id, batch.signal, [reason])
        return Refusal(reason, f"span {span_id}")

    def _fail(self, jobs: list[_Job], error: Unavailable) -> None:
        if not self._failing:
            log.error("Nothing can be written: %s (%s)", error, type(error.__cause__).__name__)
        self._failing, self.failure = True, str(error)
        for job in jobs:
            if not job.done.done():
                job.done.set_exception(error)

    async def _probe(self) -> None:
        """Where nobody sends anything, nobody would find that it is over."""
        try:
            await self._db.probe()
        except Unavailable as error:
            self.failure = str(error)
        except SQLAlchemyError as error:
            log.error("The database cannot be tried: %s", type(error).__name__)
        else:
            self._recovered()

    def _recovered(self) -> None:
        if self._failing:
            log.info("Transactions are written again")
        self._failing, self.failure = False, ""

    async def _flush_refused(self) -> None:
        if not self._refused:
            return
        refused, self._refused = self._refused, {}
        try:
            async with self._db.write() as conn:
                await refusals.add(conn, refused, self._now_us())
        except (Unavailable, SQLAlchemyError) as error:
            log.error("Counts of refused spans are kept in memory: %s", type(error).__name__)
            self._put_back(refused)

    def _put_back(self, refused: dict[tuple[int, str, str], tuple[int, int]]) -> None:
        for key, (count, requests) in refused.items():
            self._count(key, count, requests)


def _resolve(job: _Job, refused: list[Refusal]) -> None:
    if not job.done.done():  # a client that went away cancelled its own wait
        job.done.set_result(refused)
