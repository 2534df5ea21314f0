"""Search over what spans say: found by content, kept true as versions come, and never at the price of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import text

from audittrail.clock import now_us
from audittrail.ingest.document import MAX_DOCUMENT, MAX_FIELD, document
from audittrail.jobs.search import SearchIndex
from audittrail.model.errors import Invalid
from audittrail.model.filters import TraceFilter
from audittrail.model.record import Event, SpanRecord, encode
from audittrail.model.words import words
from audittrail.store import search, spans, traces
from audittrail.store.database import Database
from tests.make import batch, record

NOW = 1_795_000_100_000_000


def trace_id(number: int) -> str:
    return f"{number:032x}"


def saying(said: str, number: int = 1, trace: int = 1, **fields: Any) -> SpanRecord:
    return record(number, trace_id=trace_id(trace), attributes={"output.value": said, "input.value": "x"}, **fields)


async def store(db: Database, *records: SpanRecord, project: int = 1, at_us: int | None = None) -> None:
    async with db.write() as conn:
        await spans.store(conn, [batch(*records, project=project)], now_us() if at_us is None else at_us)


async def index(db: Database, clock: Any = now_us) -> SearchIndex:
    """Runs the task until nothing waits."""
    job = SearchIndex(db, clock, lambda: False)
    running = asyncio.create_task(job.run())
    try:
        async with asyncio.timeout(20):
            while await waiting(db):
                if running.done():
                    running.result()  # raises what ended it
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return job


async def waiting(db: Database) -> list[search.Waiting]:
    async with db.read() as conn:
        return await search.find_waiting(conn, 0, 1000)


async def found(db: Database, q: str, project: int = 1) -> list[int]:
    async with db.read() as conn:
        page = await traces.list_traces(conn, project, TraceFilter.parse(q=q), NOW)
    return sorted(int(row.trace_id, 16) for row in page.items)


@pytest.mark.parametrize(
    ("typed", "indexed"),
    [
        ("Crème BRÛLÉE", ["creme", "brulee"]),
        ("Straße", ["strasse"]),
        ("issue_refund(amount=12.50)", ["issue", "refund", "amount", "12", "50"]),
        ("<EMAIL:9f2c81d0>", ["email", "9f2c81d0"]),
        ("注文を確認", ["注", "文", "を", "確", "認"]),
        ("ＡＢＣ１２", ["abc12"]),
        ("İstanbul", ["istanbul"]),
        ("%% -- * ' \"", []),
        ("a" * 300, ["a" * 100]),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_accents(typed: str, indexed: list[str]) -> None:
    assert words(typed) == indexed


def test_a_document_is_the_content_without_its_structure() -> None:
    chat = record(
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Where is my parcel?"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"track",'
            '"arguments":{"order":4711,"express":true}}]}]',
        }
    )
    assert document(encode(chat)) == "step 1 track order 4711 express where is my parcel"


def test_a_document_is_bounded_and_holds_no_encoded_bytes() -> None:
    long = saying("start " + "a lot of text " * 10_000 + "end")
    assert "start" in document(encode(long))
    assert len(document(encode(long))) <= MAX_FIELD + 10
    assert "end" not in document(encode(long)).split()
    assert len(document(encode(saying("ﷺ" * 60_000, status_code=2, status_message="y " * 40_000)))) <= MAX_DOCUMENT
    assert document(encode(saying("see " + "iVBORw0KGgo" * 100 + "== there"))).split() == [
        "step",
        "1",
        "see",
        "there",
        "x",
    ]


async def test_what_spans_say_is_found_by_word_beginning_and_phrase(db: Database) -> None:
    await store(db, saying("The customer wants a Refund of 40 € today", trace=1))
    await store(db, saying("refund the customer", trace=2), saying("nothing of interest", 2, trace=2))
    await store(db, saying("the other project's refund", trace=9), project=2)
    await index(db)
    assert await found(db, "refund") == [1, 2]
    assert await found(db, "refu") == [1, 2]
    assert await found(db, "REFUND") == [1, 2]
    assert await found(db, "efund") == []
    assert await found(db, '"refund of 40"') == [1]
    assert await found(db, '"refund of 4"') == []  # a beginning has three letters
    assert await found(db, '"customer refund"') == []
    assert await found(db, "customer refund") == [1, 2]
    assert await found(db, "refund interest") == [2]  # each word in a span of its own
    assert await found(db, "refund", project=2) == [9]
    assert await found(db, f'refund "{trace_id(2)}"') == [2]


async def test_names_are_found_at_once_and_in_the_middle_as_before(db: Database) -> None:
    await store(db, record(1, trace_id=trace_id(1), name="lookup 100%_order"))
    assert await found(db, "0%_or") == [1]
    assert await found(db, "100%_order") == [1]
    assert await found(db, "%%") == []


async def test_a_newer_version_takes_the_place_of_what_was_indexed(db: Database) -> None:
    await store(db, saying("draft wording", ended_ns=None))
    await index(db)
    assert await found(db, "draft") == [1]
    await store(db, saying("final wording"))
    await index(db)
    assert await found(db, "draft") == []
    assert await found(db, "final") == [1]
    await store(db, saying("an older version, late", ended_ns=None))
    await index(db)
    assert await found(db, "late") == []
    assert await found(db, "final") == [1]


async def test_late_spans_of_an_indexed_trace_are_found(db: Database) -> None:
    await store(db, saying("first", 1))
    await index(db)
    await store(db, *[saying(f"later number{n}", n) for n in range(2, 1500)])
    await index(db)
    assert await found(db, "first") == await found(db, "number1499") == await found(db, "number2") == [1]


async def test_another_task_goes_on_where_one_was_killed(db: Database) -> None:
    for n in range(1, 200):
        await store(db, saying(f"number{n}x", trace=n))
    job = SearchIndex(db, now_us, lambda: False)
    running = asyncio.create_task(job.run())
    while len(left := await waiting(db)) > 150:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert left, "it was stopped on its way"
    await index(db)
    assert [await found(db, f"number{n}x") for n in (1, 60, 99, 150, 199)] == [[1], [60], [99], [150], [199]]


async def test_time_that_went_back_hides_nothing(db: Database) -> None:
    ahead = now_us() + 3_600_000_000
    await store(db, saying("from the future", trace=1), at_us=ahead)
    await index(db, lambda: ahead)
    await store(db, saying("from today", trace=2))
    await index(db)
    assert await found(db, "future") == [1]
    assert await found(db, "today") == [2]


async def test_two_at_once_index_everything_once(db: Database) -> None:
    await store(db, *[saying(f"number{n % 7}", n, trace=n % 20 + 1) for n in range(1, 400)])
    await asyncio.gather(index(db), index(db))
    async with db.read() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM search_spans")) == 399
        assert await conn.scalar(text("SELECT count(DISTINCT no) FROM search_spans")) == 20
        assert await conn.scalar(text("SELECT sum(size) FROM search_traces")) == 399
    assert await found(db, "number3") == list(range(1, 21))


async def test_a_damaged_record_keeps_no_other_from_being_found(db: Database) -> None:
    await store(db, saying("alpha", 1), saying("bravo", 2))
    async with db.write() as conn:
        await conn.execute(text("UPDATE records SET record = :r WHERE span_id = :s"), {"r": b"no", "s": f"{1:016x}"})
    await index(db)
    assert await found(db, "bravo") == [1]
    assert await found(db, "alpha") == []


async def test_words_that_can_no_longer_be_made_begin_the_index_anew(db: Database) -> None:
    await store(db, saying("draft wording", ended_ns=None), saying("constant", 2))
    await index(db)
    async with db.write() as conn:  # as if an older program had read the record in its own way
        await conn.execute(text("UPDATE search_spans SET mark = mark + 1"))
    await store(db, saying("final wording"))
    await index(db)
    assert await found(db, "final") == await found(db, "constant") == [1]
    assert await found(db, "draft") == []


HOSTILE = [
    '"', "'", "*", "^", "a*", "NEAR(", "AND", "OR NOT", "words:x", "-x", "+", "(", "{words}:", "' OR 1=1 --", "a & !b",
    "a:*", "a<->b", "\\", "\\'", "%", "_", "$1", ":text", "?", "); DROP TABLE traces; --", "\u0300", "\ufeff", "𝕏",
    "ﷺ" * 50, "e\u0301", "١٢٣", "\u202e", "a" * 900, "search_text", "\x01", "😀",
]  # fmt: skip


async def test_nothing_typed_is_syntax(db: Database) -> None:
    await store(db, saying("plain words and one OR two"))
    await index(db)
    for typed in HOSTILE:
        for q in (typed, f'"{typed}"', f"plain {typed}", f'"plain {typed}"'):
            assert await found(db, q) in ([], [1]), q
    assert await found(db, "AND") == [1]
    assert await found(db, '"one OR two"') == [1]
    assert await found(db, "NOT") == []


async def test_a_query_of_too_many_words_is_refused_in_words(db: Database) -> None:
    with pytest.raises(Invalid, match="more than 16 words"):
        await found(db, " ".join("abcdefghijklmnopq"))


async def test_tidying_ends(db: Database) -> None:
    await store(db, *[saying(f"alpha number{n}", n) for n in range(1, 300)])
    await index(db)

    async def steps() -> Iterable[bool]:
        for _ in range(100):
            async with db.write() as conn:
                if not await search.tidy(conn, 1):
                    return [True]
        return []

    assert await steps()
    assert await found(db, "number299") == [1]


def test_an_exception_that_was_caught_is_part_of_what_a_span_says() -> None:
    event = Event("exception", 1, {"exception.type": "TimeoutError", "exception.message": "upstream is slow"})
    failed = record(status_code=2, status_message="gave up", events=(event,))
    assert document(encode(record(events=(event,)))).split()[2:] == ["timeouterror", "upstream", "is", "slow"]
    assert "gave up" in document(encode(failed))
