"""Any versions of any spans, delivered in any order, cut anywhere, repeated: one picture."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from audittrail.model import record as records_model
from audittrail.model.record import SpanRecord
from audittrail.settings import asset_folder
from audittrail.store import spans, traces
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.tables import projects, records
from tests.make import batch, span_id

Keeper = tuple[asyncio.Runner, Database]
_trace = itertools.count(1)

versions = st.lists(
    st.fixed_dictionaries(
        {
            "span_id": st.integers(1, 4).map(span_id),
            "parent_id": st.one_of(st.none(), st.integers(1, 5).map(span_id)),
            "name": st.sampled_from(["a", "b"]),
            "started_ns": st.integers(0, 3).map(lambda n: n * 1_000_000),
            "ended_ns": st.one_of(st.none(), st.integers(1, 5).map(lambda n: n * 1_000_000)),
            "status_code": st.sampled_from([0, 2]),
            "attributes": st.sampled_from(
                [
                    {},
                    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7},
                    {"openinference.span.kind": "AGENT"},
                ]
            ),
        }
    ),
    min_size=1,
    max_size=10,
)


@pytest.fixture
def keeper(database_url: str) -> Iterator[Keeper]:
    """A database and the loop it lives in: hypothesis runs its examples in plain functions."""
    with asyncio.Runner() as runner:
        db = Database(database_url)
        runner.run(migrate(db, asset_folder("migrations")))

        async def add_project() -> None:
            async with db.write() as conn:
                await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}])

        runner.run(add_project())
        yield runner, db
        runner.run(db.close())


async def picture(db: Database, deliveries: list[list[SpanRecord]]) -> tuple[bytes, int]:
    """What stands there after these deliveries to a trace of its own, without that trace's id and times of arrival."""
    trace_id = f"{next(_trace):032x}"
    for delivery in deliveries:
        sent = [msgspec.structs.replace(one, trace_id=trace_id) for one in delivery]
        async with db.write() as conn:
            await spans.store(conn, [batch(*sent)], 1)
    async with db.read() as conn:
        row = await traces.trace(conn, 1, trace_id, 2**62)
        rows = sorted(await spans.rows_of_trace(conn, 1, trace_id), key=lambda r: r.span_id)
        kept = await conn.scalar(select(func.count()).select_from(records).where(records.c.trace_id == trace_id))
    return msgspec.json.encode([row, rows]).replace(trace_id.encode(), b""), int(kept or 0)


@given(versions, st.randoms(use_true_random=False), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_the_cuts_and_the_repeats_do_not_matter(
    keeper: Keeper, sent: Any, rng: Any, data: st.DataObject
) -> None:
    runner, db = keeper
    arrived = [SpanRecord(trace_id="0" * 32, **fields) for fields in sent]
    again = arrived + data.draw(st.lists(st.sampled_from(arrived), max_size=6))
    rng.shuffle(again)
    cut = data.draw(st.integers(1, len(again)))
    deliveries = [again[i : i + cut] for i in range(0, len(again), cut)]
    first, kept = runner.run(picture(db, [arrived]))
    assert runner.run(picture(db, deliveries)) == (first, kept)
    assert kept == len({records_model.encode(one) for one in arrived})
