"""Reading what was recorded."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.params import Parameter

from audittrail.attribution.graph import Edge
from audittrail.ingest.pipeline import read
from audittrail.model.errors import NotFound
from audittrail.model.filters import MAX_PAGE_SIZE, PAGE_SIZE, Cursor, TraceFilter, as_stored
from audittrail.model.span import Kind, Span, Status
from audittrail.model.summary import TraceRow
from audittrail.runtime import Runtime
from audittrail.store import spans as span_store
from audittrail.store import traces as trace_store
from audittrail.web.api.listing import Listing, One
from audittrail.web.auth import access
from audittrail.web.graphs import Graphs

SPANS_PAGE = 100

_After = Annotated[str, Parameter(description="`next` of the page before.")]
_Limit = Annotated[int, Parameter(description=f"Items a page, at most {MAX_PAGE_SIZE}.")]
_Request = Request[Any, Any, Any]


@get("/api/v1/traces", tags=["traces"], summary="List traces, newest first")
async def list_traces(
    request: _Request,
    runtime: Runtime,
    q: Annotated[str, Parameter(description='The query line: `status:error agent:bars "words in a name"`.')] = "",
    range_: Annotated[str, Parameter(query="range", description="1h, 24h, 7d or 30d; empty for any time.")] = "",
    status: str = "",
    agent: str = "",
    session: str = "",
    user: str = "",
    model: Annotated[str, Parameter(description="Traces with a call of this model; * stands for any text.")] = "",
    tool: Annotated[str, Parameter(description="Traces with a call of this tool; * stands for any text.")] = "",
    kind: Annotated[str, Parameter(description="Traces with a step of this kind.")] = "",
    has_error: Annotated[str, Parameter(description="yes: traces with a step that failed.")] = "",
    min_duration: Annotated[str, Parameter(description="500ms, 10s, 2m, 1h; seconds without a unit.")] = "",
    min_cost: Annotated[str, Parameter(description="US dollars.")] = "",
    min_tokens: Annotated[str, Parameter(description="Tokens in and out.")] = "",
    after: _After = "",
    limit: _Limit = PAGE_SIZE,
) -> Listing[TraceRow]:
    """The project's traces that match every filter given."""
    who = await access(request, runtime)
    asked = {"model": model, "tool": tool, "kind": kind, "has_error": has_error}
    asked |= {"min_duration": min_duration, "min_cost": min_cost, "min_tokens": min_tokens}
    asked |= {"range": range_, "status": status, "agent": agent, "session": session, "user": user}
    want = TraceFilter.parse(q=q, after=after, size=limit, **asked)
    async with runtime.db.read() as conn:
        found = await trace_store.list_traces(conn, who.project_id, want, runtime.now_us())
    return Listing(list(found.items), found.next)


@get("/api/v1/traces/{trace_id:str}", tags=["traces"], summary="One trace")
async def get_trace(request: _Request, runtime: Runtime, trace_id: str) -> One[TraceRow]:
    """The trace's summary."""
    who = await access(request, runtime)
    async with runtime.db.read() as conn:
        found = await trace_store.trace(conn, who.project_id, as_stored(trace_id), runtime.now_us())
    if found is None:
        raise NotFound("No trace of this project has that id.")
    return One(found)


@get("/api/v1/traces/{trace_id:str}/spans", tags=["traces"], summary="The spans of a trace, by start")
async def get_spans(
    request: _Request, runtime: Runtime, trace_id: str, after: _After = "", limit: _Limit = SPANS_PAGE
) -> Listing[Span]:
    """Whole spans: input, output, attributes and all."""
    who = await access(request, runtime)
    size = max(1, min(limit, MAX_PAGE_SIZE))
    cursor = Cursor.parse(after).key if after else None
    async with runtime.db.read() as conn:
        if await trace_store.trace(conn, who.project_id, as_stored(trace_id), runtime.now_us()) is None:
            raise NotFound("No trace of this project has that id.")
        found = await span_store.records_of_trace(conn, who.project_id, as_stored(trace_id), cursor, size + 1)
    kept = found[:size]
    following = str(Cursor((kept[-1][0].started_us, kept[-1][0].span_id))) if len(found) > size else None
    return Listing([read(stored.record, stored.cost_basis) for _, stored in kept], following)


class GraphNode(msgspec.Struct, frozen=True):
    """A span in the graph."""

    span_id: str
    parent_id: str | None
    name: str
    kind: Kind
    status: Status
    started_us: int
    ended_us: int | None
    agent: str | None
    model: str | None
    tool: str | None


class TraceGraph(msgspec.Struct, frozen=True):
    """The spans of a trace by start, and its edges; `complete` is false where only `contains` was looked for."""

    nodes: list[GraphNode]
    edges: list[Edge]
    complete: bool


@get("/api/v1/traces/{trace_id:str}/graph", tags=["traces"], summary="The graph of a trace: who feeds whom")
async def get_graph(request: _Request, runtime: Runtime, trace_id: str) -> TraceGraph:
    """Edges are typed: `contains` (parent and child), `calls` (a model asked for a tool's call), `feeds` (what one gave
    stands in what the other got) and `links` (the agent said so). `why` says how each is known.

    Of a trace with more than 5,000 spans or 64 MB of records only `contains` is known, and `complete` is false.
    """
    who = await access(request, runtime)
    async with runtime.db.read() as conn:
        trace = await trace_store.trace(conn, who.project_id, as_stored(trace_id), runtime.now_us())
        if trace is None:
            raise NotFound("No trace of this project has that id.")
        rows = await span_store.rows_of_trace(conn, who.project_id, trace.trace_id)
        graphs: Graphs = request.app.state.graphs
        found = await graphs.read(conn, who.project_id, trace, rows, runtime.now_us())
    by_id = {row.span_id: row for row in rows}
    fields = GraphNode.__struct_fields__
    nodes = [GraphNode(*(getattr(by_id[n], f) for f in fields)) for n in found.graph.nodes if n in by_id]
    return TraceGraph(nodes, list(found.graph.edges), found.complete)


ROUTES = [list_traces, get_trace, get_spans, get_graph]
