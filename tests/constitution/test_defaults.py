"""The rules that come with the program, against their own tests, real clients, and generated spans."""

import collections
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from audittrail.constitution import RuleSet, decide, judge_span, load_folder
from audittrail.ingest.normalise import normalise
from audittrail.ingest.otlp import decode_protobuf
from audittrail.model.span import Message, Part, Span
from audittrail.model.summary import TraceRow
from audittrail.model.verdict import Action
from audittrail.privacy.finding import TYPES
from tests.live import ROOT

SHARED = ROOT.parent / "shared"
CLIENTS, BENCH = SHARED / "data" / "clients", SHARED / "bench"
NAMES = ["bulk-delete-prevention", "cite-sources", "cost-guard", "latency-slo", "pii-guard", "token-budget"]


def _rules() -> RuleSet:
    found = load_folder(ROOT / "rules")
    assert isinstance(found, RuleSet), found
    return found


RULES = _rules()


def spans_of(client: str) -> list[Span]:
    if not CLIENTS.is_dir():
        pytest.skip("the captured client bodies are not beside the checkout")
    return [
        normalise(record) for record in decode_protobuf((CLIENTS / client / "001" / "body.bin").read_bytes()).records
    ]


def test_pii_guard_names_types_that_redaction_has() -> None:
    rule = RULES.rule("pii-guard")
    assert rule is not None
    assert set(rule.params["sensitive"]) <= {name.lower() for name in TYPES}


def test_the_six_are_there() -> None:
    assert [rule.id for rule in RULES.rules] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_why_and_has_tests_on_both_sides(name: str) -> None:
    rule = RULES.rule(name)
    assert rule is not None and rule.description and rule.controls and rule.mode == "enforce"
    expected = collections.Counter(example.expect for example in rule.tests)
    assert len(rule.tests) >= 6 and expected["pass"] >= 3 and len(rule.tests) - expected["pass"] >= 2


@pytest.mark.parametrize("client", ["oi-openai-purge", "otel-v2-purge"])
def test_a_recorded_bulk_delete_is_a_violation(client: str) -> None:
    found = [v for span in spans_of(client) for v in judge_span(span, RULES) if v.outcome != "pass"]
    assert [(v.rule_id, v.outcome) for v in found] == [("bulk-delete-prevention", "violation")]
    assert "delete_records would touch 250 rows" in found[0].message
    deleting = next(s for s in spans_of(client) if s.tool and s.tool.name == "delete_records")
    assert found[0].evidence == (deleting.span_id,)


def test_asked_before_a_bulk_delete_needs_a_person() -> None:
    decision = decide(
        Action(name="delete_records", args={"table": "customers", "count": 250}, agent="bars"), None, RULES
    )
    assert decision.decision == "require_approval"
    assert [v.rule_id for v in decision.reasons] == ["bulk-delete-prevention"]
    assert decision.approval is not None and decision.approval.on_timeout == "deny"
    assert decision.versions == (("bulk-delete-prevention", RULES.rules[0].version),)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("search_docs", {"q": "x"}),
        ("search_docs", {"q": "delete from customers", "limit": 500}),
        ("undelete_note", {"count": 900}),
        ("delete_draft", {"count": 1}),
        ("delete_records", {"table": "customers", "count": 100}),
        ("get_deleted_items", {"limit": 1000}),
        ("dropdown_options", {"limit": 1000}),
        ("remover_lookup", {"count": 1000}),
        ("send_mail", {"to": "<EMAIL:9f2c>"}),
    ],
)
def test_a_harmless_action_is_allowed(name: str, args: object) -> None:
    assert decide(Action(name=name, args=args), None, RULES).decision == "allow"


def test_what_a_trace_used_so_far_is_known_before() -> None:
    used = TraceRow("1" * 32, cost=Decimal("5.5"), input_tokens=600_000, output_tokens=1)
    decision = decide(Action(name="search_docs"), used, RULES)
    assert decision.decision == "require_approval"
    assert {v.rule_id for v in decision.reasons} == {"cost-guard", "token-budget"}


@pytest.mark.parametrize("cited", ["[1]", "(policy 4.2)", "https://example.org/p", "(Handbook, § 4)", "【1†policy】"])
def test_a_retrieved_answer_with_a_citation_passes(cited: str) -> None:
    given = (Message("tool", (Part("tool_result", name="search_docs", value="Kept for 24 months."),)),)
    answer = "Customer records may be kept for 24 months after the last order, then they are to be deleted "
    outcomes = [
        next(v.outcome for v in judge_span(span, RULES) if v.rule_id == "cite-sources")
        for text in (answer, answer + cited)
        for span in [Span(trace_id="1", span_id="1", kind="llm", input=given, output=text)]
    ]
    assert outcomes == ["warning", "pass"]


def generated(count: int) -> list[list[Span]]:
    if not BENCH.is_dir():
        pytest.skip("the generator of spans is not beside the checkout")
    sys.path.insert(0, str(BENCH))
    try:
        import gen
    finally:
        sys.path.remove(str(BENCH))
    return [[normalise(record) for record in decode_protobuf(body.data).records] for body in gen.bodies(7, count, 0)]


def test_memory_stays_flat() -> None:
    (spans, *_) = generated(10)
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("no /proc here")

    def pages() -> int:
        return int(status.read_text().split()[1])

    for _ in range(300):
        for span in spans:
            judge_span(span, RULES)
    before = pages()
    for _ in range(3_000):
        for span in spans:
            judge_span(span, RULES)
    assert (pages() - before) * 4096 < 4_000_000
