"""Ablation of whole traces: what goes with what, what it refuses, and that it is the same each time."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from audittrail.attribution import Ablation, Outcome, Stopped, ablate, graph_of, outcomes_of, parse
from audittrail.attribution.counterfactual import Record
from audittrail.attribution.finding import of_sets
from audittrail.attribution.measures import Time, cost_of, tokens_of
from audittrail.attribution.remainder import Remainder
from audittrail.attribution.steps import Steps
from audittrail.model.errors import Invalid
from audittrail.model.span import Span, SpanError, Tokens, Tool
from audittrail.model.summary import SpanRow, TraceRow, summarise
from tests.attribution.planted import Planted, conversation, harms, leak, leaks, over, verdict
from tests.attribution.test_graph import asks, drawn, sid, step
from tests.attribution.test_planted import run

ALL = {"judge_span": harms, "judge_trace": leaks}


def row_of(spans: list[Span]) -> TraceRow:
    return summarise([SpanRow.of(span) for span in spans], 1).now


def ask(spans: list[Span], outcome: dict[str, Any], **more: Any) -> Ablation:
    return ablate(row_of(spans), spans, parse(outcome), **{**ALL, **more})


def gone(spans: list[Span], *taken: int) -> set[int]:
    steps = Steps(spans)
    record = Record(steps, graph_of(spans))
    record.take(steps.place[sid(number)] for number in taken)
    found = {int(steps.spans[at].span_id, 16) for at in record.lost}
    record.restore()
    assert not any(record.gone) and not record.lost
    return found


def loop() -> list[Span]:
    """An agent: 2 asks for 3 and 4; 5 reads what 3 found, and asks for 6; 7 is a chain around 8."""
    return [
        step(1, "agent", ended_us=99_000_000),
        step(2, "llm", parent=1, output=asks(("a", "look", {}), ("b", "see", {}))),
        step(3, parent=1, tool=Tool("look", "a", {}, "Letter FL-1907-22 is in box nine of the northern archive")),
        step(4, parent=1, tool=Tool("see", "b", {}, "nothing")),
        step(5, "llm", parent=1, input="Read FL-1907-22", output=asks(("c", "act", {"harm": 1}))),
        step(6, parent=1, tool=Tool("act", "c", {"harm": 1}, "done")),
        step(7, "chain", parent=1, ended_us=9_000_000),
        step(8, "retriever", parent=7),
    ]


@pytest.mark.parametrize(
    ("taken", "lost"),
    [
        ((4,), {4}),
        ((3,), {3, 5, 6}),  # 5 read only what 3 found, and alone asked for 6
        ((2,), {2, 3, 4, 5, 6}),
        ((6,), {6}),
        ((8,), {7, 8}),  # nothing is left in the chain
        ((7,), {7, 8}),
        ((2, 8), {2, 3, 4, 5, 6, 7, 8}),  # the agent stays and did nothing
        ((1,), set(range(1, 9))),
        ((), set()),
    ],
)
def test_with_a_step_goes_what_only_it_made_possible(taken: tuple[int, ...], lost: set[int]) -> None:
    assert gone(loop(), *taken) == lost


def test_a_step_with_another_way_in_stays() -> None:
    said = "Letter FL-1907-22 is in box nine"
    spans = [step(1, output=said), step(2, output=said), step(3, "llm", input="FL-1907-22")]
    assert drawn(spans, "feeds") == {(1, 3), (2, 3)}
    assert gone(spans, 1) == {1} and gone(spans, 2) == {2} and gone(spans, 1, 2) == {1, 2, 3}


@st.composite
def traces(draw: st.DrawFn) -> list[Span]:
    """Spans with any parents, times, ids of calls, usage and failures."""
    count = draw(st.integers(1, 9))
    found = []
    for number in range(1, count + 1):
        start = draw(st.integers(0, 20))
        lasts = draw(st.one_of(st.none(), st.integers(0, 15)))
        kind = draw(st.sampled_from(["agent", "chain", "llm", "tool", "embedding", "retriever"]))
        call = draw(st.sampled_from(["a", "b", None]))
        amount = draw(st.one_of(st.none(), st.integers(0, 9)))
        status = draw(st.sampled_from(["ok", "ok", "error", "blocked"])) if lasts is not None else "running"
        parent = draw(st.one_of(st.none(), st.integers(1, count + 2)))
        found.append(
            step(
                number,
                kind,
                parent=parent,
                started_us=start,
                ended_us=None if lasts is None else start + lasts,
                status=status,
                error=SpanError("it broke" if call else f"broken {number}") if status == "error" else None,
                tool=Tool("look", call, {"n": 1}, "it was found in box nine") if kind == "tool" else None,
                output=asks((call, "look", {"n": 1})) if kind == "llm" and call else None,
                tokens=Tokens(input=amount, output=amount),
                cost=None if amount is None else Decimal(amount) / 7,
                agent=draw(st.sampled_from(["x", "y", None])),
                pii={"email": amount} if amount else {},
            )
        )
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(traces(), st.data())
def test_what_is_left_is_summed_up_as_a_summary_would(spans: list[Span], data: st.DataObject) -> None:
    """Step by step as in the end, and back. A summary knows nothing of causes, so its time and failures are compared
    for the whole trace alone."""
    steps = Steps(spans)
    # A summary counts no usage of two calls that contain each other; with the loop cut, the inner one counts.
    assume(all(span.parent_id not in steps.by_id or span.span_id in steps.parents for span in spans))
    left = Remainder(steps, 1)
    whole = left.trace()
    assert whole is not None
    want = msgspec.structs.replace(row_of(spans), cost=whole.cost)
    differ = [name for name in want.__struct_fields__ if getattr(want, name) != getattr(whole, name)]
    assert not differ
    assert math.isclose(whole.cost or 0, row_of(spans).cost or 0, abs_tol=1e-12)
    record = Record(steps, graph_of(spans))
    record.take(data.draw(st.lists(st.integers(0, len(spans) - 1), max_size=4)), left)
    rows = [SpanRow.of(span) for at, span in enumerate(steps.spans) if not record.gone[at]]
    now = left.trace()
    assert [row.span_id for row in left.left()] == [row.span_id for row in rows]
    if rows:
        want = summarise(rows, 1).now
        assert now is not None
        own = {name: getattr(now, name) for name in ("status", "error", "error_count", "ended_us", "cost")}
        assert now == msgspec.structs.replace(want, **own)
        assert now.error_count == sum(row.status == "error" for row in left.left()) <= want.error_count
        assert math.isclose(now.cost or 0, want.cost or 0, abs_tol=1e-12)
    else:
        assert now is None
    record.restore(0, left)
    assert left.trace() == whole and left.mask == 0


@settings(max_examples=25, deadline=None)
@given(traces(), st.randoms(use_true_random=False))
def test_any_trace_can_be_asked_about_what_it_has(spans: list[Span], draw: random.Random) -> None:
    """Cycles, two roots, none, running spans: values add up, and do not depend on the order of arrival."""
    row = row_of(spans)
    shuffled = draw.sample(spans, len(spans))
    outcomes = outcomes_of(row, spans, **ALL)
    assert outcomes_of(row, shuffled, **ALL) == outcomes
    for outcome in outcomes:
        for by in ("spans", "agents", "names"):
            found = ablate(row, spans, outcome, players=by, **ALL)
            assert ablate(row, shuffled, outcome, players=by, **ALL) == found
            total = math.fsum(part.value or 0 for part in found.parts)
            assert math.isclose(total, found.with_all - found.with_none, abs_tol=1e-9)
            assert msgspec.json.decode(msgspec.json.encode(found), type=Ablation) == found


def test_time_beside_other_work_goes_with_the_last_that_was_at_work() -> None:
    spans = [
        step(1, "agent", started_us=0, ended_us=100),
        step(2, parent=1, started_us=10, ended_us=50),
        step(3, parent=1, started_us=30, ended_us=70),
        step(4, "llm", parent=3, started_us=60, ended_us=65),
    ]
    time = Time(Steps(spans))
    values = [time.value()]
    for at in (1, 3, 2, 0):
        time.lose(at)
        values.append(time.value())
    assert values == [100, 80, 75, 40, 0]  # 10-30; 60-65; 30-60 and 65-70; the agent's own 0-10 and 70-100
    for at in (0, 2, 3, 1):
        time.regain(at)
    assert time.value() == 100


def test_a_call_that_was_written_twice_is_counted_once_and_is_one_player() -> None:
    spans = [
        step(1, "llm", tokens=Tokens(input=10), ended_us=9_000_000, cost=Decimal("0.1")),
        step(2, "llm", parent=1, tokens=Tokens(input=10), cost=Decimal("0.1")),
        step(3, "llm", tokens=Tokens(input=5)),
    ]
    steps = Steps(spans)
    assert tokens_of(steps).value() == 15 and cost_of(steps).value() == 10**14
    found = ask(spans, {"measure": "tokens"})
    assert {(part.span_id, part.value) for part in found.parts} == {(sid(1), 10.0), (sid(3), 5.0)}


@pytest.mark.parametrize(
    "outcome",
    [
        *(
            None,
            [],
            "error",
            {},
            {"rule": ""},
            {"rule": 5},
            {"rule": "x" * 300},
            {"rule": "x", "more": 1},
            {"error": 1},
        ),
        *(
            {"error": False},
            {"error": "no id"},
            {"measure": "colour"},
            {"measure": ["cost"]},
            {"rule": "x", "span": "y"},
        ),
        {"error": True, "measure": "cost"},
    ],
)
def test_what_is_no_outcome_is_refused_with_what_is_one(outcome: object) -> None:
    with pytest.raises(Invalid, match="An outcome is one of"):
        parse(outcome)


def test_outcomes_are_read_and_written_as_json() -> None:
    for given_ in (
        {"rule": "r"},
        {"rule": "r", "span": sid(1)},
        {"error": True},
        {"error": sid(1)},
        {"measure": "cost"},
    ):
        outcome = parse(given_)
        assert msgspec.to_builtins(outcome) == given_
        assert msgspec.json.decode(msgspec.json.encode(given_), type=Outcome) == outcome


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ({"rule": "other"}, "The rule other is not violated by this trace"),
        ({"rule": "planted", "span": sid(3)}, f"The rule planted is not violated by span {sid(3)}"),
        ({"error": True}, "This trace did not end in an error"),
        ({"error": sid(6)}, f"Span {sid(6)} did not fail"),
        ({"measure": "cost"}, "No call of it has a known price"),
        ({"measure": "tokens"}, "No call of it reports tokens"),
    ],
)
def test_what_a_trace_does_not_have_is_refused_with_what_it_has(outcome: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(loop(), outcome)
    assert str(refused.value).startswith(sentence)
    assert '{"rule":"planted"} or {"measure":"duration"}' in str(refused.value)


def test_a_failed_span_can_be_asked_about_though_the_trace_went_well() -> None:
    spans = loop()
    spans[3] = msgspec.structs.replace(spans[3], status="error")
    found = ask(spans, {"error": sid(4)})
    assert [(one.span_ids, one.upstream) for one in found.sets] == [((sid(4),), (sid(2),))]
    assert found.unit == "error"


def test_the_finding_says_it_in_words() -> None:
    found = ask(loop(), {"rule": "planted"})
    assert found.finding == (
        f"Without act (span {sid(6)}) the rule planted is not violated. The same holds without step (span {sid(2)}), "
        f"look (span {sid(3)}) or step (span {sid(5)}), without which that step would not have come. No other single "
        "step changes that."
    ).replace("step (span", "llm (span")
    assert found.level == "proved" and found.exact and found.complete
    assert [part.takes for part in found.parts] == [4, 2, 0, 1, 0, 1]


def test_agents_and_names_are_players_too() -> None:
    spans = [
        step(1, "agent", name="lead", ended_us=90_000_000),
        step(2, "llm", parent=1, name="chat", tokens=Tokens(input=1)),
        step(3, "agent", name="clerk", parent=1, ended_us=80_000_000),
        step(4, "llm", parent=3, name="chat", tokens=Tokens(input=10)),
        step(5, "llm", parent=3, name="chat", tokens=Tokens(input=20)),
        step(6, "embedding", name="embed", tokens=Tokens(input=100)),
    ]
    agents = ask(spans, {"measure": "tokens"}, players="agents")
    assert [(part.name, part.kind, part.value) for part in agents.parts] == [
        ("lead", "agent", 1.0),
        ("clerk", "agent", 30.0),
        ("embed", "embedding", 100.0),
    ]
    names = ask(spans, {"measure": "tokens"}, players="names")
    assert [(part.name, part.value, len(part.span_ids)) for part in names.parts] == [
        ("chat", 31.0, 3),
        ("embed", 100.0, 1),
    ]


@pytest.mark.parametrize("plant", (conversation, leak), ids=lambda plant: plant.__name__)
def test_the_same_seed_gives_the_same_answer(plant: Any) -> None:
    planted: Planted = plant(7)
    planted.spans += [step(number, "tool", name=f"extra {number}") for number in range(1, 20)]
    one, other = run(planted, seed=3), run(planted, seed=3)
    assert one == other and not one.exact and one.samples > 0
    different = run(planted, seed=4)
    assert [part.value for part in different.parts] != [part.value for part in one.parts]
    for part in one.parts:
        assert part.low is not None and part.value is not None and part.high is not None
        assert part.low <= part.value <= part.high
    total = math.fsum(part.value or 0 for part in one.parts)
    assert math.isclose(total, one.with_all - one.with_none, abs_tol=1e-9)


def test_sampled_values_are_near_the_exact_ones() -> None:
    """Eleven steps, exact; and the same with three more that do nothing, which are drawn."""
    spans = [step(number, "llm", tokens=Tokens(input=number * 100)) for number in range(1, 12)]
    more = [step(number, "tool") for number in range(12, 15)]
    judge = {"judge_trace": over(3_000), "judge_span": lambda span: ()}
    few, many = ask(spans, {"rule": "planted"}, **judge), ask(spans + more, {"rule": "planted"}, **judge)
    assert few.exact and not many.exact
    for one, other in zip(few.parts, many.parts, strict=False):
        assert one.value == pytest.approx(other.value, abs=0.05)


def test_progress_is_told_and_stop_ends_it() -> None:
    spans = [step(number, "tool", tool=Tool("act", None, {"harm": number})) for number in range(1, 400)]
    told: list[tuple[int, int]] = []
    ask(spans, {"rule": "planted"}, progress=lambda done, total: told.append((done, total)), samples=20_000)
    assert len(told) > 50 and told == sorted(told) and all(0 <= done <= total for done, total in told)
    asked = iter(range(10))
    with pytest.raises(Stopped, match="stopped"):
        ask(spans, {"rule": "planted"}, stop=lambda: next(asked) > 3)


def test_a_very_long_conversation_is_answered_within_bounds() -> None:
    """Three hundred turns of a model and a tool, with a rule about whole traces: changes are found by halving."""
    spans = []
    for turn in range(300):
        spans.append(step(2 * turn + 1, "llm", output=asks((f"c{turn}", "look", {})), tokens=Tokens(input=1)))
        spans.append(step(2 * turn + 2, tool=Tool("look", f"c{turn}", {}, "x")))
    found = ask(spans, {"rule": "planted"}, judge_trace=over(200), judge_span=lambda span: (), samples=1)
    assert found.samples == 32 and not found.complete and not found.exact
    assert math.isclose(math.fsum(part.value or 0 for part in found.parts), 1, abs_tol=1e-9)
    assert found.asked < 30_000


def test_a_rule_that_finds_fault_with_nothing_left_has_no_cause() -> None:
    always: Any = lambda trace, spans: [verdict(True)]  # noqa: E731
    found = ask(loop(), {"rule": "planted"}, judge_span=lambda span: (), judge_trace=always)
    assert found.sets == () and found.with_none == 1
    assert found.finding == (
        "No step of the record is the cause: even without all of them, the rule planted is still violated."
    )


def test_hostile_names_are_shown_for_what_they_are() -> None:
    spans = [step(1, tool=Tool("a\u202e\n" + "x" * 500, None, {"harm": 1}))]
    said = ask(spans, {"rule": "planted"}).finding
    assert "\u202e" not in said and "\n" not in said and len(said) < 400


def test_where_nothing_can_be_said_of_time_the_rest_can_be_asked() -> None:
    spans = [
        step(n, "llm", started_us=n, ended_us=10**9 + n, tokens=Tokens(input=5, output=1)) for n in range(1, 2_501)
    ]
    assert Outcome(measure="tokens") in outcomes_of(row_of(spans), spans, **ALL)
    with pytest.raises(Invalid, match="ran beside each other"):
        ask(spans, {"measure": "duration"})
    assert ask(spans, {"measure": "tokens"}, samples=20_000).with_all == 6 * 2_500


def test_a_set_of_causes_is_named_before_what_led_to_it() -> None:
    said = of_sets(
        Outcome(error=True),
        [["first try", "last try"]],
        [["first call", "last call"]],
        all_alone=True,
        more=False,
        ends=True,
    )
    assert said == (
        "Without first try and last try together, the trace does not end in its error. The same holds without first "
        "call or last call alone, without which those would not have come."
    )
