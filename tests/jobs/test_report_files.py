"""Files of reports that were deleted, or hidden with their trace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from audittrail.clock import now_us
from audittrail.constitution import Constitution
from audittrail.jobs.drawing import ReportFiles
from audittrail.jobs.gathering import Gathering
from audittrail.jobs.reports import LEASE_US, Reports
from audittrail.model.errors import NotFound
from audittrail.model.report import Report
from audittrail.store import reports
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from tests.live import ROOT

ID = "rep_" + "1" * 32
OTHER = "rep_" + "0" * 32
TRACE = "a" * 32


async def test_those_of_a_hidden_sheet_go_with_its_row_and_no_others_do(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.db") as db:
        await migrate(db, ROOT / "migrations")
        gathering = Gathering(db, Constitution(), now_us, retention_days=90, redaction=True)
        folder = tmp_path / "reports"
        folder.mkdir()
        work = Reports(db, gathering, ReportFiles(folder), now_us)
        kept = (await work.ask(1, "audit", by="a@example.org", from_us=1, to_us=2)).id
        sheet = Report(
            id=ID,
            kind="trace",
            title="",
            trace_id=TRACE,
            from_us=0,
            to_us=0,
            status="done",
            requested_us=1,
            requested_by="a@example.org",
        )
        async with db.write() as conn:
            await reports.add(conn, 1, sheet)
            await reports.hide_sheets(conn, 1, [TRACE])
        for name in (f"{sheet.id}.pdf", f"{sheet.id}.json", f"{OTHER}.pdf", f"{kept}.pdf", "notes.txt"):
            (folder / name).write_text("x")
        running = asyncio.gather(work.run(), work.sweep())
        async with asyncio.timeout(30):
            while list(folder.glob(f"{sheet.id}.*")) or (await work.report(1, kept)).open:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert (await work.report(1, kept)).error == ""
        # A file that no report here is about may be another database's.
        assert {path.name for path in folder.iterdir()} >= {f"{kept}.pdf", f"{OTHER}.pdf", "notes.txt"}
        async with db.read() as conn:
            assert await reports.hidden(conn, now_us(), 9) == []
            assert await reports.report(conn, 1, sheet.id) is None


async def test_what_a_killed_process_left_of_a_report_that_was_deleted_goes_when_its_lease_is_over(
    tmp_path: Path,
) -> None:
    now = [now_us()]
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.db") as db:
        await migrate(db, ROOT / "migrations")
        gathering = Gathering(db, Constitution(), now_us, retention_days=90, redaction=True)
        folder = tmp_path / "reports"
        folder.mkdir()
        work = Reports(db, gathering, ReportFiles(folder), lambda: now[0])
        made = (await work.ask(1, "audit", by="a@example.org", from_us=1, to_us=2)).id
        async with db.write() as conn:
            assert await reports.leases.claim(conn, now[0], now[0] + 10) == (1, made)
        await work.delete(1, made, "a@example.org")
        with pytest.raises(NotFound):
            await work.delete(1, made, "a@example.org")
        (folder / f"{made}.ab.in").write_text("what was said")
        for at_us, left in ((now[0] + 9, 1), (now[0] + 10, 0)):
            now[0] = at_us
            sweeping = asyncio.create_task(work.sweep())
            async with asyncio.timeout(30):
                while True:
                    await asyncio.sleep(0.1)
                    async with db.read() as conn:
                        if len(await reports.hidden(conn, now[0] + LEASE_US, 9)) == left:
                            break
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            assert len(list(folder.iterdir())) == left
