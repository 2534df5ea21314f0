"""What the graph, the flows, the summary and the raw view of a trace say, as functions of its spans."""

from decimal import Decimal

import pytest

from audittrail.attribution.graph import Edge, Graph, graph_of
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.tree import lay
from audittrail.web.graphs import Found, Graphs, containment
from audittrail.web.views.flow import FlowView
from audittrail.web.views.gist import Gist
from audittrail.web.views.graph import GraphView
from audittrail.web.views.links import EDGE_TYPES, TraceAsk
from audittrail.web.views.raw import PAGE, RawView

S = 1_000_000
NOW = 100 * S


def row(number, parent=None, start=0, took=1, **fields):
    """A span of `took` seconds."""
    ended = None if took is None else (start + took) * S
    return SpanRow(
        trace_id="t", span_id=f"s{number}", parent_id=parent and f"s{parent}", name=f"step {number}",
        started_us=start * S, ended_us=ended, **fields,
    )  # fmt: skip


def graph(rows, between=None, selected="", marks=None, **asked):
    found = Graph(tuple(r.span_id for r in rows), tuple(between)) if between is not None else containment(rows)
    ask = TraceAsk.parse(**({"view": "graph"} | asked))
    return GraphView(tree=lay(rows, NOW), graph=found, ask=ask, selected=selected, now_us=NOW, marks=marks or {})


def flow(rows, **asked):
    return FlowView(name="run", tree=lay(rows, NOW), spans=tuple(rows), ask=TraceAsk.parse(**asked))


AGENT = [
    row(1, took=10, kind="agent", agent="clerk"),
    row(
        2,
        1,
        0,
        2,
        kind="llm",
        model="m-1",
        cost=Decimal("0.03"),
        input_tokens=100,
        cache_read_tokens=60,
        output_tokens=10,
    ),
    row(3, 1, 2, 5, kind="tool", tool="search"),
    row(
        4, 1, 7, 2, kind="llm", model="m-2", cost=Decimal("0.01"), input_tokens=50, output_tokens=20, reasoning_tokens=5
    ),
    row(5, 1, 9, 1, kind="llm", model="m-3"),
]
EDGES = [
    *(Edge("s1", f"s{n}", "contains") for n in range(2, 6)),
    *(Edge("s2", "s3", "calls", "call c1"), Edge("s3", "s4", "feeds", "its result"), Edge("s4", "s5", "feeds", "text")),
]


# The address


def test_a_view_and_what_it_shows_stand_in_the_address():
    ask = TraceAsk.of({"view": "graph", "edges": "feeds,calls,nonsense", "open": "s1,s1,+", "from": "3", "span": "s2"})
    assert (ask.view, ask.edges, ask.open, ask.start) == ("graph", ("calls", "feeds"), ("s1", "s1", "+"), 3)
    assert TraceAsk.of({"view": "pie", "edges": "x", "measure": "y"}) == TraceAsk()
    assert TraceAsk.parse(edges="none").edges == ()
    for asked in (ask, TraceAsk(), TraceAsk.parse(view="flow", measure="time"), TraceAsk.parse(edges="none")):
        query = dict(pair.split("=") for pair in asked.params()[1:].split("&") if pair)
        assert TraceAsk.of({k: v.replace("%2C", ",").replace("%2B", "+") for k, v in query.items()}) == asked
    assert TraceAsk.parse(view="raw", after="x", span="s2").to("timeline") == "?span=s2"
    assert TraceAsk().params() == "?"


# The graph


def test_nodes_carry_what_matters_and_edges_begin_at_their_source():
    rows = [*AGENT[:2], row(3, 1, 2, 5, kind="tool", tool="search", status="error", error="no"), *AGENT[3:]]
    g = graph(rows, EDGES, selected="s3", marks={"s3": ("violation", "too much")})
    knots = {k.place.id: k for k in g.knots}
    assert [k.place.id for k in g.knots] == ["s1", "s2", "s3", "s4", "s5"], "in the order of the trace"
    bad = knots["s3"]
    assert (bad.status, bad.error, bad.verdict, bad.current, bad.detail) == (
        "error",
        "no",
        "violation",
        True,
        "5.00 s · search",
    )
    assert bad.href == "?view=graph&span=s3"
    assert [(a.type, a.target, a.why) for a in bad.arrows] == [("feeds", "s4", "its result")]
    assert [k.count for k in g.kinds] == [4, 1, 2, 0]


def test_the_path_is_all_that_leads_to_the_open_step_and_all_that_follows():
    nodes, ties = graph(AGENT, EDGES, selected="s3").on_path
    assert nodes == {"s1", "s2", "s3", "s4", "s5"}
    assert {(t.source, t.target) for t in ties} == {
        ("s1", "s2"),
        ("s1", "s3"),
        ("s2", "s3"),
        ("s3", "s4"),
        ("s4", "s5"),
    }
    nodes, _ = graph(AGENT, EDGES, selected="s3", edges="calls").on_path
    assert nodes == {"s2", "s3"}
    assert graph(AGENT, EDGES).on_path == (set(), set())


def test_types_are_hidden_and_shown_by_links():
    kinds = {k.type: k for k in graph(AGENT, EDGES, edges="calls,feeds").kinds}
    assert {t for t, k in kinds.items() if k.on} == {"calls", "feeds"}
    assert kinds["calls"].href == "?view=graph&edges=feeds"
    assert kinds["contains"].href == "?view=graph&edges=contains%2Ccalls%2Cfeeds"
    assert graph(AGENT, EDGES, edges="links").kinds[3].href == "?view=graph&edges=none"
    assert graph(AGENT, EDGES, edges="calls,feeds,links").kinds[0].href == "?view=graph"


def test_edges_of_folded_steps_lead_to_what_stands_for_them():
    rows = [row(1, took=200), *(row(n, 1, n) for n in range(2, 202))]
    fed = [Edge(f"s{n}", f"s{n + 1}", "feeds") for n in range(2, 201)]
    g = graph(rows, [*(Edge("s1", f"s{n}", "contains") for n in range(2, 202)), *fed])
    (rest,) = [k for k in g.knots if k.kind == "rest"]
    assert (rest.name, rest.href) == ("+190 steps", "?view=graph&open=s1")
    drawn = {(t.source, t.target): a.count for t, a in g.drawn.items()}
    assert drawn["s1", "+s1"] == 190 and drawn["s11", "+s1"] == 1
    assert sum(drawn.values()) + g.edges_inside == len(g.edges) == 399
    more = graph(rows, [], open="s1")
    assert sum(k.kind != "rest" for k in more.knots) == 61
    assert next(k for k in more.knots if k.place.id == "s1").fold == "?view=graph&span=s1"


def test_a_parent_that_never_came_has_its_place():
    g = graph([row(2, 1), row(3, 1)])
    assert next((k.kind, k.href) for k in g.knots) == ("missing", "")
    assert {(t.source, t.target) for t in g.drawn} == {("s1", "s2"), ("s1", "s3")}


def test_loops_and_what_runs_are_drawn():
    g = graph(
        [row(1, 2, took=None), row(2, 1), row(3, 3)],
        [Edge("s1", "s2", "contains"), Edge("s2", "s1", "contains"), Edge("s3", "s3", "links")],
    )
    assert {k.place.id: (k.status, k.looped) for k in g.knots}["s1"] == ("running", True)
    assert sorted((a.source, a.backward) for k in g.knots for a in k.arrows) == [
        ("s1", False),
        ("s2", True),
        ("s3", True),
    ]


def test_texts_fit_their_boxes_and_hidden_signs_are_seen():
    g = graph([SpanRow(trace_id="t", span_id="s1", name="W" * 200 + "\u202e", model="\u202e" * 9, kind="llm")])
    (knot,) = g.knots
    assert len(knot.name) < 25 and knot.name.endswith("…")
    assert "\u202e" not in knot.title + knot.detail


def test_the_table_has_every_edge_as_recorded_up_to_its_limit():
    rows = [row(n) for n in range(1, 500)]
    g = graph(rows, [Edge(f"s{n}", f"s{n + 1}", "feeds") for n in range(1, 499)])
    assert (len(g.table), g.table_left) == (400, 98)


def test_drawn_down_or_to_the_right_as_it_fits():
    assert graph([row(1), *(row(n, 1) for n in range(2, 40))]).layout.direction == "right"
    assert graph([row(n, n - 1 or None) for n in range(1, 40)]).layout.direction == "down"


async def test_a_graph_is_read_once_while_its_trace_stays_the_same():
    reads = []

    async def read(conn, project_id, trace_id, rows):
        reads.append(trace_id)
        return Found(Graph(tuple(r.span_id for r in rows), ()))

    graphs = Graphs(read)
    trace = TraceRow("t", received_us=1, span_count=5)
    for at in (0, 1, 10**12):
        assert len((await graphs.read(None, 1, trace, AGENT, at)).graph.nodes) == 5
    await graphs.read(None, 2, trace, AGENT, 10**12)
    await graphs.read(None, 1, TraceRow("t", received_us=2, span_count=5), AGENT, 10**12)
    assert len(reads) == 4


# The flows


def test_cost_flows_to_models_and_unpriced_calls_are_counted():
    f = flow(AGENT)
    assert (f.whole, f.unpriced) == (Decimal("0.04"), 1)
    assert [(b.source, b.target, b.value, b.share) for b in f.bands] == [
        ("run", "clerk", "$0.040", "100.0 %"),
        ("clerk", "m-1", "$0.030", "75.0 %"),
        ("clerk", "m-2", "$0.010", "25.0 %"),
    ]


def test_tokens_flow_on_to_what_they_were():
    f = flow(AGENT, measure="tokens")
    assert (f.whole, f.unreported) == (180, 1)
    ends = {(b.source, b.target): b.value for b in f.bands}
    assert ends["m-1", "Cache read"] == "60" and ends["m-1", "Input"] == "40"
    assert ends["m-2", "Reasoning"] == "5" and ends["m-2", "Output"] == "15"
    senseless = [
        row(1, kind="llm", model="m", input_tokens=5, cache_read_tokens=9, output_tokens=1, reasoning_tokens=3)
    ]
    assert {b.target: b.value for b in flow(senseless, measure="tokens").bands if b.source == "m"} == {
        "Input": "5",
        "Output": "1",
    }


def test_time_flows_to_what_the_trace_waited_for_and_sums_to_it():
    f = flow(AGENT, measure="time")
    assert f.whole == 10 * S
    assert {b.target: b.value for b in f.bands if b.source == "clerk"}["search"] == "5.00 s"
    parallel = [
        row(1, took=10, kind="agent"),
        row(2, 1, 0, 9, kind="tool", tool="slow"),
        row(3, 1, 0, 4, kind="tool", tool="quick"),
    ]
    said = {b.target: b.value for b in flow(parallel, measure="time").bands}
    assert said["slow"] == "9.00 s" and "quick" not in said and said["agents alone"] == "1.00 s"


@pytest.mark.parametrize("measure", ["cost", "tokens", "time"])
def test_nothing_flows_in_an_empty_trace(measure):
    f = flow([], measure=measure)
    assert (f.drawing.bars, list(f.bands), f.whole) == ((), [], 0)


def test_a_step_without_an_agent_belongs_to_the_nearest_above():
    rows = [
        row(1, kind="agent", agent="outer"),
        row(2, 1, kind="agent"),
        row(3, 2, kind="chain"),
        row(4, 3, kind="llm"),
        row(5),
    ]
    assert flow(rows).agents == {"s1": "outer", "s2": "step 2", "s3": "step 2", "s4": "step 2", "s5": "(no agent)"}


# In short, and raw


def test_the_longest_of_the_critical_path():
    gist = Gist(tree=lay(AGENT, NOW), spans=tuple(AGENT))
    assert [(w.span.span_id, w.us // S, w.share) for w in gist.waits] == [
        ("s3", 5, 50),
        ("s2", 2, 20),
        ("s4", 2, 20),
        ("s5", 1, 10),
    ]
    assert {(k.kind, k.count) for k in gist.kinds} == {("llm", 3), ("agent", 1), ("tool", 1)}
    assert [(m.model, m.calls, m.cost, m.unpriced) for m in gist.models] == [
        ("m-1", 1, Decimal("0.03"), 0), ("m-2", 1, Decimal("0.01"), 0), ("m-3", 1, None, 1),
    ]  # fmt: skip


def test_raw_records_are_cut_and_paged():
    found = [(row(n), b"x" * 30_000 if n == 1 else b"{}", 1) for n in range(1, PAGE + 2)]
    view = RawView.of(found)
    assert (len(view.items), view.items[0].cut, len(view.items[0].text), view.items[0].size) == (
        PAGE,
        True,
        20_000,
        30_000,
    )
    assert view.next and not RawView.of(found[:PAGE]).next


def test_the_graph_of_spans_that_agree_with_their_rows():
    spans = [
        Span(trace_id="t", span_id=r.span_id, parent_id=r.parent_id, started_us=r.started_us, ended_us=r.ended_us)
        for r in AGENT
    ]
    assert {(e.source, e.target) for e in graph_of(spans).edges if e.type == "contains"} == {
        (e.source, e.target) for e in containment(AGENT).edges
    }
    assert set(EDGE_TYPES) == {"contains", "calls", "feeds", "links"}
