"""Storing spans: once, whatever the order and the number of deliveries."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from sqlalchemy import func, select

from audittrail.model import record as records_model
from audittrail.model.batch import Batch
from audittrail.model.summary import TraceRow
from audittrail.store import spans, traces
from audittrail.store.database import Database
from audittrail.store.tables import records
from tests.make import TRACE, batch, llm, record, span_id

LATER = 2_000_000_000_000_000


async def put(db: Database, *batches: Batch, at: int = 1) -> int:
    async with db.write() as conn:
        return await spans.store(conn, batches, at)


async def trace_of(db: Database, project: int = 1) -> TraceRow:
    async with db.read() as conn:
        found = await traces.trace(conn, project, TRACE, LATER)
    assert found is not None
    return found


async def count_records(db: Database) -> int:
    async with db.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(records)) or 0)


async def test_a_span_comes_back_as_the_exact_bytes_it_was_kept_as(db: Database) -> None:
    sent = record(1, name="näme \U0001f600", attributes={"a": [1, {"b": "\\u0000"}], "big": 2**63 - 1})
    assert await put(db, batch(sent)) == 1
    async with db.read() as conn:
        stored = await spans.record_of(conn, 1, TRACE, span_id(1))
        assert stored is not None
        assert stored.record == records_model.encode(sent)
        assert records_model.decode(stored.record) == sent
        assert (stored.version, stored.versions) == (1, 1)
        salts = (await conn.scalars(select(records.c.salt))).all()
    assert [len(salt) for salt in salts] == [spans.SALT_BYTES]


async def test_a_retried_request_changes_nothing(db: Database) -> None:
    one = batch(record(1), llm(2, parent=1))
    assert await put(db, one, at=1) == 2
    before = await trace_of(db)
    assert await put(db, one, at=2) == 0
    assert await put(db, one, one, at=3) == 0
    assert await trace_of(db) == before
    assert before.input_tokens == 10
    assert await count_records(db) == 2


async def test_the_ended_version_wins_and_usage_counts_once(db: Database) -> None:
    running = llm(1, ended_ns=None, tokens=(10, 0))
    ended = llm(1, tokens=(10, 7))
    for order in itertools.permutations([running, ended, ended]):
        project = 1
        async with db.write() as conn:
            await conn.execute(records.delete())
            await conn.exec_driver_sql("DELETE FROM spans")
            await conn.exec_driver_sql("DELETE FROM traces")
        for one in order:
            await put(db, batch(one, project=project))
        row = await trace_of(db)
        assert (row.input_tokens, row.output_tokens, row.llm_calls, row.span_count) == (10, 7, 1, 1)
        assert row.status == "ok"
        assert await count_records(db) == 2, "both versions are kept, the repeat is not"


async def test_any_order_and_any_cut_of_deliveries_ends_in_the_same_trace(db: Database) -> None:
    sent = [
        record(1, attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bars"}),
        llm(2, parent=1),
        llm(3, parent=2, tokens=(4, 4)),
        record(4, parent=1, status_code=2, status_message="boom"),
        record(5, parent=99),
        record(4, parent=1, ended_ns=None),
        llm(2, parent=1, ended_ns=None, tokens=(1, 0)),
    ]
    pictures = set()
    for seed in range(12):
        rng = random.Random(seed)
        order = sent * 2
        rng.shuffle(order)
        async with db.write() as conn:
            for table in ("records", "spans", "traces"):
                await conn.exec_driver_sql(f"DELETE FROM {table}")
        while order:
            cut = rng.randint(1, 4)
            await put(db, batch(*order[:cut]))
            order = order[cut:]
        row = await trace_of(db)
        async with db.read() as conn:
            rows = sorted(await spans.rows_of_trace(conn, 1, TRACE), key=lambda r: r.span_id)
        pictures.add(msgspec.json.encode([msgspec.structs.replace(row, received_us=0), rows]))
        assert await count_records(db) == 7
    assert len(pictures) == 1


async def test_one_span_id_twice_in_one_request_is_one_span_with_both_versions_kept(db: Database) -> None:
    await put(db, batch(record(1, name="short"), record(1, name="longer", attributes={"a": 1})))
    row = await trace_of(db)
    assert (row.span_count, row.name) == (1, "longer")
    async with db.read() as conn:
        stored = await spans.record_of(conn, 1, TRACE, span_id(1))
    assert stored is not None
    assert stored.versions == 2


async def test_projects_share_a_trace_id_without_meeting(db: Database) -> None:
    await put(db, batch(record(1, name="mine"), project=1), batch(record(1, name="yours"), project=2))
    assert (await trace_of(db, 1)).name == "mine"
    assert (await trace_of(db, 2)).name == "yours"


async def test_a_trace_is_running_until_its_root_ended_and_it_was_quiet(db: Database) -> None:
    async def status(now: int) -> str:
        async with db.read() as conn:
            row = await traces.trace(conn, 1, TRACE, now)
        assert row is not None
        return row.status

    await put(db, batch(record(2, parent=1)), at=1_000_000)
    assert await status(20_000_000) == "running", "the root may still come"
    await put(db, batch(record(1, ended_ns=None)), at=2_000_000)
    assert await status(LATER) == "running"
    await put(db, batch(record(1, status_code=2)), at=10_000_000)
    assert await status(11_000_000) == "running"
    assert await status(15_000_001) == "error"
    await put(db, batch(record(3, parent=1)), at=60_000_000)
    assert await status(61_000_000) == "running", "a late span makes it live again"
    assert await status(65_000_001) == "error"


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_the_spans_of_a_trace_are_read_page_by_page(db: Database, size: int) -> None:
    await put(db, batch(*[record(n, parent=1 if n > 1 else None, started_ns=5_000) for n in range(1, 8)]))
    seen: list[str] = []
    after = None
    async with db.read() as conn:
        while found := await spans.records_of_trace(conn, 1, TRACE, after, size):
            seen += [row.span_id for row, _ in found]
            after = (found[-1][0].started_us, found[-1][0].span_id)
    assert seen == [span_id(n) for n in range(1, 8)]
