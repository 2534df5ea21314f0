"""A trace's summary: a function of the set of its spans, whatever they are."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from audittrail.model import record as records
from audittrail.model.span import KINDS, STATUSES, Span, SpanError, Tokens
from audittrail.model.summary import (
    ID_LIMIT,
    MAX_TOKENS,
    NAME_LIMIT,
    ORPHAN_QUIET_US,
    QUIET_US,
    SpanRow,
    summarise,
    tops,
    usage_leaves,
)

IDS = [f"{n:016x}" for n in range(1, 7)]


def row(span_id: str, parent: str | None = None, **fields: object) -> SpanRow:
    return SpanRow(**({"trace_id": "t" * 32, "span_id": span_id, "parent_id": parent, "ended_us": 9} | fields))  # type: ignore[arg-type]


rows = st.lists(
    st.builds(
        row,
        st.sampled_from(IDS),
        st.one_of(st.none(), st.sampled_from([*IDS, "f" * 16])),
        kind=st.sampled_from(KINDS),
        status=st.sampled_from(STATUSES),
        started_us=st.integers(0, 3),
        ended_us=st.one_of(st.none(), st.integers(0, 9)),
        name=st.sampled_from(["", "a", "B"]),
        agent=st.one_of(st.none(), st.sampled_from(["x", "y"])),
        input_tokens=st.one_of(st.none(), st.integers(0, 9)),
        cost=st.one_of(st.none(), st.decimals(0, 1, places=3)),
        error=st.one_of(st.none(), st.just("boom")),
    ),
    min_size=1,
    unique_by=lambda r: r.span_id,
)


@given(rows, st.randoms())
def test_the_order_of_spans_does_not_matter(spans: list[SpanRow], rng: object) -> None:
    shuffled = list(spans)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summarise(shuffled, 1) == summarise(spans, 1)


@given(rows)
def test_every_span_hangs_below_exactly_one_top(spans: list[SpanRow]) -> None:
    top = {s.span_id for s in tops(spans)}
    assert top
    by_id = {s.span_id: s for s in spans}
    for span in spans:
        seen: set[str] = set()
        at = span
        while at.span_id not in top:
            assert at.span_id not in seen, "a cycle without a top"
            seen.add(at.span_id)
            at = by_id[at.parent_id or ""]


@given(rows)
def test_sums_are_of_leaves_and_no_leaf_stands_above_another(spans: list[SpanRow]) -> None:
    leaves = usage_leaves(spans)
    total = summarise(spans, 1).row
    known = [s.input_tokens for s in leaves if s.input_tokens is not None]
    assert total.input_tokens == (sum(known) if known else None)
    assert total.span_count == len(spans)


def test_a_call_written_by_two_instrumentations_counts_once() -> None:
    spans = [
        row(IDS[0], kind="agent", input_tokens=100),
        row(IDS[1], IDS[0], kind="llm", input_tokens=50),
        row(IDS[2], IDS[1], kind="chain"),
        row(IDS[3], IDS[2], kind="llm", input_tokens=50),
    ]
    assert summarise(spans, 1).row.input_tokens == 50
    assert summarise(spans, 1).row.llm_calls == 1


def test_unpriced_is_not_free() -> None:
    assert summarise([row(IDS[0], kind="llm")], 1).row.cost is None
    priced = [
        row(IDS[0], kind="llm", cost=Decimal("0.1")),
        row(IDS[1], kind="llm", cost=Decimal("0.2")),
        row(IDS[2], kind="llm"),
    ]
    assert summarise(priced, 1).row.cost == Decimal("0.3")


def test_when_a_trace_settles() -> None:
    assert summarise([row(IDS[0])], 1000).settles_us == 1000 + QUIET_US
    assert summarise([row(IDS[0], "f" * 16)], 1000).settles_us == 1000 + ORPHAN_QUIET_US
    assert summarise([row(IDS[0], ended_us=None)], 1000).settles_us is None


def test_a_row_is_bounded_whatever_the_span_holds() -> None:
    long = "x" * 10_000
    one = SpanRow.of(
        Span(
            trace_id="t" * 32,
            span_id=IDS[0],
            name=long,
            agent=long,
            session_id=long,
            end_user=long,
            model=long,
            tokens=Tokens(input=MAX_TOKENS + 1, output=MAX_TOKENS),
            cost=Decimal(10) ** 9,
            error=SpanError(message=long),
        )
    )
    assert (len(one.name), len(one.agent or ""), len(one.session_id or "")) == (NAME_LIMIT, ID_LIMIT, ID_LIMIT)
    assert (one.input_tokens, one.output_tokens, one.cost) == (None, MAX_TOKENS, None)
    assert len(one.error or "") == 500


def test_versions_are_ranked_ended_then_later_then_fuller() -> None:
    def rank(**fields: object) -> object:
        one = records.SpanRecord(trace_id="t" * 32, span_id=IDS[0], **fields)  # type: ignore[arg-type]
        return records.rank(one, records.encode(one))

    order = [
        rank(name="running"),
        rank(name="running", attributes={"a": 1}),
        rank(ended_ns=5),
        rank(ended_ns=5, attributes={"a": 1}),
        rank(ended_ns=6),
    ]
    assert order == sorted(order)  # type: ignore[type-var]
    assert len({str(r) for r in order}) == len(order)
