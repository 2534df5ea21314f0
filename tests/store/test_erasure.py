"""Deleting for good: nothing of it is left anywhere, nothing else is touched, and sums are those of what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select

from audittrail.clock import now_us
from audittrail.jobs import erasure as erasure_job
from audittrail.jobs.erasure import Erasure
from audittrail.jobs.search import SearchIndex
from audittrail.model.activity import ActivityFilter
from audittrail.model.batch import Batch, Fragment
from audittrail.model.errors import NotFound
from audittrail.model.filters import TraceFilter
from audittrail.model.record import Event, SpanRecord, encode
from audittrail.store import activity, erasure, fragments, retention, search, space, spans, tombstones, traces
from audittrail.store.columns import metadata
from audittrail.store.database import Database
from audittrail.store.packing import unpack
from audittrail.store.tables import approvals, usage
from audittrail.store.writer import Writer
from tests.make import batch, record

CANARY = "zanzibarquokka"
WHO = "ann@example.org"


def trace_id(number: int) -> str:
    return f"{number:032x}"


def told(number: int, trace: int, said: str = "hello", **more: Any) -> SpanRecord:
    attributes = {"output.value": said, "session.id": more.pop("session", "s1"), "gen_ai.agent.name": "bars"}
    return record(number, trace_id=trace_id(trace), attributes=attributes, parent=None if number == 1 else 1, **more)


def logs(trace: int, number: int) -> Batch:
    """What log records say of a span."""
    said = CANARY if trace == 1 else f"of trace {trace}"
    one = record(number, trace_id=trace_id(trace), events=(Event("gen_ai.choice", 1, {"content": said}),))
    return Batch(1, (), (Fragment(one.trace_id, one.span_id, encode(one)),))


async def keep(db: Database, *records: SpanRecord, project: int = 1, at_us: int | None = None) -> None:
    async with db.write() as conn:
        await spans.store(conn, [batch(*records, project=project)], at_us or now_us())


async def index(db: Database) -> None:
    """Until search knows all."""
    task = asyncio.create_task(SearchIndex(db, now_us, lambda: False).run())
    try:
        async with asyncio.timeout(30):
            while True:
                async with db.read() as conn:
                    if not await search.find_waiting(conn, 0, 10):
                        return
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def job(db: Database) -> Erasure:
    return Erasure(db, now_us, lambda: False)


async def listed(db: Database, project: int = 1, q: str = "") -> list[int]:
    async with db.read() as conn:
        page = await traces.list_traces(conn, project, TraceFilter.parse(q=q, size=500), now_us())
    return sorted(int(row.trace_id, 16) for row in page.items)


async def tables_with(db: Database, canary: str) -> set[str]:
    """The tables in which any text or bytes hold it."""
    found: set[str] = set()
    async with db.read() as conn:
        for table in metadata.tables.values():
            for row in (await conn.execute(select(table))).mappings():
                for column in table.columns:
                    value = row[column.name]
                    if isinstance(column.type, LargeBinary) and column.name == "record" and value is not None:
                        value = unpack(value).decode(errors="replace")
                    if canary in str(value):
                        found.add(table.name)
        if not db.is_sqlite:
            rows = (await conn.exec_driver_sql("SELECT words FROM search_text")).scalars()
            found |= {"search_text" for words in rows if canary in words}
    return found


def files_with(db: Database, canary: str) -> list[str]:
    """SQLite's own files that hold these bytes."""
    if db.file is None:
        return []
    files = [Path(f"{db.file}{end}") for end in ("", "-wal", "-journal")]
    return [file.name for file in files if file.exists() and canary.encode() in file.read_bytes()]


async def sums(db: Database, project: int = 1) -> list[tuple[Any, ...]]:
    async with db.read() as conn:
        query = select(usage).where(usage.c.project_id == project).order_by(*usage.primary_key.columns)
        return [tuple(row) for row in await conn.execute(query)]


async def test_a_deleted_trace_leaves_no_word_anywhere_and_takes_nothing_else_along(db: Database) -> None:
    others = [told(n, trace, f"tea for {trace}") for trace in (2, 3) for n in (1, 2, 3)]
    await keep(db, *others)
    await keep(db, *others[:3], project=2)
    await index(db)
    before, elsewhere = await sums(db), await sums(db, 2)
    await keep(db, *(told(n, 1, f"a {CANARY} said {CANARY}{n}", name=f"{CANARY} {n}") for n in (1, 2, 3, 4)))
    await keep(db, told(2, 1, f"and {CANARY} again", name=CANARY))  # another version of a span
    await keep(db, told(1, 1, f"elsewhere {CANARY}"), project=2)
    async with db.write() as conn:
        await fragments.keep(conn, [logs(1, 2), logs(1, 99), logs(2, 2)], now_us())
    await index(db)
    assert "fragments" in await tables_with(db, CANARY) and "fragments" in await tables_with(db, "of trace 2")
    assert await listed(db, q=CANARY) == [1]
    async with db.write() as conn:
        await conn.execute(
            approvals.insert().values(
                project_id=1, id="apr_" + "0" * 32, action_hash="a", status="pending", kind="tool", name=CANARY,
                args=f'"{CANARY}"', agent=CANARY, end_user=CANARY, trace_id=trace_id(1), span_id="", reasons="[]",
                requested_us=5, requested_by="pk-at-x", timeout=9, on_timeout="allow", expires_us=2**60, reason=CANARY,
                kept_hash="k",
            )
        )  # fmt: skip
    async with db.write() as conn:  # so that only project 1 holds the canary from here on
        await erasure.hide(conn, await erasure.look_at(conn, [(2, trace_id(1))]), "expired", "", 1)
    erasing = job(db)
    await erasing.finish()
    assert await sums(db, 2) == elsewhere

    done = await erasing.delete_trace(1, trace_id(1), WHO)
    assert (done.traces, done.spans) == (1, 4) and done.bytes > 500
    assert await listed(db) == [2, 3] and await listed(db, 2) == [2]
    assert await listed(db, q=CANARY) == [] and await listed(db, q="tea") == [2, 3]
    assert await tables_with(db, CANARY) == set()
    assert "fragments" in await tables_with(db, "of trace 2")
    assert await sums(db) == before
    assert await erasing.wipe()
    assert files_with(db, CANARY) == [] and await listed(db, q="tea") == [2, 3]
    async with db.read() as conn:
        (noted,) = (await activity.list_activity(conn, [1], ActivityFilter(size=9), 0)).items
        waited = (await conn.execute(select(approvals))).one()
    assert (noted.id, noted.action, noted.actor, noted.subject) == (done.id, "trace.deleted", WHO, trace_id(1))
    assert noted.detail == {"traces": 1, "spans": 4, "bytes": done.bytes}
    # Nobody had answered: the agent that waits is told no.
    assert (waited.status, waited.on_timeout, waited.requested_by) == ("expired", "deny", "pk-at-x")
    with pytest.raises(NotFound):
        await erasing.delete_trace(1, trace_id(1), WHO)
    with pytest.raises(NotFound):
        await erasing.delete_trace(2, trace_id(3), WHO)


async def test_late_spans_of_a_deleted_trace_are_refused_by_name_and_counted(db: Database) -> None:
    await keep(db, told(1, 1), told(1, 2))
    await job(db).delete_trace(1, trace_id(1), WHO)
    writer = Writer(db, now_us, max_pending_bytes=1 << 20)
    task = asyncio.create_task(writer.run())
    here, there, said = await asyncio.gather(
        writer.submit(batch(told(2, 1), told(2, 2))),
        writer.submit(batch(told(2, 1), project=2)),
        writer.submit(logs(1, 3)),
    )
    await writer.close()
    await task
    assert [one.where for one in here] == [f"span {2:016x}"] and "deleted" in here[0].reason
    assert [one.where for one in said] == [f"span {3:016x}"] and await tables_with(db, CANARY) == set()
    assert there == [] and await listed(db) == [2] and await listed(db, 2) == [1]
    assert writer.state().stored_spans == 2 and writer.state().refused_spans == 2
    async with db.read() as conn:
        stone = await tombstones.tombstone(conn, [1, 2], trace_id(1))
    assert stone is not None and (stone.deleted_by, stone.spans) == (WHO, 1)


async def test_a_session_goes_with_all_its_traces_and_is_noted_once(db: Database) -> None:
    for trace in range(1, 40):
        await keep(db, told(1, trace), told(2, trace))
    await keep(db, told(1, 50, session="s2"))
    await index(db)
    done = await job(db).delete_session(1, "s1", WHO)
    assert (done.traces, done.spans) == (39, 78) and await listed(db) == [50]
    async with db.read() as conn:
        noted = (await activity.list_activity(conn, [1], ActivityFilter(size=9), 0)).items
    assert [(one.action, one.subject, one.detail["spans"]) for one in noted] == [("session.deleted", "s1", 78)]
    for project, session in ((1, "s1"), (2, "s2")):
        with pytest.raises(NotFound):
            await job(db).delete_session(project, session, WHO)


async def test_a_large_trace_goes_in_pieces_and_whoever_comes_after_a_kill_goes_on(db: Database) -> None:
    count = 3 * erasure.PIECE_SPANS + 5
    await keep(db, *(told(n, 1, CANARY) for n in range(1, count + 1)), told(1, 2))
    await index(db)
    async with db.write() as conn:
        doomed = await erasure.look_at(conn, [(1, trace_id(1))])
        assert [one.spans for one in doomed] == [count]
        await erasure.hide(conn, doomed, "deleted", WHO, now_us())
    assert await listed(db) == [2] and await listed(db, q=CANARY) == []  # at once
    sizes = []
    while True:
        async with db.read() as conn:
            piece = await erasure.next_piece(conn)
        if piece is None:
            break
        sizes.append(piece.spans)
        if len(sizes) == 2:  # the process dies: another one takes over
            await job(db).finish()
            continue
        await job(db)._erase(None)
    assert sizes == [erasure.PIECE_SPANS, erasure.PIECE_SPANS]
    assert await tables_with(db, CANARY) == set()


async def test_the_search_index_is_wiped_while_a_large_trace_goes(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not db.is_sqlite:
        return  # its words are a row's column, and went with the row
    monkeypatch.setattr(erasure_job, "WIPE_SPANS", erasure.PIECE_SPANS)
    await keep(db, *(told(n, 1, CANARY) for n in range(1, 2 * erasure.PIECE_SPANS + 1)), told(1, 2))
    await index(db)
    erasing = job(db)
    await erasing.delete_trace(1, trace_id(1), WHO)
    async with db.read() as conn:
        parts = "SELECT count(*) FROM search_text_data WHERE instr(block, CAST(? AS BLOB))"
        assert (await conn.exec_driver_sql(parts, (CANARY[:6],))).scalar() == 0
    assert await listed(db) == [2]


async def test_what_changed_since_it_was_looked_at_is_left_alone(db: Database) -> None:
    await keep(db, told(1, 1), at_us=1_000)
    async with db.read() as conn:
        doomed = await erasure.look_at(conn, [(1, trace_id(1))])
    await keep(db, told(2, 1), at_us=2_000)
    before = await sums(db)
    async with db.write() as conn:
        assert await erasure.hide(conn, doomed, "expired", "", 3_000) == []
    assert await listed(db) == [1] and await sums(db) == before


async def test_words_that_were_read_before_the_trace_went_do_not_come_back(db: Database) -> None:
    await keep(db, told(1, 1, CANARY))
    async with db.read() as conn:
        waiting = await search.find_waiting(conn, 0, 10)
    await job(db).delete_trace(1, trace_id(1), WHO)
    late = search.Entry((1, trace_id(1), f"{1:016x}"), 1, CANARY, None, None)
    async with db.write() as conn:
        assert await search.put(conn, [late], waiting, None)
    assert await tables_with(db, CANARY) == set() and await tables_with(db, trace_id(1)) == {"activity", "tombstones"}


async def test_space_is_given_back_to_the_file_system(db: Database) -> None:
    if db.file is None:
        return  # PostgreSQL's autovacuum makes room for what comes
    import random

    dice = random.Random(1)
    for trace in range(1, 60):
        await keep(db, *(told(n, trace, dice.randbytes(2_000).hex()) for n in range(1, 21)))
    erasing = job(db)
    await db.empty_log()
    before = db.file.stat().st_size
    async with db.read() as conn:
        keys = await retention.expired(conn, 2**60, 1_000)

    async def nothing(_conn: Any, _hidden: Sequence[Any]) -> None: ...

    await erasing.hide(keys[:-1], "expired", "", nothing)
    await erasing.finish()
    assert await erasing.wipe()
    assert db.file.stat().st_size < before / 5
    assert len(await listed(db)) == 1


async def test_the_log_is_moved_while_nobody_may_write_only_when_little_of_it_is_left(db: Database) -> None:
    if db.file is None:
        return  # PostgreSQL looks after its own
    alone: list[str] = []

    @asynccontextmanager
    async def watched() -> AsyncIterator[None]:
        alone.append("entered")
        yield

    async with db.read() as reader:
        await reader.execute(select(approvals))
        async with db.write() as conn:
            await conn.exec_driver_sql("CREATE TABLE large AS SELECT zeroblob(8000000) AS bytes")
        assert not await space.empty_log(db.url, watched()) and alone == []
    assert await space.empty_log(db.url, watched()) and alone == ["entered"]
    assert Path(f"{db.file}-wal").stat().st_size == 0


async def test_nothing_new_is_kept_about_a_trace_that_is_being_deleted(db: Database) -> None:
    async def held() -> object:
        async with db.write() as conn:
            return await traces.hold(conn, 1, trace_id(1), now_us())

    await keep(db, told(1, 1))
    assert await held() is not None
    async with db.write() as conn:
        doomed = await erasure.look_at(conn, [(1, trace_id(1))])
        await erasure.hide(conn, doomed, "deleted", WHO, now_us())
        asking = asyncio.create_task(held())
        assert not (await asyncio.wait([asking], timeout=0.5))[0], "it waits for what becomes of the trace"
    assert await asking is None
