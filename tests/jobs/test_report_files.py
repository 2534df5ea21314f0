"""Files of reports whose row is gone: deleted with a trace, or with their time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from audittrail.clock import now_us
from audittrail.constitution import Constitution
from audittrail.jobs.drawing import ReportFiles
from audittrail.jobs.gathering import Gathering
from audittrail.jobs.reports import Reports
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from tests.live import ROOT

GONE = "rep_" + "0" * 32


async def test_they_are_swept_and_nothing_else_is(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.db") as db:
        await migrate(db, ROOT / "migrations")
        gathering = Gathering(db, Constitution(), now_us, retention_days=90, redaction=True)
        folder = tmp_path / "reports"
        folder.mkdir()
        work = Reports(db, gathering, ReportFiles(folder), now_us)
        kept = (await work.ask(1, "audit", by="a@example.org", from_us=1, to_us=2)).id
        for name in (f"{GONE}.pdf", f"{GONE}.json", f"{GONE}.0a.in", f"{kept}.pdf", "notes.txt", "rep_mine.pdf"):
            (folder / name).write_text("x")
        running = asyncio.create_task(work.run())
        async with asyncio.timeout(30):
            while list(folder.glob(f"{GONE}.*")) or (await work.report(1, kept)).open:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert (await work.report(1, kept)).error == ""
        assert {path.name for path in folder.iterdir()} >= {f"{kept}.pdf", "notes.txt", "rep_mine.pdf"}
