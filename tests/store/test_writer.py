"""The writer: acknowledged means committed, full means 503, and one bad span harms no other."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select

from audittrail.clock import now_us
from audittrail.model.batch import Batch
from audittrail.model.errors import Unavailable
from audittrail.settings import asset_folder
from audittrail.store import refusals
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.tables import projects, spans
from audittrail.store.writer import Writer
from tests.make import batch, record


async def count(db: Database) -> int:
    async with db.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(spans)) or 0)


def poisoned(one: Batch, index: int) -> Batch:
    """With a row that neither database can take: a number beyond 64 bits."""
    bad = one.spans[index]
    bad = msgspec.structs.replace(bad, row=msgspec.structs.replace(bad.row, input_tokens=2**70))
    return Batch(one.project_id, (*one.spans[:index], bad, *one.spans[index + 1 :]))


async def test_many_requests_are_stored_when_their_answers_come(db: Database) -> None:
    writer = Writer(db, now_us, max_pending_bytes=1 << 20)
    running = asyncio.create_task(writer.run())
    requests = [batch(record(n, trace_id=f"{n:032x}")) for n in range(1, 41)]
    assert await asyncio.gather(*(writer.submit(one) for one in requests)) == [[]] * 40
    assert await count(db) == 40
    await writer.close()
    await asyncio.wait_for(running, 5)


async def test_what_waits_is_written_before_the_writer_ends(db: Database) -> None:
    writer = Writer(db, now_us, max_pending_bytes=1 << 20)
    waiting = [asyncio.create_task(writer.submit(batch(record(n)))) for n in range(1, 6)]
    await asyncio.sleep(0)
    await writer.close()
    await asyncio.wait_for(writer.run(), 5)
    assert await asyncio.gather(*waiting) == [[]] * 5
    assert await count(db) == 5
    with pytest.raises(Unavailable):
        await writer.submit(batch(record(9)))


async def test_a_full_queue_says_come_again_and_keeps_its_word(db: Database) -> None:
    writer = Writer(db, now_us, max_pending_bytes=1 << 20, max_pending_spans=3)
    accepted = [asyncio.create_task(writer.submit(batch(record(n)))) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await writer.submit(batch(record(4)))
    assert refused.value.retry_after == 1
    assert writer.state().busy_answers == 1
    running = asyncio.create_task(writer.run())
    await asyncio.gather(*accepted)
    await writer.submit(batch(record(4)))
    assert await count(db) == 4
    await writer.close()
    await running


async def test_bytes_are_bounded_too_but_one_large_request_always_fits(db: Database) -> None:
    writer = Writer(db, now_us, max_pending_bytes=10_000)
    large = asyncio.create_task(writer.submit(batch(record(1, attributes={"text": "x" * 50_000}))))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await writer.submit(batch(record(2)))
    await writer.close()
    await writer.run()
    assert await large == []


async def test_a_poison_span_is_refused_alone(db: Database) -> None:
    writer = Writer(db, now_us, max_pending_bytes=1 << 20)
    running = asyncio.create_task(writer.run())
    good = batch(*[record(n, trace_id="1" * 32) for n in range(1, 8)])
    bad = poisoned(batch(*[record(n, trace_id="2" * 32) for n in range(1, 8)]), 4)
    answers = await asyncio.gather(writer.submit(good), writer.submit(bad))
    assert answers[0] == []
    assert [refusal.where for refusal in answers[1]] == [f"span {5:016x}"]
    assert await count(db) == 13
    await writer.close()
    await running
    async with db.read() as conn:
        counted = await refusals.recent(conn, 1)
    assert [(one.spans, one.requests) for one in counted] == [(1, 1)]


async def test_refusals_are_added_up_by_reason_and_hour(db: Database) -> None:
    writer = Writer(db, now_us, max_pending_bytes=1 << 20)
    writer.count_refused(1, "traces", ["no id", "no id", "other"])
    writer.count_refused(1, "traces", ["no id"])
    writer.count_refused_request(1, "traces", "too large")
    writer.count_refused(2, "traces", ["elsewhere"])
    await writer.close()
    await writer.run()
    async with db.read() as conn:
        found = {one.reason: (one.spans, one.requests) for one in await refusals.recent(conn, 1)}
    assert found == {"no id": (3, 2), "other": (1, 1), "too large": (0, 1)}


async def test_a_full_disk_is_unavailable_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    async with Database(f"sqlite+aiosqlite:///{folder}/a.db") as db:
        await migrate(db, asset_folder("migrations"))
        async with db.write() as conn:
            await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}])
            # What a full disk says, from SQLite itself: no page may be added.
            pages = (await conn.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        writer = Writer(db, now_us, max_pending_bytes=1 << 20)
        running = asyncio.create_task(writer.run())
        one = batch(record(1, attributes={"text": os.urandom(100_000).hex()}))
        with pytest.raises(Unavailable):
            await writer.submit(one)
        assert writer.state().failing
        async with db.write() as conn:
            await conn.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert await writer.submit(one) == []
        assert not writer.state().failing
        assert await count(db) == 1
        await writer.close()
        await running
