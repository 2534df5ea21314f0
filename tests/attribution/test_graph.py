"""The edges that a person draws who reads the captured bodies, and what hostile traces must not do."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from audittrail.attribution.graph import Graph, graph_of
from audittrail.model.record import Link
from audittrail.model.span import Message, Part, Span, Tool
from tests.ingest.test_clients import CLIENTS, MISSING, expectation, understood

TRACE = "0af7651916cd43dd8448eb211c80319c"

# Read from the bodies by hand: the model that asks for a tool calls it; the tool's result and the model's own earlier
# answer feed the next model's call. What a conversation only carries along from earlier turns is not drawn again.
# Ids are cut to four digits. What contains what is the parents of expect.json.
DRAWN: dict[str, dict[str, set[tuple[str, str]]]] = {
    "oi-openai-purge": {
        "calls": {("93ff", "53d6"), ("d07d", "675f")},
        "feeds": {("93ff", "d07d"), ("53d6", "d07d"), ("d07d", "a30c"), ("675f", "a30c")},
    },
    "oi-openai-invoice": {  # the first try of the tool failed; the model read why, and asked again
        "calls": {("34d9", "634f"), ("077d", "0399")},
        "feeds": {("34d9", "077d"), ("634f", "077d"), ("077d", "b41e"), ("0399", "b41e")},
    },
    "oi-langgraph-purge": {  # the retriever is a part of the tool, whose result stands for it
        "calls": {("3615", "db4c"), ("bae4", "320e")},
        "feeds": {("3615", "bae4"), ("db4c", "bae4"), ("bae4", "16e9"), ("320e", "16e9")},
    },
    "oi-langgraph-invoice": {
        "calls": {("dd59", "7e4b"), ("174f", "2752")},
        "feeds": {("dd59", "174f"), ("7e4b", "174f"), ("174f", "e337"), ("2752", "e337")},
    },
    "oi-agents-purge": {
        "calls": {("6f7d", "3fd1"), ("bcb4", "36e8")},
        "feeds": {("6f7d", "bcb4"), ("3fd1", "bcb4"), ("bcb4", "5016"), ("36e8", "5016")},
    },
    "strands-purge": {  # cycles of the event loop hold the steps and do nothing themselves
        "calls": {("2a0e", "9b21"), ("f7f9", "790a")},
        "feeds": {("2a0e", "f7f9"), ("9b21", "f7f9"), ("f7f9", "2a9c"), ("790a", "2a9c")},
    },
    "pydantic-v5-purge": {
        "calls": {("4005", "6d15"), ("e83b", "3bcf")},
        "feeds": {("4005", "e83b"), ("6d15", "e83b"), ("e83b", "8708"), ("3bcf", "8708")},
    },
    "otel-v2-latest-purge": {
        "calls": {("4672", "2e40"), ("8e4b", "6e8a")},
        "feeds": {("4672", "8e4b"), ("2e40", "8e4b"), ("8e4b", "74c3"), ("6e8a", "74c3")},
    },
    "plain-py-structured": {"calls": {("3959", "9619")}, "feeds": set()},  # what follows recorded no content
    "otel-v2-purge": {"calls": set(), "feeds": set()},  # models' contents were not recorded: nothing is guessed
    "oi-anthropic-purge": {"calls": set(), "feeds": set()},  # three traces; inside each, one call written twice
}


@pytest.mark.parametrize("case", DRAWN)
def test_the_edges_are_those_that_a_person_draws(case: str) -> None:
    if not CLIENTS.is_dir():
        pytest.skip(MISSING)
    traces: dict[str, list[Span]] = {}
    for span in understood(case).values():
        traces.setdefault(span.trace_id, []).append(span)
    edges = [edge for spans in traces.values() for edge in graph_of(spans).edges]
    for kind in ("calls", "feeds"):
        assert {(e.source[:4], e.target[:4]) for e in edges if e.type == kind} == DRAWN[case][kind], kind
    expected = expectation(case)["expected_spans"]
    ids = {one["span_id"] for one in expected}
    parents = {(one.get("parent_span_id"), one["span_id"]) for one in expected if one.get("parent_span_id") in ids}
    assert {(e.source, e.target) for e in edges if e.type == "contains"} == parents
    assert all(len(edge.why) <= 80 for edge in edges)


def sid(number: int) -> str:
    return f"{number:016x}"


def step(number: int, kind: str = "tool", *, parent: int | None = None, **fields: object) -> Span:
    """The n-th step begins in the n-th second and lasts half of it."""
    values: dict[str, object] = {"started_us": number * 1_000_000, "ended_us": number * 1_000_000 + 500_000}
    parent_id = None if parent is None else sid(parent)
    return Span(trace_id=TRACE, span_id=sid(number), parent_id=parent_id, kind=kind, **{**values, **fields})  # type: ignore[arg-type]


def drawn(spans: Sequence[Span], kind: str) -> set[tuple[int, int]]:
    return {(int(e.source, 16), int(e.target, 16)) for e in graph_of(spans).edges if e.type == kind}


def asks(*calls: tuple[str | None, str, object]) -> tuple[Message, ...]:
    return (Message("assistant", tuple(Part("tool_call", id=i, name=n, value=a) for i, n, a in calls)),)


SAID = "The archive of the northern branch holds nine thousand letters from before the flood."


@pytest.mark.parametrize("value", ["ok", "true", "1", "done", "null", "2026-11-24", "12:30", "the end", "250"])
def test_what_anyone_could_have_said_makes_no_edge(value: str) -> None:
    assert not drawn([step(1, output=value), step(2, "llm", input=f"It is {value} now"), step(3, input=value)], "feeds")


@pytest.mark.parametrize(
    ("output", "taken"),
    [
        (SAID, f"Summarise this:\n  {SAID.upper()}\nBriefly."),
        ({"documents": [{"text": SAID}]}, (Message("user", (Part("text", f"Context: {SAID}"),)),)),
        ("Customer CUS-9F3K2 was found", {"customer": "CUS-9F3K2"}),
        ({"id": 20482048}, {"id": "20482048"}),
        (f'{{"answer": "{SAID}"}}', SAID),
    ],
)
def test_what_only_one_step_said_is_found_in_the_next(output: object, taken: object) -> None:
    assert drawn([step(1, output=output), step(2, input="else"), step(3, input=taken)], "feeds") == {(1, 3)}


def test_what_came_from_outside_is_evidence_of_nothing() -> None:
    spans = [step(1, "agent", input=SAID), step(2, parent=1, input=SAID, output=SAID), step(3, "llm", input=SAID)]
    assert not drawn(spans, "feeds")
    assert not drawn([step(1, "llm", input=SAID), step(2, output=SAID), step(3, input=SAID)], "feeds")


def test_nothing_is_fed_by_what_comes_later_or_contains_it() -> None:
    assert not drawn([step(1, input=SAID), step(2, output=SAID)], "feeds")
    outer = step(1, output=SAID, ended_us=9_000_000)
    assert not drawn([outer, step(2, parent=1, output=SAID), step(3, parent=1, ended_us=9_500_000)], "feeds")


def test_two_that_said_the_same_both_feed() -> None:
    assert drawn([step(1, output=SAID), step(2, output=SAID), step(3, input=SAID)], "feeds") == {(1, 3), (2, 3)}


def test_ids_that_are_used_again_mean_the_latest() -> None:
    spans = [
        step(1, "llm", output=asks(("call_1", "look", {"a": 1}))),
        step(2, tool=Tool("look", "call_1", {"a": 1}, "x")),
        step(3, "llm", output=asks(("call_1", "look", {"a": 2}))),
        step(4, tool=Tool("look", "call_1", {"a": 2}, "y")),
        step(5, "llm", input=(Message("tool", (Part("tool_result", id="call_1", value="x"),)),)),
    ]
    assert drawn(spans, "calls") == {(1, 2), (3, 4)}
    assert drawn(spans, "feeds") == {(2, 5)}


def test_calls_without_ids_take_the_next_of_their_name_and_arguments() -> None:
    spans = [
        step(1, tool=Tool("look", None, {"a": 1})),  # before anyone asked
        step(2, "llm", output=asks((None, "look", {"a": 1}), (None, "look", {"a": 2}))),
        step(3, tool=Tool("look", None, {"a": 2})),
        step(4, tool=Tool("look", None, {"a": 1})),
        step(5, tool=Tool("look", None, {"a": 3})),
    ]
    assert drawn(spans, "calls") == {(2, 3), (2, 4)}


def test_a_call_that_failed_and_was_tried_again_is_the_same_call() -> None:
    spans = [
        step(1, "llm", output=asks(("c", "look", {"a": 1}))),
        step(2, status="error", tool=Tool("look", "c", {"a": 1})),
        step(3, tool=Tool("look", None, {"a": 1})),
        step(4, tool=Tool("look", None, {"a": 1})),
    ]
    assert drawn(spans, "calls") == {(1, 2), (1, 3)}


def test_links_lead_from_what_is_linked_to_the_span_that_says_so() -> None:
    links = (Link(TRACE, sid(1)), Link(TRACE, sid(1)), Link(TRACE, sid(2)), Link("f" * 32, sid(1)), Link(TRACE, sid(9)))
    assert drawn([step(1), step(2, links=links)], "links") == {(1, 2)}


def test_loops_are_cut_and_orphans_have_no_parent() -> None:
    spans = [step(1, parent=3), step(2, parent=1), step(3, parent=2), step(4, parent=4), step(5, parent=77)]
    assert drawn(spans, "contains") == {(1, 2), (2, 3)}
    assert graph_of([]) == Graph((), ())


def test_the_graph_does_not_depend_on_the_order_of_arrival() -> None:
    spans = [
        step(1, "llm", output=asks(("c", "look", {"a": 1}), (None, "see", "b"))),
        step(2, tool=Tool("look", "c", {"a": 1}, SAID)),
        step(3, tool=Tool("see", None, "b")),
        step(4, "retriever", input=SAID, output="Letter FL-1907-22"),
        step(5, "llm", input="Read FL-1907-22", links=(Link(TRACE, sid(2)),)),
    ]
    graph = graph_of(spans)
    assert graph.nodes == tuple(sid(number) for number in range(1, 6))
    assert {e.type for e in graph.edges} == {"calls", "feeds", "links"}
    for seed in range(20):
        random.Random(seed).shuffle(spans)
        assert graph_of(spans) == graph


def test_a_reason_can_be_stored_whatever_the_trace_says() -> None:
    evil = "\ud800\x00\u202e<script>" + "x" * 5_000
    spans = [
        step(1, "llm", output=asks((evil, "look", {}))),
        step(2, tool=Tool("look", evil, {}, evil)),
        step(3, "llm", input=(Message("tool", (Part("tool_result", id=evil, value=evil),)),)),
    ]
    reasons = [edge.why for edge in graph_of(spans).edges]
    assert len(reasons) == 2
    for why in reasons:
        assert why.encode() and "\x00" not in why and "\u202e" not in why and len(why) < 100


def test_hostile_contents_end() -> None:
    deep: object = SAID
    for _ in range(5_000):
        deep = [deep]
    many = asks(*[("z", "t", {"a": 1})] * 2_000)
    spans = [step(1, "llm", output=many), step(2, output=deep), step(3, input={"a": deep, "b": "[" * 50_000})]
    spans += [step(n, tool=Tool("t", "z", {"a": 1}, "r" * 100_000)) for n in range(4, 60)]
    spans += [step(n, parent=n - 1, kind="llm", output=SAID, input=SAID) for n in range(60, 400)]
    assert len(drawn(spans, "calls")) == 56
