"""The list of traces: filters, pages, and nothing of another project."""

from __future__ import annotations

import re

import pytest

from audittrail.model.errors import Invalid
from audittrail.model.filters import Cursor, TraceFilter
from audittrail.store import spans, traces
from audittrail.store.database import Database
from tests.make import batch, record

NOW = 1_795_000_100_000_000


def root(number: int, *, agent: str = "bars", name: str = "run", project: int = 1, **fields: object) -> object:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent, "session.id": f"s{number % 3}"}
    return record(1, trace_id=f"{number:032x}", name=name, attributes=attributes, **fields)


@pytest.fixture
async def filled(db: Database) -> Database:
    """Twelve traces a second apart; the third of each three failed; one in project 2."""
    async with db.write() as conn:
        for n in range(1, 13):
            start = (NOW - n * 1_000_000) * 1_000
            one = root(
                n,
                agent=["bars", "fern"][n % 2],
                name=f"run 100%_{n}",
                status_code=2 if n % 3 == 0 else 0,
                started_ns=start,
                ended_ns=start + 1_000,
            )
            await spans.store(conn, [batch(one)], NOW - 60_000_000)  # type: ignore[arg-type]
        await spans.store(conn, [batch(root(99, agent="secret"), project=2)], 1)  # type: ignore[arg-type]
    return db


async def names(db: Database, project: int = 1, **asked: object) -> list[int]:
    async with db.read() as conn:
        found = await traces.list_traces(conn, project, TraceFilter.parse(**asked), NOW)  # type: ignore[arg-type]
    return [int(row.trace_id, 16) for row in found.items]


async def test_newest_first_and_only_the_project_s_own(filled: Database) -> None:
    assert await names(filled) == list(range(1, 13))
    assert await names(filled, project=2) == [99]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"status": "error"}, [3, 6, 9, 12]),
        ({"q": "status:ok agent:bars"}, [2, 4, 8, 10]),
        ({"agent": "fern", "status": "error"}, [3, 9]),
        ({"session": "s1"}, [1, 4, 7, 10]),
        ({"q": "100%_12"}, [12]),
        ({"q": '"RUN 100%_3"'}, [3]),
        ({"q": "0%_1"}, [1, 10, 11, 12]),
        ({"q": "00__1"}, []),
        ({"q": f"{5:032x}"}, [5]),
        ({"status": "running"}, []),
        ({"q": "' OR 1=1 --"}, []),
        ({"agent": "'; DROP TABLE traces; --"}, []),
    ],
)
async def test_filters_combine(filled: Database, asked: dict[str, object], expected: list[int]) -> None:
    assert await names(filled, **asked) == expected


async def test_every_page_once(filled: Database) -> None:
    seen: list[str] = []
    after = ""
    async with filled.read() as conn:
        while True:
            page = await traces.list_traces(conn, 1, TraceFilter.parse(after=after, size=5), NOW)
            seen += [row.trace_id for row in page.items]
            if page.next is None:
                break
            after = page.next
    assert [int(x, 16) for x in seen] == list(range(1, 13))


async def test_a_range_counts_back_from_now(filled: Database) -> None:
    async with filled.read() as conn:
        found = await traces.list_traces(conn, 1, TraceFilter.parse(range="1h"), NOW + 3_600_000_000 - 3_000_000)
    assert [int(row.trace_id, 16) for row in found.items] == [1, 2, 3]


async def test_agents_are_suggested_in_order(filled: Database) -> None:
    async with filled.read() as conn:
        assert await traces.agents(conn, 1) == ["bars", "fern"]
        assert await traces.agents(conn, 1, after="bars") == ["fern"]
        assert await traces.count_spans(conn, 1) == (12, 12)


@pytest.mark.parametrize("text", ["x", "%%%", "é", "LTU", str(Cursor((2**70, "a"))), "a" * 300])
def test_a_cursor_of_someone_else_s_making_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="after"):
        TraceFilter.parse(after=text)


@pytest.mark.parametrize(
    "asked", [{"status": "bad"}, {"range": "2h"}, {"q": "x" * 1001}, {"q": "a\0b"}, {"size": 0}, {"size": 501}]
)
def test_a_filter_that_means_nothing_is_refused_in_words(asked: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=r"one of|longer|NUL|between"):
        TraceFilter.parse(**asked)  # type: ignore[arg-type]


async def of_steps(db: Database) -> None:
    """Trace 1: a cheap call and a tool that failed, and it ended well; 2: a costly call; 3: a step that goes on."""
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 10}
    costly = {
        **call,
        "gen_ai.request.model": "gpt-4o_x%",
        "gen_ai.usage.input_tokens": 90_000,
        "audittrail.cost": "0.25",
    }
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "delete_records"}
    start = (NOW - 60_000_000) * 1_000
    steps = [
        record(1, trace_id=f"{1:032x}", started_ns=start, ended_ns=start + 2_500_000_000),
        record(2, parent=1, trace_id=f"{1:032x}", started_ns=start, attributes=call),
        record(3, parent=1, trace_id=f"{1:032x}", started_ns=start, attributes=tool, status_code=2),
        record(1, trace_id=f"{2:032x}", started_ns=start - 1000, ended_ns=start + 500_000_000, attributes=costly),
        record(1, trace_id=f"{3:032x}", started_ns=start - 2000, ended_ns=None),
    ]
    async with db.write() as conn:
        await spans.store(conn, [batch(*steps)], NOW - 1_000)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"kind": "tool"}, [1]),
        ({"q": "kind:llm"}, [1, 2]),
        ({"kind": "retriever"}, []),
        ({"has_error": "yes"}, [1]),
        ({"q": "has_error:yes kind:llm"}, [1]),
        ({"min_duration": "2.5s"}, [1, 3]),
        ({"min_duration": "2501ms"}, [3]),
        ({"q": "min_duration:1m"}, [3]),
        ({"min_duration": "1h"}, []),
        ({"min_duration": "0"}, [1, 2, 3]),
        ({"min_cost": "0.25"}, [2]),
        ({"min_cost": "0.2500001"}, []),
        ({"min_cost": "0"}, [1, 2]),
        ({"min_tokens": "10"}, [1, 2]),
        ({"min_tokens": "90001"}, []),
        ({"tool": "delete_*"}, [1]),
        ({"tool": "*records"}, [1]),
        ({"tool": "del*rec*s"}, [1]),
        ({"tool": "delete*x"}, []),
        ({"model": "gpt-4o*"}, [1, 2]),
        ({"model": "gpt-4o_*"}, [2]),
        ({"model": "*%"}, [2]),
        ({"model": "*"}, [1, 2]),
        ({"model": "gpt-4o"}, [1]),
        ({"model": "gpt*", "min_cost": "0.1", "has_error": "yes"}, []),
    ],
)
async def test_filters_of_steps_and_sums(db: Database, asked: dict[str, object], expected: list[int]) -> None:
    await of_steps(db)
    assert await names(db, **asked) == expected


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"kind": "banana"}, "kind is one of agent"),
        ({"has_error": "no"}, "has_error is one of yes"),
        ({"min_duration": "10 s"}, "500ms or 10s"),
        ({"min_duration": "-1"}, "min_duration"),
        ({"min_duration": "9999999999"}, "min_duration"),
        ({"min_duration": "٣s"}, "min_duration"),
        ({"min_cost": "1e3"}, "US dollars"),
        ({"min_cost": "$5"}, "US dollars"),
        ({"min_cost": "1234567"}, "US dollars"),
        ({"min_tokens": "1.5"}, "whole number"),
        ({"min_tokens": "9" * 16}, "whole number"),
        ({"q": "min_tokens:many"}, "whole number"),
    ],
)
def test_a_filter_that_is_not_understood_says_what_is(asked: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid, match=re.escape(says)):
        TraceFilter.parse(**asked)  # type: ignore[arg-type]


def test_what_narrows() -> None:
    assert not TraceFilter.parse().narrows
    for name in TraceFilter.NAMES:
        value = {"range": "1h", "status": "ok", "kind": "llm", "has_error": "yes"}.get(name, "1")
        assert TraceFilter.parse(**{name: value}).narrows, name  # type: ignore[arg-type]
        assert TraceFilter.parse(q=f"{name}:{value}").narrows, name
    with pytest.raises(TypeError):
        TraceFilter.parse(colour="red")  # type: ignore[arg-type]
