"""Verdicts after, decisions before: what applies, which effect wins, and what an error does."""

import threading
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audittrail.constitution import EMPTY, RuleSet, decide, judge_span, judge_trace
from audittrail.constitution import ruleset as ruleset_module
from audittrail.constitution.vocabulary import Variable
from audittrail.model.span import KINDS, STATUSES, Message, Part, Span, SpanError, Tokens, Tool
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.verdict import Action
from tests.constitution.write import changed, good, only, simple, untested

IDS = {"trace_id": "1" * 32, "span_id": "2" * 16}


def tool(name: str = "delete", count: int = 11, **fields) -> Span:
    return Span(**IDS, kind="tool", tool=Tool(name, None, {"count": count}), **fields)


def effect(kind: str, rule_id: str, most: int = 10, **keys: str) -> str:
    outcome = "violation" if kind in ("deny", "require_approval") else "warning"
    tests = (
        f"  - {{span: {{tool: {{name: d, args: {{count: {most + 1}}}}}}}, expect: {outcome}}}\n"
        f"  - {{span: {{tool: {{name: d, args: {{count: {most}}}}}}}, expect: pass}}\n"
    )
    return changed(id=rule_id, effect=kind, params=f"{{most: {most}}}", tests=tests, **keys)


def test_a_verdict_says_what_it_saw_and_where() -> None:
    rules = good(changed(controls="[SOC2-CC7.2]"))
    (verdict,) = judge_span(tool(), rules)
    rule = rules.rules[0]
    assert (verdict.rule_id, verdict.version, verdict.title) == ("one-rule", rule.version, "A rule")
    assert (verdict.severity, verdict.mode, verdict.effect) == ("high", "enforce", "require_approval")
    assert (verdict.outcome, verdict.message) == ("violation", "delete would touch 11 rows")
    assert verdict.values == {"span.affected_rows": 11, "params.most": 10, "span.tool.name": "delete"}
    assert verdict.evidence == ("2" * 16,) and verdict.controls == ("SOC2-CC7.2",)


def test_a_pass_is_a_verdict_without_values() -> None:
    (verdict,) = judge_span(tool(count=10), good(changed()))
    assert (verdict.outcome, verdict.message, verdict.values, verdict.evidence) == ("pass", "", {}, ())


def test_what_does_not_match_gets_no_verdict() -> None:
    assert judge_span(Span(**IDS, kind="llm"), good(changed())) == ()
    assert judge_span(tool(), EMPTY) == ()


@pytest.mark.parametrize(
    ("match", "span", "applies"),
    [
        ("{kind: tool}", tool(), True),
        ("{kind: [llm, tool]}", tool(), True),
        ("{kind: llm}", tool(), False),
        ("{tool: 'delete_*'}", tool("delete_notes"), True),
        ("{tool: 'DELETE_*'}", tool("Delete_Notes"), True),
        ("{tool: 'delete_*'}", tool("undelete_notes"), False),
        ("{tool: [a, '*notes']}", tool("delete_notes"), True),
        ("{tool: '*'}", Span(**IDS, kind="llm"), False),
        ("{agent: 'desk*'}", tool(agent="desk-1"), True),
        ("{agent: 'desk*'}", tool(), False),
        ("{model: 'gpt-4o*', provider: openai}", tool(model="gpt-4o-mini", provider="openai"), True),
        ("{model: 'gpt-4o*', provider: openai}", tool(model="gpt-4o-mini", provider="azure"), False),
        ("{status: [error, blocked]}", tool(status="error"), True),
        ("{status: error}", tool(), False),
        ("{name: 'a.b'}", Span(**IDS, name="aXb"), False),
        ("{name: 'a[bc]'}", Span(**IDS, name="ac"), True),
    ],
)
def test_match_is_a_filter(match: str, span: Span, applies: bool) -> None:
    text = simple("span.name != 'zzz' || true", violates="{}", passes="{}", match=match, mode="observe")
    # Its own examples need not match; so the pass is one that the filter leaves out.
    text = text[: text.index("tests:")] + (
        "tests:\n  - {span: {kind: event, name: none}, expect: pass}\n"
        "  - {span: {kind: X}, expect: violation}\n"
    )  # fmt: skip
    example = {
        "kind: X": "kind: tool, name: ac, status: error, agent: desk-1, model: gpt-4o, provider: openai, "
        "tool: {name: delete_notes}"
    }
    if "a.b" in match:
        example["kind: X"] = "name: a.b"
    if "llm" in match and "tool" not in match:
        example["kind: X"] = "kind: llm"
    for old, new in example.items():
        text = text.replace(old, new)
    assert bool(judge_span(span, good(text))) is applies


def test_stages_are_kept_apart() -> None:
    before = good(changed(stages="[before]"))
    after = good(changed(stages="[after]"))
    action = Action(name="delete", args={"count": 11})
    assert judge_span(tool(), before) == () and decide(action, None, before).decision == "require_approval"
    assert judge_span(tool(), after) and decide(action, None, after).decision == "allow"


EFFECTS = [
    (["log"], "allow"),
    (["warn"], "warn"),
    (["warn", "log"], "warn"),
    (["require_approval", "warn"], "require_approval"),
    (["require_approval", "deny", "warn"], "deny"),
    (["deny"], "deny"),
]


@pytest.mark.parametrize(("effects", "answer"), EFFECTS)
def test_the_strongest_effect_wins(effects: list[str], answer: str) -> None:
    rules = good(*(effect(kind, f"rule-{n}") for n, kind in enumerate(effects)))
    decision = decide(Action(name="delete", args={"count": 11}), None, rules)
    assert decision.decision == answer
    assert len(decision.reasons) == len(effects) and decision.rule_set == rules.hash
    ranks = ["deny", "require_approval", "warn", "log"]
    assert [ranks.index(r.effect) for r in decision.reasons] == sorted(ranks.index(r.effect) for r in decision.reasons)
    assert (decision.approval is not None) is (answer == "require_approval")


def test_a_rule_that_observes_is_reported_and_does_not_block() -> None:
    rules = good(effect("deny", "strict", mode="observe"), effect("warn", "mild"))
    decision = decide(Action(name="delete", args={"count": 11}), None, rules)
    assert decision.decision == "warn"
    assert {(r.rule_id, r.mode, r.outcome) for r in decision.reasons} == {
        ("strict", "observe", "violation"),
        ("mild", "enforce", "warning"),
    }
    assert decision.approval is None and decision.versions == ()


def test_an_approval_is_bound_to_the_rules_that_ask_and_takes_the_strictest_terms() -> None:
    rules = good(
        effect("require_approval", "long", approval="{timeout: 900, on_timeout: allow}"),
        effect("require_approval", "short", approval="{timeout: 60, on_timeout: deny}"),
        effect("require_approval", "quiet", most=50),
        effect("warn", "mild"),
    )
    decision = decide(Action(name="delete", args={"count": 11}), None, rules)
    assert decision.approval is not None
    assert (decision.approval.timeout, decision.approval.on_timeout) == (60, "deny")
    assert {name for name, _ in decision.versions} == {"long", "short"}
    assert all(version == rules.rule(name).version for name, version in decision.versions)


def test_one_condition_serves_before_and_after() -> None:
    rules = good(changed())
    args = {"count": 11}
    before = decide(Action(name="delete", args=args), None, rules).reasons[0]
    (after,) = judge_span(Span(**IDS, kind="tool", tool=Tool("delete", None, args)), rules)
    assert (before.message, before.values) == (after.message, after.values)


def test_what_is_not_a_tool_s_call_is_its_input() -> None:
    rules = untested("span.input_text.contains('card')", stages="[before]")
    # `untested` is written for stage after; its examples serve before as well.
    action = Action(kind="llm", name="chat", args="my card")
    assert decide(action, None, rules).decision == "deny"
    assert decide(Action(kind="llm", name="chat", args="hello"), None, rules).decision == "allow"


def test_nothing_hides_behind_a_nul() -> None:
    """cel-expr-python ends a text at its first NUL; what a rule reads must not."""
    rules = good(
        changed(stages="[before]", when="span.affected_rows > params.most || span.input_text.contains('drop')")
    )
    for args in ({"note": "x\0drop"}, {"x\0": "drop"}):
        assert decide(Action(name="a", args=args), None, rules).decision == "require_approval"
    asked = untested(
        "span.input_text.contains('drop') || span.agent.contains('drop') || span.pii.count('drop') > 0",
        stages="[before]",
    )
    for action in (
        Action(kind="llm", name="x", args="a\0drop"),
        Action(kind="llm", name="x", agent="a\0drop"),
        Action(kind="llm", name="x", args=[["a\0drop"]]),
    ):
        assert decide(action, None, asked).decision == "deny"
    named = untested("'drop' in span.tool.words || span.tool.name.endsWith('drop')", stages="[before]")
    assert decide(Action(name="a\0drop"), None, named).decision == "deny"


FAILING = "1 / size(span.agent) > 5"


def test_an_error_denies_before_and_is_recorded_after() -> None:
    for kind, before in (("deny", "deny"), ("require_approval", "deny"), ("warn", "warn"), ("log", "warn")):
        outcome = "violation" if kind in ("deny", "require_approval") else "warning"
        text = changed(
            when=f"span.name == 'yes' || (span.name != 'no' && {FAILING})",
            effect=kind,
            params=None,
            match=None,
            message="no",
            tests=f"  - {{span: {{name: 'yes'}}, expect: {outcome}}}\n  - {{span: {{name: 'no'}}, expect: pass}}\n",
        )
        rules = good(text)
        decision = decide(Action(name="x"), None, rules)
        assert decision.decision == before and decision.reasons[0].outcome == "error"
        assert decision.approval is None
        (verdict,) = judge_span(Span(**IDS), rules)
        assert verdict.outcome == "error" and "divide by zero" in verdict.message
        observed = good(text.replace("id: one-rule", "id: one-rule\nmode: observe"))
        assert decide(Action(name="x"), None, observed).decision == "allow"


def test_one_rule_s_error_is_not_another_s() -> None:
    bad = simple(
        f"span.name == 'yes' || (span.name != 'no' && {FAILING})", violates="{name: 'yes'}", passes="{name: 'no'}"
    )
    rules = good(bad, changed(id="sound"))
    outcomes = {v.rule_id: v.outcome for v in judge_span(tool(), rules)}
    assert outcomes == {"one-rule": "error", "sound": "violation"}


def test_a_fact_that_stumbles_is_an_error_of_the_rules_that_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = good(changed(), simple("span.name == 'x'", violates="{name: x}", passes="{name: y}", id="other"))

    def broken(_: object) -> int:
        raise ZeroDivisionError("nobody foresaw it")

    ready = rules.ready[0]
    ready.needs = tuple(Variable(v.name, v.type, broken, v.meaning) for v in ready.needs)
    outcomes = {v.rule_id: v.outcome for v in judge_span(tool(), rules)}
    assert outcomes == {"one-rule": "error", "other": "pass"}
    assert ruleset_module.STUMBLES


TRACE_RULE = """\
id: dear
title: Dear
severity: low
stages: [before, after]
scope: trace
when: trace.has_cost && trace.cost > 1.0
effect: deny
message: "cost {trace.cost}"
tests:
  - {trace: {cost: 2}, expect: violation}
  - {trace: {cost: 1}, expect: pass}
"""


def test_a_trace_is_judged_with_the_dearest_spans_as_evidence() -> None:
    rows = [
        SpanRow("1", f"{n:016x}", kind="llm", cost=Decimal(cost)) for n, cost in enumerate(("0.1", "1.5", "0.4"), 1)
    ]
    (verdict,) = judge_trace(TraceRow("1", cost=Decimal(2)), rows, good(TRACE_RULE))
    assert verdict.outcome == "violation" and verdict.message == "cost 2"
    assert verdict.evidence == (f"{2:016x}", f"{3:016x}", f"{1:016x}")
    spans = [Span(trace_id="1", span_id="9" * 16, kind="llm", cost=Decimal(3))]
    assert judge_trace(TraceRow("1", cost=Decimal(2)), spans, good(TRACE_RULE))[0].evidence == ("9" * 16,)
    assert judge_trace(TraceRow("1", cost=Decimal(2)), (), good(TRACE_RULE))[0].evidence == ()


def test_before_an_action_trace_rules_see_what_was_used_so_far() -> None:
    rules = good(TRACE_RULE)
    action = Action(name="search")
    assert decide(action, TraceRow("1", cost=Decimal(2)), rules).decision == "deny"
    assert decide(action, TraceRow("1", cost=Decimal(1)), rules).decision == "allow"
    assert decide(action, None, rules).decision == "allow"


def test_values_are_bounded() -> None:
    span = tool("delete" + "x" * 100_000)
    (verdict,) = judge_span(span, good(changed()))
    assert all(len(str(value)) <= 200 for value in verdict.values.values())
    assert len(verdict.message) <= 500


def test_many_threads_judge_by_one_set() -> None:
    rules = good(changed(), simple("span.agent == 'x'", violates="{agent: x}", passes="{agent: y}", id="other"))
    wrong: list[object] = []

    def judge(seed: int) -> None:
        for n in range(400):
            count = (seed + n) % 20
            found = {v.rule_id: v.outcome for v in judge_span(tool(count=count, agent="x" if n % 2 else "y"), rules)}
            want = {"one-rule": "violation" if count > 10 else "pass", "other": "violation" if n % 2 else "pass"}
            if found != want:
                wrong.append((count, n, found))

    threads = [threading.Thread(target=judge, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


texts = st.one_of(
    st.text(st.characters(), max_size=30), st.sampled_from(["\ud800", "\0", "{span.name}", "{", "1" * 400])
)
numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
values = st.recursive(
    st.one_of(numbers, texts),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
counts = st.one_of(st.none(), st.integers(-(2**70), 2**70))
maybe = st.one_of(st.none(), texts)
parts = st.builds(
    Part,
    st.sampled_from(["text", "reasoning", "tool_call", "tool_result", "media", "data"]),
    text=maybe,
    id=maybe,
    name=maybe,
    value=values,
)
messages = st.lists(
    st.builds(Message, texts, st.lists(parts, max_size=3).map(tuple), maybe), max_size=3
).map(tuple)  # fmt: skip
payload = st.one_of(values, messages)
ANY_SPAN = st.builds(
    Span,
    trace_id=texts,
    span_id=texts,
    parent_id=maybe,
    kind=st.sampled_from(KINDS),
    name=texts,
    status=st.sampled_from(STATUSES),
    started_us=st.integers(-(2**70), 2**70),
    ended_us=counts,
    agent=maybe,
    session_id=maybe,
    end_user=maybe,
    model=maybe,
    provider=maybe,
    tokens=st.builds(Tokens, counts, counts, counts, counts, counts),
    cost=st.one_of(st.none(), st.decimals()),
    tool=st.one_of(st.none(), st.builds(Tool, maybe, maybe, values, payload)),
    input=payload,
    output=payload,
    error=st.one_of(st.none(), st.builds(SpanError, texts, texts, texts)),
    attributes=st.dictionaries(texts, values, max_size=3),
    pii=st.dictionaries(texts, st.integers(-(2**70), 2**70), max_size=3),
)


def every_variable() -> RuleSet:
    """A rule whose message names every variable, so that each is worked out and spelled."""
    from audittrail.constitution.vocabulary import SPAN

    message = " ".join(f"{{{variable.name}}}" for variable in SPAN)
    reads = " || ".join(
        f"{v.name} == {v.name}" if v.type not in ("texts", "counts") else f"size({v.name}) >= 0" for v in SPAN
    )
    both = "{kind: llm, name: 'yes'}", "{kind: llm, name: 'no'}"
    return good(
        simple(f"span.name != 'no' && ({reads})", violates=both[0], passes=both[1], message=f'"{message[:990]}"')
    )  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(span=ANY_SPAN)
def test_any_span_is_judged_and_nothing_raises(span: Span) -> None:
    for rules in (ALL, DEFAULTS):
        for verdict in judge_span(span, rules):
            assert verdict.outcome in ("pass", "warning", "violation"), verdict.message
            verdict.message.encode("utf-8", "surrogatepass")


@settings(deadline=None, max_examples=100)
@given(args=values, name=texts, pii=st.dictionaries(texts, st.integers(-(2**70), 2**70), max_size=3))
def test_any_action_is_decided_and_nothing_raises(args: object, name: str, pii: dict[str, int]) -> None:
    assert decide(Action(name=name, args=args, pii=pii), None, DEFAULTS).decision in (
        "allow",
        "warn",
        "require_approval",
    )


@settings(deadline=None, max_examples=100)
@given(spans=st.lists(ANY_SPAN, max_size=4), tokens=counts, cost=st.one_of(st.none(), st.decimals()))
def test_any_trace_is_judged_and_nothing_raises(spans: list[Span], tokens: int | None, cost: Decimal | None) -> None:
    for verdict in judge_trace(TraceRow("1", input_tokens=tokens, cost=cost), spans, DEFAULTS):
        assert verdict.outcome in ("pass", "warning", "violation"), verdict.message


def _defaults() -> RuleSet:
    from audittrail.constitution import load_folder
    from tests.live import ROOT

    found = load_folder(ROOT / "rules")
    assert isinstance(found, RuleSet), found
    return found


ALL, DEFAULTS = every_variable(), _defaults()
assert only(changed()).id == "one-rule"
