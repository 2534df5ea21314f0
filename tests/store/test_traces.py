"""The list of traces: filters, pages, and nothing of another project."""

from __future__ import annotations

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
