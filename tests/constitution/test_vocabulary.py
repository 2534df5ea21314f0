"""Every variable has its type for every span, and what is missing has a default."""

from decimal import Decimal

import pytest

from audittrail.constitution import judge_span, judge_trace
from audittrail.constitution.facts import SpanFacts, TraceFacts
from audittrail.constitution.vocabulary import SPAN, TRACE, Variable
from audittrail.model.span import Message, Part, Span, SpanError, Tokens, Tool
from audittrail.model.summary import SpanRow, TraceRow
from tests.constitution.write import good, simple, untested

KINDS = {"text": str, "int": int, "double": float, "bool": bool, "texts": list, "counts": dict}
EMPTY = Span(trace_id="1" * 32, span_id="1" * 16)
FULL = Span(
    trace_id="1" * 32,
    span_id="2" * 16,
    parent_id="1" * 16,
    kind="llm",
    name="chat",
    status="error",
    started_us=1_000_000,
    ended_us=3_500_000,
    agent="desk",
    session_id="s1",
    end_user="u1",
    model="gpt-4o",
    provider="openai",
    tokens=Tokens(7, 5),
    cost=Decimal("0.25"),
    tool=Tool("delete_notes", "c1", {"sql": "delete from a", "n": 3}, {"deleted": 3}),
    input=(Message("user", (Part("text", "hello"),)),),
    output=(Message("assistant", (Part("text", "see [1]"), Part("tool_call", name="x")), "tool_calls"),),
    error=SpanError("it broke", "ValueError"),
    attributes={"a": 1},
    pii={"EMAIL": 2, "iban": 1},
)


@pytest.mark.parametrize("variable", SPAN, ids=lambda v: v.name)
@pytest.mark.parametrize("span", [EMPTY, FULL], ids=["empty", "full"])
def test_a_span_s_variable_has_its_type(variable: Variable, span: Span) -> None:
    assert type(variable.get(SpanFacts(span, "after"))) is KINDS[variable.type]


@pytest.mark.parametrize("variable", TRACE, ids=lambda v: v.name)
def test_a_trace_s_variable_has_its_type(variable: Variable) -> None:
    for trace, spans in ((TraceRow("1" * 32), ()), (TraceRow("1" * 32, cost=Decimal(1), ended_us=5), (FULL,))):
        assert type(variable.get(TraceFacts(trace, spans, "after"))) is KINDS[variable.type]


@pytest.mark.parametrize(
    "when",
    [
        "stage == 'after'",
        "span.kind == 'llm'",
        "span.name == 'chat'",
        "span.status == 'error'",
        "span.agent == 'desk' && span.session_id == 's1' && span.end_user == 'u1'",
        "span.model == 'gpt-4o' && span.provider == 'openai'",
        "span.duration_ms == 2500 && span.has_ended",
        "span.tool.name == 'delete_notes' && 'delete' in span.tool.words",
        "span.tool.args_text.contains('delete from a')",
        "span.affected_rows == 1000000000 && span.has_affected_rows",
        "span.sql.verb == 'delete'",
        "span.input_text == 'hello' && span.output_text == 'see [1]' && span.has_output",
        "span.attributes_text == '{\"a\":1}'",
        "span.requested_tools == ['x'] && span.finish_reason == 'tool_calls'",
        "span.sources == 0 && span.citations == 1",
        "span.tokens.input == 7 && span.tokens.output == 5 && span.tokens.total == 12 && span.has_tokens",
        "span.cost == 0.25 && span.has_cost",
        "span.error.type == 'ValueError' && span.error.message == 'it broke' && span.has_error",
        "span.pii.count('email') == 2 && span.pii.count('other') == 0 && span.pii.count(['email', 'iban', 'x']) == 3",
        "span.pii.count('EMAIL') == 2 && span.pii.count(['Email', 'IBAN']) == 3",
        "span.pii_total == 3 && 'email' in span.pii && !('ssn' in span.pii)",
        "span.input_text.matches('^h.llo$') && span.input_text.startsWith('he') && size(span.name) == 4",
        "double(span.tokens.total) * 0.5 == 6.0",
        "size('é') == 1",
    ],
)
def test_a_condition_reads_it(when: str) -> None:
    (verdict,) = judge_span(FULL, untested(when))
    assert verdict.outcome == "violation", verdict.message


@pytest.mark.parametrize(
    "when",
    [
        "span.agent == '' && span.model == '' && span.tool.name == ''",
        "span.input_text == '' && span.output_text == ''",
        "span.duration_ms == 0 && !span.has_ended",
        "span.affected_rows == 0 && !span.has_affected_rows && span.sql.verb == ''",
        "span.tokens.total == 0 && !span.has_tokens && span.cost == 0.0 && !span.has_cost",
        "span.error.type == '' && !span.has_error && !span.has_output",
        "span.pii_total == 0 && span.pii.count('email') == 0 && size(span.tool.words) == 0",
    ],
)
def test_what_is_missing_has_a_default(when: str) -> None:
    (verdict,) = judge_span(EMPTY, untested(when))
    assert verdict.outcome == "violation", verdict.message


def test_a_tool_s_input_and_output_are_its_arguments_and_result() -> None:
    span = Span(trace_id="1", span_id="1", kind="tool", tool=Tool("t", None, {"q": 1}, "found"))
    (verdict,) = judge_span(span, untested("span.input_text == '{\"q\":1}' && span.output_text == 'found'"))
    assert verdict.outcome == "violation"


@pytest.mark.parametrize(
    "when",
    [
        "trace.name == 'run' && trace.status == 'ok' && trace.agent == 'desk'",
        "trace.agents == ['desk'] && trace.tools == ['delete_notes'] && trace.models == ['gpt-4o']",
        "trace.span_count == 3 && trace.llm_calls == 2 && trace.tool_calls == 1 && trace.errors == 1",
        "trace.duration_ms == 4 && trace.has_ended && !trace.has_root",
        "trace.tokens.input == 7 && trace.tokens.output == 5 && trace.tokens.total == 12 && trace.has_tokens",
        "trace.cost == 1.5 && trace.has_cost && trace.unpriced_calls == 0",
        "trace.session_id == 's1' && trace.end_user == 'u1' && stage == 'after'",
    ],
)
def test_a_trace_rule_reads_it(when: str) -> None:
    trace = TraceRow(
        "1" * 32, "run", "ok", 1_000, 5_000, "desk", "s1", "u1", 3, 1, 2, 1, 7, 5, cost=Decimal("1.5")
    )  # fmt: skip
    text = simple("X", violates="{}", passes="{}", scope="trace")
    text = text.replace("span: {}, expect: violation", "trace: {name: 'yes'}, expect: violation")
    text = text.replace("span: {}, expect: pass", "trace: {name: 'no'}, expect: pass")
    rules = good(text.replace("when: X", f"when: trace.name == 'yes' || (trace.name != 'no' && ({when}))"))
    (verdict,) = judge_trace(trace, [SpanRow.of(FULL)], rules)
    assert verdict.outcome == "violation", verdict.message
    assert verdict.evidence
