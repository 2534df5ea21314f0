"""What an audit report is made from: all that belongs to its project, and nothing that belongs to others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audittrail.constitution import Constitution
from audittrail.jobs.gathering import Gathering
from audittrail.model.approval import ApprovalRequest
from audittrail.model.filters import MAX_PAGE_SIZE
from audittrail.model.report import Report
from audittrail.store import activity, approvals, spans
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.tables import projects
from tests.live import ROOT
from tests.make import TRACE, batch, record
from tests.report.composing import approval, report

HERE = "ann@example.org"
ELSEWHERE = "eve@example.org"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.db") as database:
        await migrate(database, ROOT / "migrations")
        async with database.write() as conn:
            await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}, {"name": "two", "created_us": 2}])
        yield database


def gathering(db: Database, most_rows: int = 100) -> Gathering:
    return Gathering(db, Constitution(), lambda: 2_000, retention_days=90, redaction=True, most_rows=most_rows)


def over(**fields: int | str) -> Report:
    return report(**{"from_us": 0, "to_us": 1_000} | fields)


async def test_activity_is_of_the_project_its_people_and_what_changed_for_all(db: Database) -> None:
    async with db.write() as conn:
        await activity.note(conn, 1, HERE, "key.created", "pk-at-1", project_id=1, name="n")
        await activity.note(conn, 2, ELSEWHERE, "key.created", "pk-at-2", project_id=2)
        await activity.note(conn, 3, "system", "rules.changed", "abc")
        await activity.note(conn, 4, "system", "server.started", version="1")
        await activity.note(conn, 5, HERE, "auth.signed_in", HERE, address="192.0.2.1")
        await activity.note(conn, 6, ELSEWHERE, "auth.signed_in", ELSEWHERE, address="192.0.2.2")
        await activity.note(conn, 7, HERE, "account.created", ELSEWHERE, role="member")
        await activity.note(conn, 8, ELSEWHERE, "account.role_changed", HERE, role="admin", before="member")
    found = await gathering(db).audit(1, over())
    assert [(one.at_us, one.detail) for one in found.activity] == [
        (8, {}),
        (5, {}),
        (4, {"version": "1"}),
        (3, {}),
        (1, {"name": "n"}),
    ]
    assert found.left_out["activity"] == 0


async def test_what_others_did_takes_no_room_and_is_not_counted(db: Database) -> None:
    async with db.write() as conn:
        for n in range(9):
            await activity.note(conn, 100 + n, ELSEWHERE, "auth.signed_in", ELSEWHERE)
        for n in range(3):
            await activity.note(conn, n, HERE, "key.created", str(n), project_id=1)
            await activity.note(conn, 10 + n, "system", "rules.changed", str(n))
            await activity.note(conn, 20 + n, HERE, "auth.signed_in", HERE)
    found = await gathering(db, most_rows=9).audit(1, over())
    assert (len(found.activity), found.left_out["activity"]) == (9, 0)
    found = await gathering(db, most_rows=7).audit(1, over())
    assert [one.at_us for one in found.activity] == [22, 21, 20, 12, 11, 10, 2] and found.left_out["activity"] == 2


async def test_a_sheet_has_every_approval_of_its_trace(db: Database) -> None:
    async with db.write() as conn:
        await spans.store(conn, [batch(record())], 1_000)
        for n in range(MAX_PAGE_SIZE + 1):
            one: ApprovalRequest = approval(id=f"apr_{n:032x}", trace_id=TRACE, span_id="1" * 16, requested_us=n)
            await approvals.add(conn, 1, f"{n:064x}", f"{n:064x}", one)
    found = await gathering(db, most_rows=10_000).trace(1, report("trace", trace_id=TRACE))
    assert len(found.approvals) == MAX_PAGE_SIZE + 1
