# ruff: noqa: E501 - one sample a line
"""Sample data of the constitution: violations, approvals and rules; calm, crowded, hostile, empty and broken."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from audittrail.constitution import RuleError, RuleSet, load_folder
from audittrail.model.approval import ApprovalFilter, ApprovalRequest
from audittrail.model.filters import Page
from audittrail.model.verdict import Verdict
from audittrail.model.violation import RuleCount, Violation, ViolationFilter
from audittrail.web.views.approvals import ApprovalsView, ApprovalView
from audittrail.web.views.constitution import ConstitutionView, RuleLine, RuleView
from audittrail.web.views.violations import ViolationsView, ViolationView
from tests.looks.samples import HOSTILE, LONG, NOW, OVERRIDE, ROWS, RTL, TRACES, S, hex_id

RULES = load_folder(Path(__file__).parents[2] / "rules")
assert isinstance(RULES, RuleSet)
BY_ID = {rule.id: rule for rule in RULES.rules}
SMALL, REFUND, HOSTILE_TRACE, BIG = TRACES

_MESSAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "bulk-delete-prevention": ("delete_records would touch 250 rows; more than 100 need a person", {"span.tool.name": "delete_records", "span.affected_rows": 250, "params.max_rows": 100, "span.sql.verb": "", "span.tool.words": ["delete", "records"]}),
    "cite-sources": ("The answer rests on 4 retrieved texts and names none of them", {"span.sources": 4, "span.citations": 0}),
    "cost-guard": ("This trace has cost 1.84 US dollars; more than 1.00 is looked at", {"trace.cost": 1.8412, "params.limit": 1.0}),
    "latency-slo": ("chat claude-sonnet-4-5 took 41,200 ms; the objective is 30,000 ms", {"span.duration_ms": 41_200, "params.max_ms": 30_000}),
    "pii-guard": ("The output holds 2 credit card numbers", {"span.pii_total": 2, "span.pii": {"credit_card": 2}}),
    "token-budget": ("312,400 tokens so far; the budget of a trace is 200,000", {"trace.tokens.total": 312_400, "params.budget": 200_000}),
}  # fmt: skip


def violation(n: int, rule_id: str, **more: Any) -> Violation:
    rule = BY_ID[rule_id]
    message, values = _MESSAGES.get(rule_id, (rule.message, {}))
    spans = TRACES[REFUND]
    known: dict[str, Any] = {
        "id": hex_id(70_000 + n, 32), "trace_id": REFUND, "span_id": None if rule.scope == "trace" else spans[8].span_id,
        "rule_id": rule.id, "version": rule.version, "title": rule.title, "severity": rule.severity, "mode": rule.mode,
        "effect": rule.effect, "outcome": rule.outcome, "message": message, "values": values, "evidence": (spans[8].span_id,),
        "controls": rule.controls, "agent": "refund-agent", "found_us": NOW - (n * 97 + 40) * S, "status": "open",
    }  # fmt: skip
    return Violation(**(known | more))


CALM = (
    violation(0, "bulk-delete-prevention"),
    violation(2, "pii-guard", mode="observe"),
    violation(5, "cost-guard", agent="code-review", evidence=tuple(s.span_id for s in TRACES[REFUND][:7])),
    violation(9, "cite-sources", outcome="error", message="The rule could not be judged: no such overload: int > string"),
    violation(40, "latency-slo", status="acknowledged", note="The provider has trouble today; the ticket is OPS-4471.", changed_us=NOW - 3_000 * S, changed_by="grace@example.org"),
    violation(130, "token-budget", status="resolved", changed_us=NOW - 900 * S, changed_by="ada.lovelace@example.org", note="Budget raised."),
    violation(300, "cite-sources", outcome="pass", agent=None),
)  # fmt: skip
WILD = violation(
    1, "bulk-delete-prevention", title=HOSTILE + LONG, message=f"{HOSTILE} {OVERRIDE} {LONG * 3}\n\nSecond line {RTL}", agent=HOSTILE,
    values={HOSTILE: HOSTILE, "long": LONG * 60, RTL: [RTL, {"a": None}], "empty": "", OVERRIDE: OVERRIDE},
    evidence=tuple(hex_id(i) for i in range(80)), controls=(HOSTILE, LONG, RTL), note=f"{HOSTILE}\n{LONG * 4}", changed_us=NOW, changed_by=HOSTILE,
    status="acknowledged", version="0" * 64,
)  # fmt: skip
ARABIC = replace(CALM[0], id=hex_id(71_001, 32), title=RTL, message=RTL * 3, agent=RTL)


def crowd() -> tuple[Violation, ...]:
    dice = random.Random(11)
    ids = list(BY_ID)
    made = [
        violation(
            i,
            dice.choice(ids),
            status=dice.choices(("open", "acknowledged", "resolved"), (6, 2, 1))[0],
            agent=dice.choice(("refund-agent", "code-review", "triage", None)),
        )
        for i in range(198)
    ]
    return (*CALM[:2], WILD, ARABIC, *made)


CROWD = crowd()
ALL = {v.id: v for v in (*CALM, *CROWD)}
RULE_NAMES = tuple((rule.id, rule.title) for rule in RULES.rules)


def violations_view(want: ViolationFilter, items: tuple[Violation, ...] = CROWD, **more: Any) -> ViolationsView:
    found = tuple(
        v for v in items
        if (not want.status or v.status == want.status) and (not want.outcome or v.outcome == want.outcome)
        and (not want.severity or v.severity == want.severity) and (not want.rule or v.rule_id == want.rule)
        and (not want.agent or v.agent == want.agent) and all(t in (v.message + v.title).lower() for t in want.text)
    )  # fmt: skip
    known: dict[str, Any] = {
        "want": want,
        "found": Page(found, "MTIzLmFiYw" if len(found) > 40 and not want.after else None),
        "rules": RULE_NAMES,
        "can_change": True,
    }
    return ViolationsView(**(known | more))


def violation_view(one: Violation, **more: Any) -> ViolationView:
    rule = BY_ID[one.rule_id]
    known: dict[str, Any] = {
        "one": one,
        "trace_name": "refund-agent",
        "description": rule.description,
        "in_force": rule.version == one.version,
        "can_change": True,
    }
    return ViolationView(**(known | more))


def verdict(one: Violation) -> Verdict:
    return Verdict(**{name: getattr(one, name) for name in Verdict.__struct_fields__})


def request(n: int, name: str, args: Any, left_s: int, **more: Any) -> ApprovalRequest:
    known: dict[str, Any] = {
        "id": hex_id(80_000 + n, 32), "status": "pending", "kind": "tool", "name": name, "args": args, "agent": "crm-cleanup", "end_user": "customer-5512",
        "trace_id": REFUND, "span_id": TRACES[REFUND][8].span_id, "reasons": (verdict(CALM[0]),), "requested_us": NOW - (300 - left_s) * S,
        "requested_by": "pk-at-" + hex_id(3, 20), "timeout": 300, "on_timeout": "deny", "expires_us": NOW + left_s * S,
    }  # fmt: skip
    return ApprovalRequest(**(known | more))


WAITING = (
    request(0, "delete_records", {"table": "customers", "filter": {"last_order": {"before": "2023-01-01"}}, "count": 250}, 41),
    request(1, "issue_refund", {"order": "88213", "amount": 250, "currency": "EUR", "note": "Arrived broken; [EMAIL] asked twice."}, 212, agent="refund-agent", pii={"email": 1, "phone": 2}, reasons=(replace(verdict(CALM[0]), title="Large refunds need a person", severity="high", message='refund-agent wants to refund: {"order":"88213","amount":250}'), verdict(CALM[2]))),
    request(2, "run_sql", {"sql": "DELETE FROM sessions\nWHERE last_seen < now() - interval '90 days'"}, 3_400, timeout=3_600, on_timeout="allow", agent=None),
)  # fmt: skip
WILD_ASK = request(
    3, HOSTILE + LONG, {HOSTILE: HOSTILE, "long": LONG * 40, RTL: RTL, "deep": {"a": {"b": [{"c": [1, 2, {"d": OVERRIDE}]}]}}}, 30, agent=HOSTILE + LONG,
    end_user=RTL, reasons=tuple(replace(verdict(WILD), rule_id=f"rule-{i}") for i in range(6)), pii={"email": 4_211, HOSTILE: 2},
)  # fmt: skip
PAST = (
    request(10, "delete_records", {"table": "carts", "count": 4_000}, 100, status="approved", decided_us=NOW - 20 * S, decided_by="ada.lovelace@example.org"),
    request(11, "drop_table", {"name": "customers"}, 60, status="denied", decided_us=NOW - 90 * S, decided_by="grace@example.org", reason="Not in production. Ask me on Monday, and bring the ticket."),
    request(12, "purge_stale", {"older_than_days": 90}, -900, status="expired"),
    request(13, "issue_refund", {"order": "88100", "amount": 180}, -4_000, status="used", decided_us=NOW - 4_200 * S, decided_by="grace@example.org", reason="Customer is right.", used_us=NOW - 4_180 * S),
    request(14, "delete_records", {"table": "logs", "count": 900}, -9_000, status="expired", on_timeout="allow"),
    request(15, "truncate", {"table": "cache"}, -9_900, status="expired", decided_us=NOW - 10_100 * S, decided_by="ada.lovelace@example.org"),
)  # fmt: skip
MANY_PAST = tuple(
    replace(
        PAST[i % 6],
        id=hex_id(82_000 + i, 32),
        decided_us=NOW - i * 3_000 * S if PAST[i % 6].decided_us else None,
        expires_us=NOW - i * 3_000 * S,
    )
    for i in range(60)
)
REQUESTS = {r.id: r for r in (*WAITING, WILD_ASK, *PAST, *MANY_PAST)}


def approvals_view(
    waiting: tuple[ApprovalRequest, ...] = WAITING,
    past: tuple[ApprovalRequest, ...] = PAST,
    status: str = "",
    **more: Any,
) -> ApprovalsView:
    want = ApprovalFilter.parse(status=status)
    found = tuple(r for r in past if not status or r.status == status)
    known: dict[str, Any] = {
        "want": want,
        "waiting": waiting,
        "found": Page(found, "MTIzLmFiYw" if len(found) > 40 else None),
        "can_answer": True,
        "now_us": NOW,
    }
    return ApprovalsView(**(known | more))


def approval_view(one: ApprovalRequest, **more: Any) -> ApprovalView:
    row = next(r for r in ROWS if r.trace_id == REFUND)
    known: dict[str, Any] = {"request": one, "trace": row, "can_answer": True, "now_us": NOW}
    return ApprovalView(**(known | more))


COUNTS = {
    "bulk-delete-prevention": RuleCount("bulk-delete-prevention", 4_102, 0, 38, 0),
    "cite-sources": RuleCount("cite-sources", 12_417, 1_204, 0, 3),
    "cost-guard": RuleCount("cost-guard", 880, 41, 0, 0),
    "latency-slo": RuleCount("latency-slo", 1_204_882, 2_100, 0, 0),
    "pii-guard": RuleCount("pii-guard", 31_000, 0, 4, 0),
}  # fmt: skip
OPEN = {"bulk-delete-prevention": 12, "cite-sources": 100, "pii-guard": 4}
ERRORS = (
    RuleError("pii.yaml", 14, 7, 'unknown operator "like"; use one of contains, matches, equals', "email-in-output"),
    RuleError("night.yaml", 0, 0, "the file is longer than 64 kB"),
    RuleError(HOSTILE + ".yaml", 1, 1, HOSTILE + LONG, HOSTILE),
)  # fmt: skip


def lines(many: int = 0) -> tuple[RuleLine, ...]:
    made = [RuleLine(rule, COUNTS.get(rule.id) or RuleCount(rule.id), OPEN.get(rule.id, 0)) for rule in RULES.rules]
    made[3:3] = [replace(made[3], rule=replace(made[3].rule, mode="observe"))]
    del made[4]
    wild = replace(RULES.rules[0], title=HOSTILE + LONG, id="wild")
    return tuple(
        made
        + [
            RuleLine(
                replace(wild, id=f"rule-{i}", title=f"{HOSTILE} {i}" if i else RTL),
                RuleCount("x", i * 100, i, i % 7, i % 3),
                i,
            )
            for i in range(many)
        ]
    )


def constitution_view(many: int = 0, **more: Any) -> ConstitutionView:
    known: dict[str, Any] = {
        "lines": lines(many),
        "errors": (),
        "loaded": True,
        "hash": RULES.hash,
        "folder": "",
        "can_see_files": True,
    }
    return ConstitutionView(**(known | more))


def rule_view(rule_id: str, recent: tuple[Violation, ...] = (), **more: Any) -> RuleView:
    rule = BY_ID.get(rule_id) or RULES.rules[0]
    known: dict[str, Any] = {
        "rule": rule,
        "counts": COUNTS.get(rule.id) or RuleCount(rule.id),
        "recent": recent,
        "now_us": NOW,
    }
    return RuleView(**(known | more))


WILD_RULE = replace(
    RULES.rules[0], id="wild", title=HOSTILE + LONG, description=f"{HOSTILE} {LONG * 4} {RTL}", message=HOSTILE + OVERRIDE, params={HOSTILE: LONG * 30, RTL: (RTL, HOSTILE)},
    controls=(HOSTILE, LONG), tags=(HOSTILE, RTL), when=LONG * 6 + HOSTILE, source=(HOSTILE + LONG + "\n") * 30, file="/etc/" + HOSTILE + ".yaml", mode="observe",
)  # fmt: skip
OF_TRACE = {
    REFUND: (CALM[0], CALM[2], CALM[4], replace(CALM[3], span_id=TRACES[REFUND][11].span_id, evidence=(TRACES[REFUND][11].span_id,)), replace(CALM[1], span_id=TRACES[REFUND][6].span_id, evidence=())),
    HOSTILE_TRACE: (replace(WILD, trace_id=HOSTILE_TRACE, span_id=TRACES[HOSTILE_TRACE][0].span_id), replace(WILD, id=hex_id(71_002, 32), trace_id=HOSTILE_TRACE, span_id=None, evidence=())),
    SMALL: (replace(CALM[3], outcome="warning", trace_id=SMALL, span_id=TRACES[SMALL][2].span_id, evidence=(TRACES[SMALL][2].span_id,), message=_MESSAGES["cite-sources"][0]),),
}  # fmt: skip
NOTHING = ViolationFilter()
Spec = tuple[str, object, str, bool, tuple[str, ...], int]


def page(template: str, view: object, path: str, status: int = 200) -> Spec:
    return f"pages/{template}.html", view, path, True, (), status


V, A, C = "/violations", "/approvals", "/constitution"
PAGES: dict[str, Spec] = {
    "violations": page("violations", violations_view(ViolationFilter.parse(status="open")), V),
    "violations-calm": page("violations", violations_view(NOTHING, CALM, saved=3), V),
    "violations-filtered": page("violations", violations_view(ViolationFilter.parse(q='"rows"', status="open", severity="critical", rule="bulk-delete-prevention", range="24h")), V),
    "violations-viewer": page("violations", violations_view(NOTHING, CALM, can_change=False), V),
    "violations-none": page("violations", violations_view(ViolationFilter.parse(q="nothing-has-this", range="1h", status="open")), V),
    "violations-done": page("violations", violations_view(ViolationFilter.parse(status="open"), ()), V),
    "violations-never": page("violations", violations_view(NOTHING, (), nothing_yet=True), V),
    "violations-wrong": page("violations", violations_view(ViolationFilter(q="status:bad"), (), error="The status is one of open, acknowledged, resolved."), V, 400),
    "violation": page("violation", violation_view(CALM[0]), V + "/x"),
    "violation-trace": page("violation", violation_view(CALM[2]), V + "/x"),
    "violation-saved": page("violation", violation_view(CALM[4], saved=True, in_force=False), V + "/x"),
    "violation-error": page("violation", violation_view(CALM[3]), V + "/x"),
    "violation-corrected": page("violation", violation_view(CALM[6], can_change=False), V + "/x"),
    "violation-wild": page("violation", violation_view(WILD, trace_name=HOSTILE + LONG), V + "/x"),
    "approvals": page("approvals", approvals_view(), A),
    "approvals-crowd": page("approvals", approvals_view((WILD_ASK, *(replace(WAITING[i % 3], id=hex_id(81_000 + i, 32)) for i in range(30))), MANY_PAST), A),
    "approvals-viewer": page("approvals", approvals_view(can_answer=False), A),
    "approvals-calm": page("approvals", approvals_view((), said="denied"), A),
    "approvals-never": page("approvals", approvals_view((), (), nothing_yet=True), A),
    "approval": page("approval", approval_view(WAITING[1]), A + "/x"),
    "approval-refused": page("approval", approval_view(WAITING[0], error="Say why it is denied: the agent, and whoever reads the record, will want to know."), A + "/x", 422),
    "approval-viewer": page("approval", approval_view(WAITING[2], can_answer=False, trace=None), A + "/x"),
    "approval-wild": page("approval", approval_view(WILD_ASK, reason=HOSTILE), A + "/x"),
    "approval-denied": page("approval", approval_view(PAST[1], error="This request was answered meanwhile: denied by grace@example.org.", reason="Looks right to me."), A + "/x", 409),
    "approval-approved": page("approval", approval_view(PAST[0]), A + "/x"),
    "approval-used": page("approval", approval_view(PAST[3]), A + "/x"),
    "approval-expired": page("approval", approval_view(PAST[2]), A + "/x"),
    "constitution": page("constitution", constitution_view(), C),
    "constitution-crowd": page("constitution", constitution_view(200, folder="/etc/audittrail/rules"), C),
    "constitution-broken": page("constitution", constitution_view(errors=ERRORS), C),
    "constitution-viewer": page("constitution", constitution_view(errors=ERRORS, can_see_files=False), C),
    "constitution-nothing": page("constitution", constitution_view(lines=(), errors=ERRORS[:1], loaded=False), C),
    "constitution-empty": page("constitution", constitution_view(lines=()), C),
    "rule": page("rule", rule_view("bulk-delete-prevention", CALM[:1] + CROWD[4:12]), C + "/x"),
    "rule-trace": page("rule", rule_view("cost-guard"), C + "/x"),
    "rule-wild": page("rule", rule_view("", (WILD, ARABIC), rule=WILD_RULE), C + "/x"),
}  # fmt: skip
