"""Verdicts follow what is shown of spans and traces, and keep what people made of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from audittrail.constitution import RuleSet, judge_trace, load
from audittrail.ingest.pipeline import prepare
from audittrail.model.batch import Batch
from audittrail.model.record import SpanRecord
from audittrail.model.verdict import Judge
from audittrail.model.violation import Violation, ViolationFilter
from audittrail.store import spans, verdicts
from audittrail.store.database import Database
from tests.make import TRACE, llm, record, span_id

SLOW = """
id: slow-step
title: A step is slow
severity: high
stages: [after]
when: span.duration_ms > 5000
effect: deny
message: "{span.name} took {span.duration_ms} ms"
controls: [SOC2-CC7.2]
tests:
  - {span: {duration_ms: 6000}, expect: violation}
  - {span: {duration_ms: 5000}, expect: pass}
"""
DEAR = """
id: many-tokens
title: A trace uses many tokens
severity: low
stages: [after]
scope: trace
when: trace.tokens.total > 100
effect: warn
message: "{trace.tokens.total} tokens"
tests:
  - {trace: {tokens: {input: 101}}, expect: warning}
  - {trace: {tokens: {input: 100}}, expect: pass}
"""
EMPTY_FILTER = ViolationFilter()


def rules(*texts: str) -> RuleSet:
    found = load({f"{i}.yaml": text for i, text in enumerate(texts)})
    assert isinstance(found, RuleSet), found
    return found


BOTH = rules(SLOW, DEAR)


def slow(number: int = 1, **fields: Any) -> SpanRecord:
    return record(number, started_ns=10**18, ended_ns=10**18 + 6 * 10**9, **fields)


async def put(db: Database, *records: SpanRecord, law: RuleSet = BOTH, at: int = 1, project: int = 1) -> None:
    judge = Judge(lambda trace, rows: judge_trace(trace, rows, law), lambda: law.ids)
    async with db.write() as conn:
        await spans.store(conn, [Batch(project, prepare(records, None, law))], at, judge)


async def found(db: Database, want: ViolationFilter = EMPTY_FILTER, project: int = 1) -> Sequence[Violation]:
    async with db.read() as conn:
        return (await verdicts.list_violations(conn, project, want, 10**15)).items


async def change(db: Database, status: Any, note: str = "", at: int = 5) -> None:
    ids = [one.id for one in await found(db)]
    async with db.write() as conn:
        assert await verdicts.set_standing(conn, 1, ids, status, note, "ann@example.org", at) == len(ids)


async def test_a_verdict_says_what_was_found_and_where(db: Database) -> None:
    await put(db, slow(1), llm(2, parent=1, tokens=(90, 20)))
    by_rule = {one.rule_id: one for one in await found(db)}
    assert set(by_rule) == {"slow-step", "many-tokens"}
    one = by_rule["slow-step"]
    assert (one.trace_id, one.span_id, one.outcome, one.status) == (TRACE, span_id(1), "violation", "open")
    assert one.message == "step 1 took 6,000 ms"
    assert one.values["span.duration_ms"] == 6000
    assert (one.evidence, one.controls) == ((span_id(1),), ("SOC2-CC7.2",))
    of_trace = by_rule["many-tokens"]
    assert (of_trace.span_id, of_trace.outcome, of_trace.evidence) == (None, "warning", (span_id(2),))


async def test_a_running_span_is_not_judged(db: Database) -> None:
    await put(db, record(1, started_ns=10**18, ended_ns=None))
    assert await found(db) == ()
    await put(db, slow(1))
    assert [one.rule_id for one in await found(db)] == ["slow-step"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_any_order_ends_in_the_same_verdicts(db: Database, order: tuple[int, ...]) -> None:
    sent = [slow(1), llm(2, parent=1, tokens=(60, 0)), llm(3, parent=1, tokens=(60, 0))]
    for at, number in enumerate(order, 1):
        await put(db, sent[number], at=at)
        await put(db, sent[number], at=at + 10)
    assert {(v.rule_id, v.message) for v in await found(db)} == {
        ("slow-step", "step 1 took 6,000 ms"),
        ("many-tokens", "120 tokens"),
    }


async def test_a_late_version_corrects_the_verdict(db: Database) -> None:
    await put(db, slow(1))
    await put(db, record(1, started_ns=10**18, ended_ns=10**18 + 10**9))
    # The version that ended later is the one shown, so the verdict stands.
    assert [one.outcome for one in await found(db)] == ["violation"]
    quick = record(1, started_ns=2 * 10**18, ended_ns=2 * 10**18 + 1)
    await put(db, quick, at=3)
    assert await found(db) == ()


async def test_a_late_span_corrects_the_verdict_on_its_trace(db: Database) -> None:
    await put(db, llm(2, tokens=(150, 0)))
    assert [one.rule_id for one in await found(db)] == ["many-tokens"]
    # The call turns out to be the outer of two that describe the same thing; the inner counts.
    await put(db, llm(3, parent=2, tokens=(50, 0)), at=2)
    assert await found(db) == ()


async def test_what_people_said_outlives_judging_again(db: Database) -> None:
    await put(db, llm(2, tokens=(150, 0)), at=1)
    await change(db, "acknowledged", "known, a batch")
    await put(db, llm(3, tokens=(150, 0)), at=9)
    (one,) = await found(db)
    assert (one.status, one.note, one.changed_by, one.found_us) == (
        "acknowledged",
        "known, a batch",
        "ann@example.org",
        1,
    )
    assert one.message == "300 tokens"


async def test_a_corrected_verdict_that_a_person_dealt_with_is_shown_as_corrected(db: Database) -> None:
    await put(db, llm(2, tokens=(150, 0)))
    await change(db, "acknowledged", "looking into it")
    await put(db, llm(3, parent=2, tokens=(50, 0)), at=2)
    (one,) = await found(db)
    assert (one.outcome, one.status, one.note) == ("pass", "acknowledged", "looking into it")
    async with db.read() as conn:
        assert await verdicts.of_trace(conn, 1, TRACE) == []
    await put(db, llm(4, tokens=(200, 0)), at=3)
    assert [v.outcome for v in await found(db)] == ["warning"]


async def test_a_rule_that_is_gone_leaves_what_it_found(db: Database) -> None:
    await put(db, llm(2, tokens=(150, 0)))
    await put(db, llm(3, parent=2, tokens=(50, 0)), law=rules(SLOW), at=2)
    assert [one.rule_id for one in await found(db)] == ["many-tokens"]


async def test_judgements_are_counted_by_outcome(db: Database) -> None:
    await put(db, slow(1), record(2, parent=1), record(3, parent=1))
    await put(db, slow(1), record(2, parent=1))  # again, which is nothing new
    async with db.read() as conn:
        counts = await verdicts.counts(conn, 1)
    assert (counts["slow-step"].violated, counts["slow-step"].passed, counts["slow-step"].judged) == (1, 2, 3)


async def test_projects_do_not_see_each_other(db: Database) -> None:
    await put(db, slow(1))
    await put(db, slow(1), project=2)
    assert len(await found(db)) == len(await found(db, project=2)) == 1
    async with db.write() as conn:
        (mine,) = await found(db)
        assert await verdicts.set_standing(conn, 2, [mine.id], "resolved", "", "x", 1) == 1
        assert await verdicts.count_open(conn, 1) == 1
        assert await verdicts.count_open(conn, 2) == 0


async def test_every_filter_narrows(db: Database) -> None:
    await put(db, slow(1, name="Delete 100% of it"), llm(2, parent=1, tokens=(150, 0)))
    for asked, expected in {
        "": 2,
        "rule:slow-step": 1,
        "severity:low": 1,
        "outcome:violation": 1,
        "mode:enforce": 2,
        "mode:observe": 0,
        "status:open": 2,
        "status:resolved": 0,
        f"trace:{TRACE}": 2,
        "trace:none": 0,
        '"100% OF"': 1,
        "1000%": 0,
        "slow": 1,
        "range:1h": 0,
    }.items():
        assert len(await found(db, ViolationFilter.parse(q=asked))) == expected, asked


async def test_pages_follow_each_other_without_a_gap(db: Database) -> None:
    await put(db, *[slow(n) for n in range(1, 8)], law=rules(SLOW))
    seen, after = [], ""
    while True:
        async with db.read() as conn:
            page = await verdicts.list_violations(conn, 1, ViolationFilter.parse(size=3, after=after), 10**15)
        seen += [one.span_id for one in page.items]
        if not page.next:
            break
        after = page.next
    assert len(seen) == 7
    assert len(set(seen)) == 7
