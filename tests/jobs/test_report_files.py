"""Files of sheets that were hidden with their trace."""

from __future__ import annotations

import asyncio
from pathlib import Path

from audittrail.clock import now_us
from audittrail.constitution import Constitution
from audittrail.jobs.drawing import ReportFiles
from audittrail.jobs.gathering import Gathering
from audittrail.jobs.reports import Reports
from audittrail.model.report import Report
from audittrail.store import reports
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from tests.live import ROOT

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
            id="rep_" + "1" * 32,
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
        running = asyncio.create_task(work.run())
        async with asyncio.timeout(30):
            while list(folder.glob(f"{sheet.id}.*")) or (await work.report(1, kept)).open:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert (await work.report(1, kept)).error == ""
        # A file that no report here is about may be another database's.
        assert {path.name for path in folder.iterdir()} >= {f"{kept}.pdf", f"{OTHER}.pdf", "notes.txt"}
        async with db.read() as conn:
            assert await reports.hidden(conn, 9) == []
            assert await reports.report(conn, 1, sheet.id) is None
