"""Reports asked for: taken up one at a time, gathered, composed, drawn with progress; and deleted with their files."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from audittrail.jobs.bell import Bell
from audittrail.jobs.drawing import ReportFiles
from audittrail.jobs.gathering import Gathering
from audittrail.model.errors import AuditTrailError, Conflict, NotFound, Unavailable, where
from audittrail.model.report import Report, ReportKind, check_range
from audittrail.store import activity, reports, traces
from audittrail.store.database import Database

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5  # between two reports of progress
SWEEP_SECONDS = 30.0  # how soon the files of hidden reports go; nobody is given them meanwhile
SWEEP_AT_ONCE = 500
LEASE_US = 15_000_000
MAX_OPEN = 20  # of a project
_TITLES: dict[ReportKind, str] = {"audit": "Audit report", "period": "Period report", "trace": "Sheet of a trace"}


class _Work:
    """One report in the making, as whoever makes it and whoever tells of it share it."""

    def __init__(self) -> None:
        self.done = self.total = 0

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class Reports:
    """`ask` orders one, `wait` returns when it is made; `run()` and `sweep()` are the tasks that make and clear up."""

    def __init__(self, db: Database, gathering: Gathering, files: ReportFiles, now_us: Callable[[], int]) -> None:
        self._db = db
        self._gathering = gathering
        self.files = files
        self._now_us = now_us
        self._bell = Bell()

    async def ask(
        self,
        project_id: int,
        kind: ReportKind,
        *,
        by: str,
        from_us: int = 0,
        to_us: int = 0,
        trace_id: str = "",
        title: str = "",
    ) -> Report:
        """A new one. Of a trace, the range is the trace's own.

        Raises Invalid, NotFound for a trace that is not there, and Unavailable where too many wait.
        """
        now_us = self._now_us()
        if kind != "trace":
            check_range(from_us, to_us)
        async with self._db.write() as conn:
            if kind == "trace":
                trace = await traces.hold(conn, project_id, trace_id, now_us)
                if trace is None:
                    raise NotFound("No trace of this project has that id.")
                from_us = trace.started_us
                to_us = max(from_us, now_us if trace.ended_us is None else trace.ended_us) + 1
                title = title or f"{_TITLES[kind]}: {trace.name[:120] or '(unnamed)'}"
            report = Report(
                id="rep_" + secrets.token_hex(16),
                kind=kind,
                title=title or _TITLES[kind],
                trace_id=trace_id,
                from_us=from_us,
                to_us=to_us,
                requested_us=now_us,
                requested_by=by,
            )
            if await reports.leases.open(conn, project_id) >= MAX_OPEN:
                raise Unavailable(f"{MAX_OPEN} reports of this project wait to be made; ask again later.", 5)
            await reports.add(conn, project_id, report)
            about = {"trace": trace_id} if trace_id else {"from_us": from_us, "to_us": to_us}
            await activity.note(
                conn, now_us, by, "report.created", report.id, project_id=project_id, kind=kind, **about
            )
        self._bell.ring()
        return report

    async def report(self, project_id: int, id_: str) -> Report:
        """As it stands. Raises NotFound."""
        async with self._db.read() as conn:
            found = await reports.report(conn, project_id, id_)
        if found is None:
            raise NotFound("No report of this project has that id. It may have been deleted.")
        return found

    async def wait(self, project_id: int, id_: str, seconds: float) -> Report:
        """The report once it has ended, or as it is after so many seconds. Raises NotFound."""
        return await self._bell.until(lambda: self.report(project_id, id_), lambda one: not one.open, seconds)

    async def delete(self, project_id: int, id_: str, by: str) -> None:
        """With its files, whatever it does just now. Raises NotFound, and Conflict where they cannot be removed."""
        now_us = self._now_us()
        async with self._db.write() as conn:
            found = await reports.report(conn, project_id, id_)
            if found is None or not await reports.hide(conn, project_id, id_):
                raise NotFound("No report of this project has that id. It may have been deleted.")
            await activity.note(
                conn, now_us, by, "report.deleted", id_, project_id=project_id, kind=found.kind, sha256=found.sha256
            )
            # Now, so that whoever deletes it hears when they cannot be. What somebody who is making it, and is killed
            # before hearing of this, may leave of it is swept.
            try:
                await asyncio.to_thread(self.files.remove, id_)
            except OSError as error:
                raise Conflict(
                    f"The report's files cannot be deleted: {error.strerror}. Nothing was changed."
                ) from error
        self._bell.ring()

    async def run(self) -> None:
        """Goes on until cancelled: takes up what waits, oldest first."""
        while True:
            rung = self._bell.listen()
            now_us = self._now_us()
            async with self._db.read() as conn:
                waits = await reports.leases.any_waits(conn, now_us)
            if not waits:
                await self._bell.pause(rung)
                continue
            async with self._db.write() as conn:
                claimed = await reports.leases.claim(conn, now_us, now_us + LEASE_US)
                found = await reports.report(conn, *claimed) if claimed else None
            if claimed and found:
                await self._make(claimed[0], found)

    async def sweep(self) -> None:
        """Goes on until cancelled: removes the files of reports that were deleted, or went with their trace, and
        then their rows. Only what the database names: a file of no report may belong to another database."""
        while True:
            async with self._db.read() as conn:
                gone = await reports.hidden(conn, self._now_us(), SWEEP_AT_ONCE)
            for project_id, id_ in gone:
                with contextlib.suppress(OSError):  # it is tried again
                    await asyncio.to_thread(self.files.remove, id_)
                    async with self._db.write() as conn:
                        await reports.remove(conn, project_id, id_)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _make(self, project_id: int, report: Report) -> None:
        work = _Work()
        making = asyncio.create_task(self._made(project_id, report, work))
        try:
            while not (await asyncio.wait([making], timeout=TICK_SECONDS))[0]:
                async with self._db.write() as conn:
                    lease = self._now_us() + LEASE_US
                    mine = await reports.leases.renew(conn, project_id, report.id, work.done, work.total, lease)
                self._bell.ring()
                if not mine:  # deleted, or taken up by another process
                    making.cancel()
            ending = None if making.cancelled() else making.result()
        except BaseException:
            # The server stops, or the database does not answer: nobody would hear of what is made.
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
            with contextlib.suppress(Unavailable):  # else its lease runs out
                async with self._db.write() as conn:
                    await reports.leases.release(conn, project_id, report.id)
            raise
        await self._finish(project_id, report.id, ending)
        self._bell.ring()

    async def _finish(self, project_id: int, id_: str, ending: dict[str, Any] | None) -> None:
        async with self._db.write() as conn:
            if ending is not None:
                await reports.leases.finish(conn, project_id, id_, ending | {"finished_us": self._now_us()})
            gone = await reports.report(conn, project_id, id_) is None
        if gone:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self.files.remove, id_)

    async def _made(self, project_id: int, report: Report, work: _Work) -> dict[str, Any]:
        """What the row is to say at the end. Never raises but for cancellation."""
        try:
            await asyncio.to_thread(self.files.remove, report.id)  # what a process left that ended while it made this
            document = await self._gathering.document(project_id, report)
            drawn = await self.files.draw(report.id, document, work.progress)
        except AuditTrailError as error:
            return {"status": "failed", "error": str(error)}
        except Exception as error:  # noqa: BLE001 - it is told to whoever asked, and the next is taken up
            log.error("Report %s failed: %s", report.id, where(error))
            return {"status": "failed", "error": "An error that AuditTrail did not expect; its log says where."}
        counted = {"done": work.done, "total": work.total}
        return {"status": "done", "error": ""} | counted | msgspec.structs.asdict(drawn)

    def close(self) -> None:
        """Lets everyone go who waits: the server is about to stop."""
        self._bell.close()
