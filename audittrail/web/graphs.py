"""The graph of a stored trace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from audittrail.attribution.graph import Edge, Graph, graph_of
from audittrail.jobs.recorded import recorded
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.store.connection import Connection

MAX_SPANS = 5_000
MAX_BYTES = 64_000_000
KEPT_US = 120_000_000
MAX_KEPT = 20_000  # spans of the graphs that are kept


class Found(msgspec.Struct, frozen=True):
    """The graph; `complete` is false where the trace was too large to look for the ways of its data."""

    graph: Graph
    complete: bool = True


async def read_graph(conn: Connection, project_id: int, trace_id: str, rows: Sequence[SpanRow]) -> Found:
    """The graph of a trace whose rows are these.

    Who calls, feeds and links whom stands in the records. Of more than MAX_SPANS spans or MAX_BYTES bytes none is read,
    and the graph says only who contains whom.
    """
    if len(rows) > MAX_SPANS:
        return Found(containment(rows), complete=False)
    spans = await recorded(conn, project_id, trace_id, most_spans=MAX_SPANS, most_bytes=MAX_BYTES)
    if spans is None:
        return Found(containment(rows), complete=False)
    return Found(await asyncio.to_thread(graph_of, spans))


def containment(rows: Sequence[SpanRow]) -> Graph:
    """Who contains whom, as far as both are there."""
    ordered = sorted(rows, key=lambda row: (row.started_us, row.span_id))
    there = {row.span_id for row in rows}
    edges = [
        Edge(row.parent_id, row.span_id, "contains") for row in ordered if row.parent_id in there and row.parent_id
    ]
    return Graph(tuple(row.span_id for row in ordered), tuple(edges))


class Graphs:
    """Graphs that were read a moment ago: who looks at one asks for it again with each fold and each type of edges."""

    def __init__(self, read: Callable[..., Awaitable[Found]] = read_graph) -> None:
        self._read = read
        self._kept: dict[tuple[int, str, int, int], tuple[int, Found]] = {}  # the latest used last

    async def read(
        self, conn: Connection, project_id: int, trace: TraceRow, rows: Sequence[SpanRow], now_us: int
    ) -> Found:
        """The graph of a trace whose rows are these."""
        # What nobody asks for again shall not stay either: its trace may have been deleted.
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] >= now_us}
        key = (project_id, trace.trace_id, trace.received_us, trace.span_count)
        until_us, found = self._kept.pop(key, (0, None))
        if found is None or until_us < now_us:
            found, until_us = await self._read(conn, project_id, trace.trace_id, rows), now_us + KEPT_US
        self._kept[key] = until_us, found
        while sum(len(one.graph.nodes) for _, one in self._kept.values()) > MAX_KEPT and len(self._kept) > 1:
            del self._kept[next(iter(self._kept))]
        return found

    def forget(self, project_id: int) -> None:
        """What was read of a project in which something was deleted."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] != project_id}
