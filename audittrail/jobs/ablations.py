"""Ablations asked for: taken up one at a time, computed off the event loop, with progress, and to be cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from audittrail.attribution import Ablation, Outcome, Stopped, ablate, outcomes_of, parse
from audittrail.constitution import Constitution, judge_span, judge_trace
from audittrail.jobs.bell import Bell
from audittrail.jobs.recorded import recorded
from audittrail.model.ablation import AblationRun, Level, Method, Players
from audittrail.model.errors import AuditTrailError, Conflict, Invalid, NotFound, Unavailable, where
from audittrail.model.span import Span
from audittrail.model.summary import TraceRow
from audittrail.store import ablations, traces
from audittrail.store.database import Database

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5  # between two reports of progress
LEASE_US = 15_000_000
MAX_BYTES = 256 << 20
MAX_OPEN = 100  # of a project
# Of more steps the data flow alone takes minutes; 10,000 take some seconds.
MAX_SPANS = 20_000


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a trace. The same question about the same record has the same answer."""

    outcome: Outcome
    method: Method = "shapley"
    players: Players = "spans"
    level: Level = "recorded"
    seed: int = 0


class _Work:
    """One computation, as its thread and the event loop share it."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.done = self.total = 0

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class Ablations:
    """`ask` puts a question, `run()` is the task that answers it, `wait` returns when it is answered."""

    def __init__(self, db: Database, constitution: Constitution, now_us: Callable[[], int]) -> None:
        self._db = db
        self._constitution = constitution
        self._now_us = now_us
        self._bell = Bell()

    async def ask(self, project_id: int, trace_id: str, question: Question, by: str) -> AblationRun:
        """The run that answers it: one that was asked before about the trace as it is, or a new one.

        Raises NotFound, and Unavailable where too many wait.
        """
        now_us = self._now_us()
        async with self._db.write() as conn:
            trace = await traces.hold(conn, project_id, trace_id, now_us)
            if trace is None:
                raise NotFound("No trace of this project has that id.")
            run = AblationRun(
                id="abl_" + secrets.token_hex(16),
                trace_id=trace_id,
                outcome=msgspec.to_builtins(question.outcome),
                method=question.method,
                players=question.players,
                level=question.level,
                seed=question.seed,
                status="queued",
                requested_us=now_us,
                requested_by=by,
                received_us=trace.received_us,
            )
            found = await ablations.same(conn, project_id, run)
            if found is not None:
                return found
            if await ablations.open_runs(conn, project_id) >= MAX_OPEN:
                raise Unavailable(f"{MAX_OPEN} questions of this project wait for an answer; ask again later.", 5)
            await ablations.add(conn, project_id, run)
        self._bell.ring()
        return run

    async def wait(self, project_id: int, id_: str, seconds: float) -> AblationRun:
        """The run once it has ended, or as it is after so many seconds. Raises NotFound."""

        async def read() -> AblationRun:
            async with self._db.read() as conn:
                found = await ablations.ablation(conn, project_id, id_)
            if found is None:
                raise NotFound("No ablation of this project has that id.")
            return found

        return await self._bell.until(read, lambda run: not run.open, seconds)

    async def cancel(self, project_id: int, id_: str) -> AblationRun:
        """Ends it without an answer. Raises NotFound, or Conflict when it has ended already."""
        async with self._db.write() as conn:
            done = await ablations.cancel(conn, project_id, id_, self._now_us())
            found = await ablations.ablation(conn, project_id, id_)
        if found is None:
            raise NotFound("No ablation of this project has that id.")
        if not done:
            raise Conflict(f"This ablation is {found.status} already; nothing was changed.")
        self._bell.ring()
        return found

    async def run(self) -> None:
        """Goes on until cancelled: takes up what waits, oldest first."""
        while True:
            rung = self._bell.listen()
            now_us = self._now_us()
            async with self._db.read() as conn:
                waits = await ablations.any_waits(conn, now_us)
            if not waits:
                await self._bell.pause(rung)
                continue
            async with self._db.write() as conn:
                claimed = await ablations.claim(conn, now_us, now_us + LEASE_US)
            if claimed is not None:
                await self._answer(*claimed)

    async def _answer(self, project_id: int, run: AblationRun) -> None:
        work = _Work()
        computing = asyncio.create_task(self._compute(project_id, run, work))
        try:
            while not (await asyncio.wait([computing], timeout=TICK_SECONDS))[0]:
                async with self._db.write() as conn:
                    mine = await ablations.progress(
                        conn, project_id, run.id, work.done, work.total, self._now_us() + LEASE_US
                    )
                if not mine:
                    work.stopped.set()
                self._bell.ring()
            ending = computing.result()
        except BaseException:
            # The server stops, or the database does not answer: nobody would hear what the thread finds.
            work.stopped.set()
            await asyncio.gather(computing, return_exceptions=True)
            with contextlib.suppress(Unavailable):  # else its lease runs out
                async with self._db.write() as conn:
                    await ablations.release(conn, project_id, run.id)
            raise
        if ending:
            async with self._db.write() as conn:
                await ablations.finish(conn, project_id, run.id, now_us=self._now_us(), **ending)
        self._bell.ring()

    async def _compute(self, project_id: int, run: AblationRun, work: _Work) -> dict[str, Any]:
        """What `finish` is to write; nothing when it was stopped. Never raises but for cancellation."""
        try:
            trace, found = await self._read(project_id, run.trace_id)
            answer = await asyncio.to_thread(self._ablated, trace, found, run, work)
        except Stopped:
            return {}
        except AuditTrailError as error:
            return {"status": "failed", "error": str(error)}
        except Exception as error:  # noqa: BLE001 - it is told to whoever asked, and the next is taken up
            log.error("Ablation %s failed: %s", run.id, where(error))
            return {"status": "failed", "error": "An error that AuditTrail did not expect; its log says where."}
        seen = {"spans": len(found), "received_us": trace.received_us}
        return {
            "status": "done",
            "result": answer,
            "finding": answer.finding,
            "done": work.done,
            "total": work.total,
            **seen,
        }

    async def _read(self, project_id: int, trace_id: str) -> tuple[TraceRow, list[Span]]:
        async with self._db.read() as conn:
            trace = await traces.trace(conn, project_id, trace_id, self._now_us())
            if trace is None:
                raise NotFound("The trace is not there any more.")
            found = await recorded(conn, project_id, trace_id, most_spans=MAX_SPANS, most_bytes=MAX_BYTES)
        if found is None:
            raise Invalid(
                f"Traces of up to {MAX_SPANS:,} steps and {MAX_BYTES >> 20} MB of records can be explained; this one is"
                f" larger: it has {trace.span_count:,} steps."
            )
        return trace, found

    def _ablated(self, trace: TraceRow, found: list[Span], run: AblationRun, work: _Work) -> Ablation:
        rules = self._constitution.rules
        return ablate(
            trace,
            found,
            parse(run.outcome),
            method=run.method,
            players=run.players,
            seed=run.seed,
            judge_span=lambda span: judge_span(span, rules),
            judge_trace=lambda row, rows: judge_trace(row, rows, rules),
            progress=work.progress,
            stop=work.stopped.is_set,
        )

    def close(self) -> None:
        """Lets everyone go who waits: the server is about to stop."""
        self._bell.close()

    async def outcomes(self, project_id: int, trace_id: str) -> list[Outcome]:
        """What can be asked of a trace. Raises NotFound, or Invalid for one that is too large."""
        trace, found = await self._read(project_id, trace_id)
        rules = self._constitution.rules
        return await asyncio.to_thread(
            outcomes_of,
            trace,
            found,
            judge_span=lambda span: judge_span(span, rules),
            judge_trace=lambda row, rows: judge_trace(row, rows, rules),
        )
