"""View of what flows through a trace: cost, tokens or time, from the trace through its agents to models and tools."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property

import msgspec

from audittrail.model import human
from audittrail.model.summary import SpanRow, usage_leaves
from audittrail.model.tree import Line, Tree
from audittrail.report.sankey import Drawing, Flow, Node, Number, sankey
from audittrail.web.views.links import MEASURES, Measure, TraceAsk

WIDTH, HEIGHT = 680.0, 300.0
ROWS = 200  # of the table
MEASURE_WORDS = {"cost": "Cost", "tokens": "Tokens", "time": "Time"}
KIND_NAMES = {"agent": "agents alone", "chain": "chains alone"}
NO_AGENT = "(no agent)"


class Band(msgspec.Struct, frozen=True):
    """A line of the table: what flowed from where to where."""

    source: str
    target: str
    value: str
    exact: str
    share: str


class Choice(msgspec.Struct, frozen=True):
    """A measure to choose."""

    word: str
    href: str
    current: bool
    id: str


class FlowView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Template: pages/trace/flow.html."""

    name: str
    tree: Tree
    spans: tuple[SpanRow, ...]
    ask: TraceAsk

    @property
    def measure(self) -> Measure:
        """What flows."""
        return self.ask.measure

    @cached_property
    def agents(self) -> dict[str, str]:
        """Of each span the agent that it belongs to: its own, else that of the nearest step above."""
        found: dict[str, str] = {}
        above: list[str] = []
        for line in self.tree.lines:
            del above[line.depth :]
            own = _agent(line)
            found[line.span_id] = own or (above[-1] if above else "") or NO_AGENT
            above.append(found[line.span_id])
        return found

    @cached_property
    def leaves(self) -> list[SpanRow]:
        """The calls whose usage counts."""
        return usage_leaves(self.spans)

    @cached_property
    def unpriced(self) -> int:
        """How many calls have no known price."""
        return sum(leaf.cost is None for leaf in self.leaves)

    @cached_property
    def unreported(self) -> int:
        """How many calls reported no tokens."""
        return sum(leaf.input_tokens is None and leaf.output_tokens is None for leaf in self.leaves)

    @cached_property
    def flows(self) -> tuple[list[Node], list[Flow]]:
        """Nodes and flows of the measure."""
        nodes: dict[str, Node] = {"trace": Node("trace", human.line(self.name, 60) or "Trace", 0, "trace")}
        flows: list[Flow] = []

        def add(span: SpanRow, what: str, value: Decimal | int, parts: dict[str, int] | None = None) -> None:
            agent, target = self.agents[span.span_id], f"what:{span.kind}:{what}"
            nodes.setdefault(f"agent:{agent}", Node(f"agent:{agent}", human.line(agent, 60), 1, "agent"))
            nodes.setdefault(target, Node(target, human.line(what, 60), 2, span.kind))
            flows.append(Flow("trace", f"agent:{agent}", value))
            flows.append(Flow(f"agent:{agent}", target, value))
            for part, many in (parts or {}).items():
                nodes.setdefault(part, Node(part, part, 3, "part"))
                flows.append(Flow(target, part, many))

        if self.measure == "time":
            for line in self.tree.lines:
                if line.span is not None and line.critical:
                    add(line.span, _what(line.span), sum(b - a for a, b in line.critical))
        for leaf in self.leaves:
            if self.measure == "cost" and leaf.cost is not None:
                add(leaf, _what(leaf), leaf.cost)
            elif self.measure == "tokens":
                parts = _parts(leaf)
                add(leaf, _what(leaf), sum(parts.values()), parts)
        return list(nodes.values()), flows

    @cached_property
    def drawing(self) -> Drawing:
        """Where everything is."""
        return sankey(*self.flows, WIDTH, HEIGHT)

    @property
    def whole(self) -> Number:
        """All that flowed from the trace."""
        return sum((f.value for f in self.flows[1] if f.source == "trace"), start=0)

    def said(self, value: object) -> str:
        """A value as people read it."""
        if self.measure == "cost":
            return human.money(Decimal(value))  # type: ignore[arg-type]
        return human.duration(int(value)) if self.measure == "time" else human.count(int(value))  # type: ignore[call-overload]

    def exact(self, value: object) -> str:
        """A value with all its digits."""
        if self.measure == "cost":
            return human.money_exact(Decimal(value))  # type: ignore[arg-type]
        if self.measure == "time":
            return human.duration_exact(int(value))  # type: ignore[call-overload]
        return f"{human.exact(int(value))} tokens"  # type: ignore[call-overload]

    @cached_property
    def bands(self) -> Sequence[Band]:
        """The table: every flow, none folded; the largest first within each step of the way."""
        nodes = {n.id: n for n in self.flows[0]}
        merged: dict[tuple[str, str], Number] = {}
        for flow in self.flows[1]:
            way = flow.source, flow.target
            merged[way] = merged.get(way, 0) + flow.value  # type: ignore[operator]
        whole = float(self.whole) or 1.0
        rows = sorted(merged.items(), key=lambda m: (nodes[m[0][0]].column, -m[1], m[0]))
        return [
            Band(
                nodes[source].label,
                nodes[target].label,
                self.said(value),
                self.exact(value),
                f"{float(value) * 100 / whole:.1f} %",
            )
            for (source, target), value in rows
        ]

    @property
    def thin(self) -> int:
        """How many flows are drawn thicker than they are, so that they can be seen."""
        return sum(ribbon.thin for ribbon in self.drawing.ribbons)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The measures."""
        return tuple(
            Choice(MEASURE_WORDS[m], self.ask.params(measure=m), m == self.measure, f"measure-{m}") for m in MEASURES
        )


def _agent(line: Line) -> str:
    span = line.span
    if span is None:
        return ""
    return span.agent or (span.name if span.kind == "agent" else "")


def _what(span: SpanRow) -> str:
    if span.kind in KIND_NAMES:
        return KIND_NAMES[span.kind]
    named = span.tool if span.kind == "tool" else span.model
    return named or span.name or "(unnamed)"


def _parts(span: SpanRow) -> dict[str, int]:
    """Disjoint parts of a call's tokens: input includes the cache, output the reasoning, where that can be."""
    given, came = span.input_tokens or 0, span.output_tokens or 0
    read, write, thought = span.cache_read_tokens or 0, span.cache_write_tokens or 0, span.reasoning_tokens or 0
    if read + write > given:
        read = write = 0
    if thought > came:
        thought = 0
    parts = {
        "Input": given - read - write,
        "Cache read": read,
        "Cache write": write,
        "Output": came - thought,
        "Reasoning": thought,
    }
    return {name: many for name, many in parts.items() if many}
