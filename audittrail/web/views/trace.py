"""View of one trace: its header, the tree-waterfall, and the span that is open beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from audittrail.attribution.graph import Graph
from audittrail.model import human
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.tree import Line, Tree, first_failure, lay, narrowed, root_of, unfolded
from audittrail.model.verdict import SEVERITIES
from audittrail.model.violation import Violation
from audittrail.web.views.flow import FlowView
from audittrail.web.views.gist import Gist
from audittrail.web.views.graph import GraphView
from audittrail.web.views.links import CLOSED, VIEWS, TraceAsk
from audittrail.web.views.panel import Panel
from audittrail.web.views.raw import RawView
from audittrail.web.views.talk import headline
from audittrail.web.views.traces import took_us
from audittrail.web.views.waterfall import Row, rows

LINES = 500  # of the tree in one answer
MAX_LINES = 2_000  # of a page that is brought up to date after more had been asked for
VIEW_WORDS = {"summary": "Summary", "timeline": "Timeline", "graph": "Graph", "flow": "Flow", "verdicts": "Verdicts"}


def selected_id(spans: list[SpanRow], wanted: str, verdicts: Sequence[Violation] = ()) -> str | None:
    """The span to open: the one asked for, else where it failed first, else the first that violated a rule, else the
    root. None: closed or unknown."""
    if wanted:
        return wanted if any(s.span_id == wanted for s in spans) else None
    marked = set(marks_of(v for v in verdicts if v.outcome == "violation" and v.mode == "enforce"))
    violated = min((s for s in spans if s.span_id in marked), key=lambda s: (s.started_us, s.span_id), default=None)
    chosen = first_failure(spans) or violated or root_of(spans)
    return chosen.span_id if chosen else None


_GRAVEST = ("violation", "error", "warning")


def marks_of(verdicts: Iterable[Violation]) -> dict[str, tuple[str, str]]:
    """The gravest verdict and its message by span; one on the whole trace stands at the span that weighs most."""
    marks: dict[str, tuple[str, str]] = {}
    for one in sorted(verdicts, key=lambda v: _GRAVEST.index(v.outcome)):
        span = one.span_id or next(iter(one.evidence), "")
        marks.setdefault(span, (one.outcome, one.message))
    return marks


def root_id(spans: list[SpanRow]) -> str | None:
    """The span whose input and output stand in the trace's header."""
    root = root_of(spans)
    return root.span_id if root else None


class ViewTab(msgspec.Struct, frozen=True):
    """One of the trace's views."""

    name: str
    word: str
    href: str


class TraceView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Template: pages/trace.html (GET /traces/{trace_id}). Blocks: panel, tree (the view), more (the next lines).

    The tree is laid out only when it is shown: `spans` may be empty where only the block `panel` is asked for.
    """

    row: TraceRow
    spans: tuple[SpanRow, ...]
    ask: TraceAsk
    panel: Panel | None
    root: Span | None
    project: str
    now_us: int
    verdicts: tuple[Violation, ...] = ()  # of the trace and of its spans; the gravest first
    edges: Graph | None = None  # for the graph
    complete: bool = True  # whether the graph knows more than who contains whom
    raw: RawView | None = None
    can_delete: bool = False

    @cached_property
    def marks(self) -> dict[str, tuple[str, str]]:
        """The gravest verdict and its message by span."""
        return marks_of(self.verdicts)

    @property
    def path(self) -> str:
        """The trace's own address."""
        return f"/traces/{self.row.trace_id}"

    def link(self, **changes: object) -> str:
        """This page with other parameters."""
        return self.path + self.ask.params(**changes)

    @property
    def tabs(self) -> tuple[ViewTab, ...]:
        """The views to choose from."""
        words = VIEW_WORDS | {"raw": "Raw"}
        if self.verdicts:
            words["verdicts"] = f"Verdicts {len(self.verdicts):,}"
        return tuple(ViewTab(name, words[name], self.path + self.ask.to(name)) for name in VIEWS)

    @cached_property
    def graph(self) -> GraphView:
        """The graph, where it was read."""
        return GraphView(
            tree=self.tree,
            graph=self.edges or Graph((), ()),
            ask=self.ask,
            selected=self.panel.span.span_id if self.panel else "",
            now_us=self.now_us,
            marks=self.marks,
            complete=self.complete,
        )

    @cached_property
    def flow(self) -> FlowView:
        """What flows through it."""
        return FlowView(name=self.row.name, tree=self.tree, spans=self.spans, ask=self.ask)

    @cached_property
    def gist(self) -> Gist:
        """It in short."""
        return Gist(tree=self.tree, spans=self.spans)

    @property
    def running(self) -> bool:
        """Whether more is expected."""
        return self.row.status == "running"

    @property
    def duration_us(self) -> int:
        """So far, while it runs."""
        return took_us(self.row, self.now_us)

    @cached_property
    def asked(self) -> str:
        """What the root was given."""
        return human.line(headline(self.root.input, "user")) if self.root else ""

    @cached_property
    def answered(self) -> str:
        """What the root gave back."""
        return human.line(headline(self.root.output, "assistant")) if self.root else ""

    @cached_property
    def step_names(self) -> dict[str, str]:
        """The name of each span."""
        return {span.span_id: span.name for span in self.spans}

    @cached_property
    def failure(self) -> SpanRow | None:
        """Where it failed first."""
        return first_failure(self.spans)

    @cached_property
    def tree(self) -> Tree:
        """All lines."""
        return lay(self.spans, self.now_us)

    @cached_property
    def lines(self) -> list[tuple[Line, bool]]:
        """The lines that folds, `only` and `find` leave, and whether each was looked for itself."""
        if not self.ask.only and not self.ask.find:
            return [(line, True) for line in unfolded(self.tree.lines, self.ask.fold)]
        find = self.ask.find.lower()

        def wanted(s: SpanRow) -> bool:
            bad = s.status in ("error", "blocked") or self.marks.get(s.span_id, ("",))[0] in ("violation", "error")
            if self.ask.only and not bad:
                return False
            return not find or any(
                find in t.lower() for t in (s.name, s.tool, s.model, s.agent, s.error, s.span_id) if t
            )

        return narrowed(self.tree.lines, wanted)

    @cached_property
    def first(self) -> int:
        """The first line shown: as asked, else such that the open span is among them."""
        if self.ask.start is not None:
            return min(self.ask.start, max(0, len(self.lines) - 1))
        if self.panel and self.ask.span:
            at = next((i for i, (line, _) in enumerate(self.lines) if line.span_id == self.panel.span.span_id), 0)
            return at // LINES * LINES
        return 0

    @property
    def size(self) -> int:
        """How many lines the answer has."""
        return min(max(LINES, self.ask.lines), MAX_LINES)

    @property
    def before(self) -> str:
        """The lines before the first shown; "" where there are none."""
        return self.link(start=max(0, self.first - LINES)) if self.first else ""

    @property
    def after(self) -> str:
        """The lines after the last shown; "" where there are none."""
        return self.link(start=self.first + self.size) if self.first + self.size < len(self.lines) else ""

    @property
    def lines_left(self) -> int:
        """How many lines follow the last shown."""
        return max(0, len(self.lines) - self.first - self.size)

    @property
    def next_lines(self) -> int:
        """How many of them the next answer has."""
        return min(LINES, self.lines_left)

    @property
    def ruler(self) -> tuple[str, str, str, str]:
        """Labels at a quarter, a half, three quarters and the whole."""
        whole = self.tree.ended_us - self.tree.started_us
        one, two, three, four = (human.duration(whole * i // 4) for i in range(1, 5))
        return one, two, three, four

    @property
    def hits(self) -> int:
        """How many spans `only` and `find` found."""
        return sum(hit for _, hit in self.lines)

    @property
    def rows(self) -> list[Row]:
        """The lines to print."""
        current = self.panel.span.span_id if self.panel else ""
        shown = self.lines[self.first : self.first + self.size]
        return rows(shown, self.tree, self.ask, current, self.now_us, self.marks)

    @property
    def unknown_span(self) -> str:
        """The span asked for, where the trace has none such."""
        return self.ask.span if self.panel is None and self.ask.span not in ("", CLOSED) else ""


def trace_view(
    row: TraceRow,
    spans: list[SpanRow],
    ask: TraceAsk,
    *,
    selected: Span | None,
    record: bytes,
    versions: int,
    root: Span | None,
    project: str,
    now_us: int,
    verdicts: Sequence[Violation] = (),
    can_change: bool = False,
    edges: Graph | None = None,
    complete: bool = True,
    raw: RawView | None = None,
    can_delete: bool = False,
) -> TraceView:
    """The page of a trace. `selected` is the span `selected_id(spans, ask.span)`, `root` the span `root_id(spans)`."""
    panel = None
    if selected is not None:
        panel = Panel(
            span=selected,
            record=record,
            versions=versions,
            wanted=ask.tab,
            trace_started_us=row.started_us,
            explicit=bool(ask.span),
            verdicts=tuple(v for v in verdicts if selected.span_id in (v.span_id, *v.evidence)),
            can_change=can_change,
        )
    return TraceView(
        row=row,
        spans=tuple(spans),
        ask=ask,
        panel=panel,
        root=root,
        project=project,
        now_us=now_us,
        verdicts=tuple(sorted(verdicts, key=lambda v: (_GRAVEST.index(v.outcome), -SEVERITIES.index(v.severity)))),
        edges=edges,
        complete=complete,
        raw=raw,
        can_delete=can_delete,
    )
