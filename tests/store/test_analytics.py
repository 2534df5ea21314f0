"""The overview's numbers are those of the rows themselves, whatever came in what order."""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import column, select, table

from audittrail.model.analytics import BUCKETS_US, BYS, since
from audittrail.model.conversation import ConversationFilter
from audittrail.model.filters import RANGES, Cursor, TraceFilter
from audittrail.model.record import SpanRecord
from audittrail.model.summary import SpanRow, TraceRow, usage_leaves
from audittrail.settings import asset_folder
from audittrail.store import agents, analytics, conversations, spans, traces
from audittrail.store.database import Database
from audittrail.store.tables import usage, verdicts
from tests.make import batch, record

NOW = 1_795_000_123_456_789
HOUR = 3_600_000_000
AGENTS, MODELS, TOOLS = ("bars", "fern", ""), ("gpt-4o", "unheard-of", ""), ("search", "delete", "")


def some_trace(dice: random.Random, number: int) -> list[SpanRecord]:
    """A root, and below it calls of models and tools: nested, failed, unpriced, still running."""
    trace_id = f"{number:032x}"
    start = NOW - int(dice.choice((HOUR, 24 * HOUR, 24 * 7 * HOUR, 24 * 61 * HOUR)) * dice.random())
    agent = dice.choice(AGENTS)
    attributes: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent", "session.id": f"s{number % 5}"}
    if agent:
        attributes["gen_ai.agent.name"] = agent

    def one(n: int, parent: int | None, attributes: dict[str, Any], **more: Any) -> SpanRecord:
        began = start + n * 1_000 if n > 1 else start
        ended = None if dice.random() < 0.06 else began + int(dice.lognormvariate(13, 2))
        times = {"started_ns": began * 1_000, "ended_ns": None if ended is None else ended * 1_000}
        status = 2 if dice.random() < 0.25 else 0
        return record(n, parent=parent, trace_id=trace_id, attributes=attributes, status_code=status, **times, **more)

    found = [one(1, None, attributes)]
    for n in range(2, 2 + dice.randrange(7)):
        model, tool = dice.choice(MODELS), dice.choice(TOOLS)
        if dice.random() < 0.5:
            call: dict[str, Any] = {"gen_ai.operation.name": "chat"} | (
                {"gen_ai.request.model": model} if model else {}
            )
            if dice.random() < 0.8:
                call |= {"gen_ai.usage.input_tokens": dice.randrange(9_000), "gen_ai.usage.output_tokens": 7}
        else:
            call = {"gen_ai.operation.name": "execute_tool"} | ({"gen_ai.tool.name": tool} if tool else {})
        found.append(one(n, dice.randrange(1, n), call))
    return found


async def everything(db: Database, project: int) -> tuple[list[TraceRow], dict[str, list[SpanRow]]]:
    """The rows, read one by one."""
    async with db.read() as conn:
        page = await traces.list_traces(conn, project, TraceFilter.parse(size=500), NOW)
        assert page.next is None
        return list(page.items), {
            row.trace_id: await spans.rows_of_trace(conn, project, row.trace_id) for row in page.items
        }


class Plain:
    """The numbers of some traces or calls, added up the plain way."""

    def __init__(self, items: Sequence[TraceRow | SpanRow], leaves: Iterable[SpanRow]) -> None:
        settled = [one for one in items if one.ended_us is not None and one.status != "running"]
        leaves = list(leaves)
        self.count, self.ended = len(items), len(settled)
        self.errors = sum(one.status == "error" for one in (settled if items and _is_trace(items[0]) else items))
        self.took = sorted(max(0, one.ended_us - one.started_us) for one in settled if one.ended_us is not None)
        metered = [leaf for leaf in leaves if leaf.input_tokens is not None or leaf.output_tokens is not None]
        self.input = sum(leaf.input_tokens or 0 for leaf in metered) if metered else None
        costs = [leaf.cost for leaf in leaves if leaf.cost is not None]
        self.cost = sum(costs, Decimal(0)) if costs else None
        self.unpriced = sum(leaf.cost is None and leaf.ended_us is not None for leaf in leaves)

    def check(self, found: Any, count: int) -> None:
        """They are what was found."""
        assert (count, found.ended, found.errors) == (self.count, self.ended, self.errors)
        assert (found.input_tokens, found.cost, found.unpriced_calls) == (self.input, self.cost, self.unpriced)
        assert found.average_us == (sum(self.took) // len(self.took) if self.took else None)
        for share, told in ((0.5, found.p50_us), (0.95, found.p95_us)):
            if not self.took:
                assert told is None
                continue
            exact = self.took[math.ceil(share * len(self.took)) - 1]
            assert abs(told - exact) <= max(1, exact / 32), (told, exact)
        assert found.error_rate == (min(1, self.errors / self.ended) if self.ended else None)


def _is_trace(one: TraceRow | SpanRow) -> bool:
    return isinstance(one, TraceRow)


async def fill(db: Database, seed: int) -> None:
    """Sixty traces in pieces, shuffled, some sent twice, some spans in two versions; and one of another project."""
    dice = random.Random(seed)
    pieces = []
    for number in range(1, 61):
        for one in some_trace(dice, number):
            if dice.random() < 0.3:
                pieces.append(record(int(one.span_id, 16), **_fields(one), ended_ns=None))
            pieces += [one] * (2 if dice.random() < 0.2 else 1)
    dice.shuffle(pieces)
    while pieces:
        size = dice.choice((1, 5, 40))
        part, pieces = pieces[:size], pieces[size:]
        # Some arrived a moment ago, and so have not settled.
        received = NOW - dice.choice((1_000_000, 60_000_000, 30 * HOUR))
        async with db.write() as conn:
            await spans.store(conn, [batch(*part)], received)
    async with db.write() as conn:
        await spans.store(conn, [batch(*some_trace(dice, 99), project=2)], NOW - HOUR)


def _fields(one: SpanRecord) -> dict[str, Any]:
    return {
        "parent": int(one.parent_id, 16) if one.parent_id else None,
        "trace_id": one.trace_id,
        "attributes": one.attributes,
        "started_ns": one.started_ns,
    }


@pytest.mark.parametrize("seed", range(3))
async def test_numbers_series_and_breakdowns_are_those_of_the_rows(db: Database, seed: int) -> None:
    await fill(db, seed)
    rows, by_trace = await everything(db, 1)
    for range_ in RANGES:
        first, size = since(range_, NOW), BUCKETS_US[range_]
        mine = [row for row in rows if row.started_us >= first]
        leaves = {row.trace_id: usage_leaves(by_trace[row.trace_id]) for row in mine}
        async with db.read() as conn:
            over = analytics.window(conn, 1, range_, NOW)
            summary = await analytics.summary(conn, 1, range_, NOW, over)
            series = await over.series(range_)
            groups = {by: await over.groups(by, 100) for by in BYS}
            earlier = await analytics.before(conn, 1, range_, NOW).total()
        every = [leaf for found in leaves.values() for leaf in found]
        Plain(mine, every).check(summary, summary.traces)

        assert [one.from_us for one in series] == list(range(first - first % size, NOW + 1, size))
        for bucket in series:
            inside = [row for row in mine if bucket.from_us <= row.started_us < bucket.until_us]
            Plain(inside, [leaf for row in inside for leaf in leaves[row.trace_id]]).check(bucket, bucket.traces)

        for name, group in {one.name: one for one in groups["agent"]}.items():
            inside = [row for row in mine if row.agent == name]
            Plain(inside, [leaf for row in inside for leaf in leaves[row.trace_id]]).check(group, group.calls)
        tools = [one for row in mine for one in by_trace[row.trace_id] if one.kind == "tool"]
        for name, group in {one.name: one for one in groups["model"]}.items():
            calls = [leaf for leaf in every if leaf.model == name]
            Plain(calls, calls).check(group, group.calls)
        for name, group in {one.name: one for one in groups["tool"]}.items():
            Plain([one for one in tools if one.tool == name], []).check(group, group.calls)
        assert {one.name for one in groups["agent"]} == {row.agent for row in mine}
        assert {one.name for one in groups["model"]} == {leaf.model for leaf in every}
        assert {one.name for one in groups["tool"]} == {one.tool for one in tools}
        assert all(
            [one.calls for one in groups[by]] == sorted((one.calls for one in groups[by]), reverse=True) for by in BYS
        )

        before = [row for row in rows if since(range_, first) <= row.started_us < first]
        assert earlier.count == len(before)
        spent = [leaf.cost for row in before for leaf in usage_leaves(by_trace[row.trace_id])]
        assert earlier.cost == sum((cost for cost in spent if cost is not None), Decimal(0))


async def test_the_numbers_are_those_of_the_lists_they_link_to(db: Database) -> None:
    await fill(db, 7)
    rows, by_trace = await everything(db, 1)
    every = [span for spans in by_trace.values() for span in spans]
    for range_ in RANGES:
        async with db.read() as conn:
            over = analytics.window(conn, 1, range_, NOW)
            summary = await analytics.summary(conn, 1, range_, NOW, over)

            async def listed(**asked: Any) -> int:
                page = await traces.list_traces(conn, 1, TraceFilter.parse(size=500, **asked), NOW)
                return len(page.items)

            assert summary.traces == await listed(range=range_)
            assert summary.errors == await listed(range=range_, status="error")
            for one in await over.groups("agent", 50):
                if one.name:
                    assert one.calls == await listed(range=range_, agent=one.name)
                    assert one.errors == await listed(range=range_, agent=one.name, status="error")
            for by in ("model", "tool"):
                for one in await over.groups(by, 50):  # type: ignore[arg-type]
                    if one.name:
                        named = {span.trace_id for span in every if getattr(span, by) == one.name}
                        inside = [row for row in rows if row.started_us >= since(range_, NOW) and row.trace_id in named]
                        assert len(inside) == await listed(range=range_, **{by: one.name})


async def test_the_sums_are_a_function_of_the_spans(db: Database) -> None:
    """Backward, one by one and twice: the same rows."""
    dice = random.Random(3)
    records = [one for number in range(1, 15) for one in some_trace(dice, number)]
    async with db.write() as conn:
        await spans.store(conn, [batch(*records)], NOW)
        for one in [*reversed(records), *records]:
            await spans.store(conn, [batch(one, project=2)], NOW)

    async def rows(project: int) -> list[Any]:
        columns = [column for column in usage.c if column.name != "project_id"]
        query = select(*columns).where(usage.c.project_id == project, usage.c.count != 0)
        async with db.read() as conn:
            return sorted(tuple(row) for row in await conn.execute(query))

    first = await rows(1)
    assert first and [row[:-1] for row in first] == [row[:-1] for row in await rows(2)]


async def test_what_was_stored_before_there_were_sums_is_summed_up_by_the_migration(db: Database) -> None:
    await fill(db, 3)
    path = asset_folder("migrations") / "versions" / "0005_usage.py"
    spec = importlib.util.spec_from_file_location("migration_0005", path)
    assert spec is not None and spec.loader is not None
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    async with db.write() as conn:
        kept = (await conn.execute(select(usage))).all()
        await conn.execute(usage.delete())
        plain = table("usage", *(column(one.name) for one in usage.c))  # as a migration has it: picodollars are numbers
        await conn.run_sync(lambda bind: migration._sum_up(bind, plain))
        again = (await conn.execute(select(usage))).all()

    def sums(rows: Sequence[Any]) -> dict[tuple[Any, ...], Any]:
        found = {tuple(row[:5]): (*row[5:-1], msgspec.json.decode(row[-1])) for row in rows}
        return {slot: values for slot, values in found.items() if values[0]}  # a slot that was emptied stays as zeros

    assert len(kept) > 100 and sums(again) == sums(kept)


async def test_a_name_that_is_used_little_is_left_out_and_nothing_else(db: Database) -> None:
    async with db.write() as conn:
        for n in range(1, 7):
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"tool {min(n, 4)}"}
            at = (NOW - 5 * HOUR - n) * 1000
            one = record(1, trace_id=f"{n:032x}", attributes=attributes, started_ns=at, ended_ns=at + 1)
            await spans.store(conn, [batch(one)], NOW - HOUR)
    async with db.read() as conn:
        found = await analytics.window(conn, 1, "24h", NOW).groups("tool", 2)
    assert [(one.name, one.calls) for one in found] == [("tool 4", 3), ("tool 1", 1)]


async def test_numbers_beyond_all_reason_are_held_and_do_not_stop_the_writer(db: Database) -> None:
    last = 253_402_300_799_999_999_000
    async with db.write() as conn:
        for n in range(1, 60):
            await spans.store(conn, [batch(record(1, trace_id=f"{n:032x}", started_ns=1_000, ended_ns=last))], NOW)


async def test_violations_are_counted_by_when_they_were_found(db: Database) -> None:
    fixed = {"span_id": "", "rule_id": "r", "version": "v", "title": "t", "severity": "low", "mode": "enforce"}
    fixed |= {"effect": "warn", "message": "", "detail": "{}", "status": "open", "note": "", "trace_id": "a" * 32}
    times = [NOW - 1, NOW - HOUR + 1, NOW - HOUR - 1, NOW - 20 * HOUR, NOW - 40 * HOUR]
    async with db.write() as conn:
        for n, at in enumerate(times):
            for outcome, project in (("violation", 1), ("warning", 1), ("violation", 2)):
                id_ = f"{n}{outcome[0]}{project}"
                values = fixed | {"project_id": project, "id": id_, "outcome": outcome, "found_us": at}
                await conn.execute(verdicts.insert().values(values))
    for range_, expected in (("1h", 2), ("24h", 4), ("7d", 5), ("30d", 5)):
        async with db.read() as conn:
            over = analytics.window(conn, 1, range_, NOW)
            summary = await analytics.summary(conn, 1, range_, NOW, over)
            series = await over.series(range_)
        assert summary.violations == expected
        assert sum(bucket.violations for bucket in series) == expected
        for bucket in series:
            inside = [at for at in times if bucket.from_us <= at < bucket.until_us and at >= since(range_, NOW)]
            assert bucket.violations == len(inside)


async def test_agents_page_by_page(db: Database) -> None:
    await fill(db, 5)
    rows, _ = await everything(db, 1)
    expected = sorted({row.agent for row in rows if row.agent})
    assert {"bars", "fern"} <= set(expected)
    found = []
    after: Cursor | None = None
    async with db.read() as conn:
        here = await agents.connected(conn, NOW, 1)
        assert set(here) == {key for key in await agents.connected(conn, NOW) if key[0] == 1}
        while True:
            page = await agents.list_agents(conn, 1, "7d", NOW, after, 1)
            found += page.items
            if page.next is None:
                break
            after = Cursor.parse(page.next)
    assert [one.agent for one in found] == expected
    for one in found:
        mine = [row for row in rows if row.agent == one.agent and row.started_us >= since("7d", NOW)]
        assert (one.traces, sum(one.series)) == (len(mine), len(mine))
        recent = [row.received_us for row in rows if row.agent == one.agent]
        assert one.connected == (max(recent) >= NOW - agents.CONNECTED_US)
        assert one.last_seen_us <= max(recent)
        if one.connected:
            assert one.last_seen_us == max(recent)


async def test_sessions_by_their_latest_trace_page_by_page(db: Database) -> None:
    await fill(db, 6)
    rows, _ = await everything(db, 1)
    found = []
    after = ""
    async with db.read() as conn:
        while True:
            page = await conversations.list_conversations(conn, 1, ConversationFilter.parse(after=after, size=2), NOW)
            found += page.items
            if page.next is None:
                break
            after = page.next
        assert await conversations.conversation(conn, 1, "s9", NOW) is None
        again = [await conversations.conversation(conn, 1, one.session_id, NOW) for one in found]
        assert again == found
    sessions = {row.session_id: [one for one in rows if one.session_id == row.session_id] for row in rows}
    latest = sorted(sessions.items(), key=lambda one: max((r.started_us, r.trace_id) for r in one[1]), reverse=True)
    assert [one.session_id for one in found] == [name for name, _ in latest if name]
    for one in found:
        mine = sessions[one.session_id]
        last = max(mine, key=lambda row: (row.started_us, row.trace_id))
        assert (one.traces, one.status, one.latest_trace_id) == (len(mine), last.status, last.trace_id)
        assert one.errors == sum(row.status == "error" for row in mine)
        costs = [row.cost for row in mine if row.cost is not None]
        assert one.cost == (sum(costs, Decimal(0)) if costs else None)
        assert one.started_us == min(row.started_us for row in mine)
        async with db.read() as conn:
            first = await conversations.traces_of(conn, 1, one.session_id, None, 3, NOW)
            rest = await conversations.traces_of(
                conn, 1, one.session_id, Cursor.parse(first.next) if first.next else None, 100, NOW
            )
        shown = [*first.items, *(rest.items if first.next else ())]
        assert shown == sorted(mine, key=lambda row: (row.started_us, row.trace_id))


async def test_a_range_narrows_sessions_by_their_latest_trace(db: Database) -> None:
    await fill(db, 6)
    rows, _ = await everything(db, 1)
    async with db.read() as conn:
        page = await conversations.list_conversations(conn, 1, ConversationFilter.parse(range="1h"), NOW)
    expected = {row.session_id for row in rows if row.started_us >= since("1h", NOW) and row.session_id}
    assert {one.session_id for one in page.items} == expected
