"""What log records say of spans: joined whichever came first, again when the span comes again, forgotten in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select

from audittrail.constitution import Constitution
from audittrail.ingest.pipeline import prepare
from audittrail.jobs import joining
from audittrail.jobs.joining import Joining
from audittrail.model.batch import Batch, Fragment
from audittrail.model.record import Event, SpanRecord, decode, encode
from audittrail.settings import asset_folder
from audittrail.store import fragments, refusals, spans
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.tables import fragments as table
from audittrail.store.tables import projects
from audittrail.store.writer import Writer
from tests.make import TRACE, batch, record, span_id

NOW_US = 1_795_000_000_000_000


@asynccontextmanager
async def joined(url: str, clock: list[int]) -> AsyncIterator[tuple[Database, Writer, Joining]]:
    """A database with a writer and the job beside it."""
    async with Database(url) as db:
        await migrate(db, asset_folder("migrations"))
        async with db.write() as conn:
            await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}, {"name": "two", "created_us": 2}])
        writer = Writer(db, lambda: clock[0], max_pending_bytes=1 << 24)
        job = Joining(db, writer, Constitution(), lambda: clock[0])
        tasks = [asyncio.create_task(writer.run()), asyncio.create_task(job.run())]
        try:
            yield db, writer, job
        finally:
            tasks[1].cancel()
            await writer.close()
            await asyncio.gather(*tasks, return_exceptions=True)


def said(number: int, *texts: str, project: int = 1) -> Batch:
    """What log records say of a span."""
    events = tuple(Event("gen_ai.user.message", n, {"content": text}) for n, text in enumerate(texts))
    one = SpanRecord(trace_id=TRACE, span_id=span_id(number), events=events)
    return Batch(project, (), (Fragment(TRACE, span_id(number), encode(one)),))


async def texts(db: Database, number: int, project: int = 1) -> list[str]:
    async with db.read() as conn:
        found = await spans.record_of(conn, project, TRACE, span_id(number))
    return [event.attributes["content"] for event in decode(found.record).events] if found else []


async def settled(db: Database) -> None:
    """Until nothing waits."""
    for _ in range(500):
        async with db.read() as conn:
            if not await conn.scalar(select(func.count()).select_from(table).where(table.c.waiting > 0)):
                return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not settle")


@pytest.mark.parametrize("first", ["span", "logs"])
async def test_whichever_comes_first(database_url: str, first: str) -> None:
    async with joined(database_url, [NOW_US]) as (db, writer, job):
        for step in ("span", "logs") if first == "span" else ("logs", "span"):
            await writer.submit(batch(record(1)) if step == "span" else said(1, "a", "b"))
            job.ring()
            await settled(db)
        assert await texts(db, 1) == ["a", "b"]
        assert await texts(db, 1, project=2) == []


async def test_again_with_more_and_with_a_span_that_comes_again(database_url: str) -> None:
    async with joined(database_url, [NOW_US]) as (db, writer, job):
        await writer.submit(batch(record(1, ended_ns=None)))
        await writer.submit(said(1, "a"))
        await settled(db)
        assert await texts(db, 1) == ["a"]
        await writer.submit(batch(record(1, attributes={"ended": True})))  # without them, and the greater one
        job.ring()
        await settled(db)
        assert await texts(db, 1) == ["a"]
        for _ in range(3):
            await writer.submit(said(1, "a", "b"))
            job.ring()
        await settled(db)
        assert await texts(db, 1) == ["a", "b"]
        async with db.read() as conn:
            shown = await spans.record_of(conn, 1, TRACE, span_id(1))
        assert shown is not None and decode(shown.record).attributes == {"ended": True}
        assert shown.versions == 5, "running, joined, ended, joined, joined with more"


async def test_many_at_once_and_only_their_own(database_url: str) -> None:
    async with joined(database_url, [NOW_US]) as (db, writer, job):
        await asyncio.gather(*(writer.submit(said(n, f"of {n}")) for n in range(1, 201)))
        await writer.submit(batch(*(record(n) for n in range(1, 401))))
        await writer.submit(batch(*(record(n) for n in range(1, 3)), project=2))
        job.ring()
        await settled(db)
        for n in (1, 2, 77, 200):
            assert await texts(db, n) == [f"of {n}"]
        assert await texts(db, 201) == [] and await texts(db, 1, project=2) == []


async def test_what_never_finds_its_span_is_forgotten_and_counted(database_url: str) -> None:
    clock = [NOW_US]
    async with joined(database_url, clock) as (db, writer, job):
        await writer.submit(batch(record(1)))
        await writer.submit(said(1, "a"))
        await writer.submit(said(2, "b"))
        await settled(db)
        clock[0] += joining.KEPT_US
        await writer.submit(said(3, "c"))
        clock[0] += 1
        sweeping = asyncio.create_task(job.sweep())
        for _ in range(500):
            async with db.read() as conn:
                left = set((await conn.scalars(select(table.c.span_id))).all())
            if left == {span_id(3)}:
                break
            await asyncio.sleep(0.02)
        assert left == {span_id(3)}
        sweeping.cancel()
        await writer.close()
        await asyncio.sleep(0.3)
        async with db.read() as conn:
            counted = await refusals.recent(conn, 1)
        assert [(one.signal, one.reason, one.spans) for one in counted] == [("logs", joining.NEVER_CAME, 1)]
        assert await texts(db, 1) == ["a"], "it is part of the span"


async def test_settling_keeps_what_came_meanwhile(database_url: str) -> None:
    async with Database(database_url) as db:
        await migrate(db, asset_folder("migrations"))
        async with db.write() as conn:
            await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}])
            await fragments.keep(conn, [said(1, "a")], NOW_US)
            await fragments.keep(conn, [said(1, "a")], NOW_US)
        async with db.read() as conn:
            looked_at = await fragments.waiting(conn, 10)
        assert [one.waiting for one in looked_at] == [1]
        async with db.write() as conn:
            await fragments.keep(conn, [Batch(1, prepare([record(1)]))], NOW_US)
            await fragments.settle(conn, looked_at)
        async with db.read() as conn:
            assert [one.waiting for one in await fragments.waiting(conn, 10)] == [1]
