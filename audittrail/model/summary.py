"""What a list or a waterfall shows of spans and traces: no payload, one row each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from audittrail.model.span import Kind, Span, Status, Tokens

# A trace counts as running for this long after its last span arrived: exporters send in batches every 1 to 5 s.
QUIET_US = 5_000_000
# Where the root never came (it lives in another service, or died with its process) more patience is needed.
ORPHAN_QUIET_US = 600_000_000
# Distinct span, tool and model names of a trace that the list can be searched by.
NAMES_LIMIT = 2_000
ERROR_LIMIT = 500
# Rows are for lists: a text longer than this is whole in the record. PostgreSQL indexes no more than 2,700 bytes.
NAME_LIMIT = 1_000
ID_LIMIT = 300
# No call uses a trillion tokens: a larger number is a mistake, and must not overflow the sums of a trace.
MAX_TOKENS = 10**12
# What a BIGINT of picodollars holds, with room for a sum.
MAX_COST = Decimal(1_000_000)


_encode = msgspec.json.Encoder().encode


def _cut(text: str | None) -> str | None:
    return text[:ID_LIMIT] if text else None


def _usage(count: int | None) -> int | None:
    return count if count is not None and count <= MAX_TOKENS else None


class SpanRow(msgspec.Struct, frozen=True, gc=False):
    """A span without its payload."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    kind: Kind = "other"
    name: str = ""
    status: Status = "ok"
    started_us: int = 0
    ended_us: int | None = None
    agent: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    model: str | None = None
    provider: str | None = None
    tool: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None
    error: str | None = None
    cost_basis: str | None = None  # model.span.Cost as JSON
    pii: dict[str, int] = {}  # how much of each type was redacted

    @property
    def tokens(self) -> Tokens:
        """The five counts as one value."""
        return Tokens(
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
        )

    @classmethod
    def of(cls, span: Span) -> SpanRow:
        """The row of a span; long texts are cut to their limits."""
        t = span.tokens
        cost = span.cost
        return cls(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id,
            kind=span.kind,
            name=span.name[:NAME_LIMIT],
            status=span.status,
            started_us=span.started_us,
            ended_us=span.ended_us,
            agent=_cut(span.agent),
            session_id=_cut(span.session_id),
            end_user=_cut(span.end_user),
            model=_cut(span.model),
            provider=_cut(span.provider),
            tool=_cut(span.tool.name) if span.tool else None,
            input_tokens=_usage(t.input),
            output_tokens=_usage(t.output),
            cache_read_tokens=_usage(t.cache_read),
            cache_write_tokens=_usage(t.cache_write),
            reasoning_tokens=_usage(t.reasoning),
            cost=cost if cost is not None and 0 <= cost <= MAX_COST else None,
            error=(span.error.message or span.error.type)[:ERROR_LIMIT] if span.error else None,
            cost_basis=_encode(span.cost_basis).decode() if span.cost_basis else None,
            pii=span.pii,
        )


class TraceRow(msgspec.Struct, frozen=True, gc=False):
    """A trace in one line. Sums are over llm and embedding leaves only; None: no span reported any."""

    trace_id: str
    name: str = ""
    status: Status = "running"
    started_us: int = 0
    ended_us: int | None = None  # the latest end; None while the root has none
    agent: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    span_count: int = 0
    error_count: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None
    error: str | None = None  # of the root, else of the earliest failed span
    received_us: int = 0  # when its latest span was stored
    pii: dict[str, int] = {}  # how much of each type was redacted in all of its spans


class Summary(msgspec.Struct, frozen=True, gc=False):
    """A trace's row with what only the store needs: when it counts as finished, and the names it can be found by."""

    row: TraceRow
    settles_us: int | None  # None: not before more arrives
    names: str

    @property
    def now(self) -> TraceRow:
        """The row as it is while nothing has settled: a trace whose root has not ended is running."""
        return replace(self.row, status="running") if self.settles_us is None else self.row


def usage_leaves(spans: Iterable[SpanRow]) -> list[SpanRow]:
    """The llm and embedding spans below which no other such span stands: the ones whose usage counts.

    A call that two instrumentations wrote, one inside the other, is counted once, by the inner.
    """
    spans = list(spans)
    by_id = {s.span_id: s for s in spans}
    outer: set[str] = set()
    for span in spans:
        if span.kind not in ("llm", "embedding"):
            continue
        seen = {span.span_id}
        parent = span.parent_id
        while parent is not None and parent not in seen:
            if parent in outer:
                break
            seen.add(parent)
            above = by_id.get(parent)
            if above is None:
                break
            if above.kind in ("llm", "embedding"):
                outer.add(parent)
            parent = above.parent_id
    return [s for s in spans if s.kind in ("llm", "embedding") and s.span_id not in outer]


def _sum(values: Iterable[Any]) -> Any:
    known = [v for v in values if v is not None]
    return sum(known[1:], known[0]) if known else None


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def tops(spans: Iterable[SpanRow]) -> list[SpanRow]:
    """The spans that nothing present contains, earliest first: without a parent, with an absent one, or their own.

    Where a cycle leaves a group of spans without a top, the earliest of the group is taken for one.
    """
    spans = sorted(spans, key=lambda s: (s.started_us, s.span_id))
    by_id = {s.span_id: s for s in spans}
    found = [s for s in spans if s.parent_id is None or s.parent_id == s.span_id or s.parent_id not in by_id]
    reached = {s.span_id for s in found}
    for span in spans:
        path: list[SpanRow] = []
        on_path: set[str] = set()
        at: SpanRow | None = span
        while at is not None and at.span_id not in reached and at.span_id not in on_path:
            path.append(at)
            on_path.add(at.span_id)
            at = by_id.get(at.parent_id or "")
        if at is not None and at.span_id in on_path:
            cycle = path[path.index(at) :]
            found.append(min(cycle, key=lambda s: (s.started_us, s.span_id)))
        reached |= on_path
    return sorted(found, key=lambda s: (s.started_us, s.span_id))


def summarise(spans: list[SpanRow], received_us: int) -> Summary:
    """A trace's summary from all of its spans: a pure function of the set, whatever order they came in."""
    ordered = sorted(spans, key=lambda s: (s.started_us, s.span_id))
    top = tops(ordered)
    true_roots = [s for s in top if s.parent_id is None]
    root = (true_roots or top)[0]
    leaves = usage_leaves(ordered)
    failed = [s for s in ordered if s.status == "error"]
    ended = [s.ended_us for s in ordered if s.ended_us is not None]
    if any(s.ended_us is None for s in top):
        settles = None
    else:
        settles = received_us + (QUIET_US if true_roots else ORPHAN_QUIET_US)
    outcome: Status = root.status if root.status != "running" else "ok"
    if not true_roots and failed:
        outcome = "error"
    names = dict.fromkeys(n for s in ordered for n in (s.name, s.tool, s.model, s.agent) if n)
    agent = root.agent or next((s.agent for s in ordered if s.agent), None)
    row = TraceRow(
        trace_id=root.trace_id,
        name=root.name,
        status=outcome,
        started_us=ordered[0].started_us,
        ended_us=None if settles is None else max(ended),
        agent=agent,
        session_id=root.session_id or next((s.session_id for s in ordered if s.session_id), None),
        end_user=root.end_user or next((s.end_user for s in ordered if s.end_user), None),
        span_count=len(ordered),
        error_count=len(failed),
        llm_calls=sum(s.kind == "llm" for s in leaves),
        tool_calls=sum(s.kind == "tool" for s in ordered),
        input_tokens=_sum(s.input_tokens for s in leaves),
        output_tokens=_sum(s.output_tokens for s in leaves),
        cache_read_tokens=_sum(s.cache_read_tokens for s in leaves),
        cache_write_tokens=_sum(s.cache_write_tokens for s in leaves),
        reasoning_tokens=_sum(s.reasoning_tokens for s in leaves),
        cost=_sum(s.cost for s in leaves),
        error=root.error or next((s.error for s in failed if s.error), None),
        received_us=received_us,
        pii=_added(s.pii for s in ordered if s.pii),
    )
    return Summary(row, settles, "\n".join(names)[:NAMES_LIMIT].lower())
