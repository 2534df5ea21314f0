"""audittrail remap: stored spans understood anew, with all that is summed up from them, and nothing else."""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from audittrail.clock import now_us
from audittrail.commands.desk import Desk
from audittrail.commands.remap import remap
from audittrail.identity.keyring import Keyring
from audittrail.identity.passwords import Passwords
from audittrail.jobs.remapping import SPANS
from audittrail.model.activity import ActivityFilter
from audittrail.model.batch import Batch, Prepared
from audittrail.model.errors import NotFound
from audittrail.model.filters import TraceFilter
from audittrail.settings import asset_folder
from audittrail.store import activity, restating, spans, traces
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.tables import projects, usage
from audittrail.store.tables import traces as trace_table
from tests.make import batch, llm, record
from tests.store.test_erasure import index

AT_US = 1_795_000_002_000_000


def trace_id(number: int) -> str:
    return f"{number:032x}"


def call(number: int, trace: int) -> Prepared:
    """A model's call, understood by a version that did not know what it was."""
    attributes = {"gen_ai.input.messages": '[{"role": "user", "content": "a zebra"}]', "gen_ai.agent.name": "clerk"}
    (known,) = batch(llm(number, trace_id=trace_id(trace), parent=1, attributes=attributes)).spans
    bare = replace(
        known.row,
        kind="other",
        agent=None,
        model=None,
        input_tokens=None,
        output_tokens=None,
        cost=None,
        cost_basis=None,
    )
    return replace(known, row=bare)


async def sums(db: Database) -> list[tuple[Any, ...]]:
    async with db.read() as conn:
        rows = await conn.execute(select(usage).order_by(*usage.primary_key.columns))
        return [tuple(row) for row in rows if any(row[4:])]


async def run(db: Database, project: str | None = None) -> str:
    passwords = Passwords()
    return await remap(Desk(db, passwords, Keyring("k" * 32, passwords)), argparse.Namespace(project=project))


async def opened(url: str) -> Database:
    db = Database(url)
    await migrate(db, asset_folder("migrations"))
    async with db.write() as conn:
        await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}, {"name": "two", "created_us": 2}])
    return db


async def found(db: Database, q: str, project: int = 1) -> list[int]:
    async with db.read() as conn:
        page = await traces.list_traces(conn, project, TraceFilter.parse(q=q, size=500), now_us())
    return sorted(int(row.trace_id, 16) for row in page.items)


async def test_what_is_understood_now_is_shown_summed_and_found(database_url: str) -> None:
    db = await opened(database_url)
    try:
        plain = batch(*(record(n, trace_id=trace_id(n), started_ns=AT_US * 1000) for n in (7, 8)))
        many = [call(n, 1) for n in range(2, SPANS + 20)]
        fresh = [batch(_whole(n)).spans[0] for n in range(2, SPANS + 20)]
        async with db.write() as conn:
            await spans.store(conn, [plain, Batch(2, tuple(fresh))], AT_US)
        async with db.write() as conn:
            await spans.store(conn, [Batch(1, tuple(many))], AT_US)
        await index(db)
        assert await found(db, "agent:clerk") == [] and await found(db, "zebra") == [1]

        said = await run(db)
        assert said.splitlines()[:2] == [
            f"one: looked at 3 traces; {len(many)} spans in 1 of them are understood otherwise now.",
            "two: looked at 1 trace; 0 spans in 0 of them are understood otherwise now.",
        ]
        assert "search" in said
        async with db.read() as conn:
            rows = await spans.rows_of_trace(conn, 1, trace_id(1))
            received = (await conn.scalars(select(trace_table.c.received_us))).all()
            noted = (await activity.list_activity(conn, [1], ActivityFilter(size=9), now_us())).items
        assert {(row.kind, row.model, row.input_tokens) for row in rows} == {("llm", "gpt-4o", 10)}
        assert all(row.cost and row.cost > Decimal(0) and row.cost_basis for row in rows)
        assert set(received) == {AT_US, AT_US + 1}, "it lives no longer for it"
        assert [(one.action, one.detail) for one in noted] == [
            ("trace.remapped", {"traces": 1, "spans": len(many), "looked_at": 3})
        ]
        assert await found(db, "agent:clerk") == [1]
        await index(db)
        assert await found(db, "zebra") == [1]
        assert "0 spans in 0 of them" in (await run(db, "one"))
    finally:
        await db.close()


def _whole(number: int) -> Any:
    attributes = {"gen_ai.input.messages": '[{"role": "user", "content": "a zebra"}]', "gen_ai.agent.name": "clerk"}
    return llm(number, trace_id=trace_id(1), parent=1, attributes=attributes)


async def test_the_sums_are_those_of_what_is_stored_whole(database_url: str) -> None:
    db = await opened(database_url)
    try:
        async with db.write() as conn:
            await spans.store(conn, [Batch(1, tuple(call(n, 1) for n in (2, 3)))], AT_US)
            await spans.store(conn, [batch(_whole(2), _whole(3), project=2)], AT_US)
        await run(db)
        found = await sums(db)
        assert [row[1:] for row in found if row[0] == 1] == [row[1:] for row in found if row[0] == 2] != []
    finally:
        await db.close()


async def test_what_came_or_went_meanwhile_is_left_alone(database_url: str) -> None:
    db = await opened(database_url)
    try:
        async with db.write() as conn:
            await spans.store(conn, [Batch(1, (call(2, 1),))], AT_US)
        row = batch(_whole(2)).spans[0].row
        async with db.write() as conn:
            assert await restating.restate(conn, 1, trace_id(1), {row.span_id: (2, row)}) == 0, "another version"
            assert await restating.restate(conn, 1, trace_id(1), {"f" * 16: (1, row)}) == 0
            assert await restating.restate(conn, 1, trace_id(5), {row.span_id: (1, row)}) == 0
            assert await restating.restate(conn, 1, trace_id(1), {row.span_id: (1, row)}) == 1
            assert await restating.restate(conn, 1, trace_id(1), {row.span_id: (1, row)}) == 0
        with pytest.raises(NotFound, match="There is: one, two"):
            await run(db, "three")
    finally:
        await db.close()
