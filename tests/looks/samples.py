# ruff: noqa: E501 - one sample a line
"""Sample data for looking at every page: calm, crowded, hostile, empty and broken."""

from __future__ import annotations

import random
from decimal import Decimal

from audittrail.model.account import Invitation, Key, Member, Membership, Project, Refused, User, Viewer
from audittrail.model.filters import Page, TraceFilter
from audittrail.model.record import Event, Link, Scope, SpanRecord, encode
from audittrail.model.span import Message, Part, Span, SpanError, Tokens, Tool
from audittrail.model.summary import SpanRow, TraceRow, summarise
from audittrail.web.views.accounts import (
    IngestView,
    InviteView,
    KeysView,
    LoginView,
    MembersView,
    ProfileView,
    ProjectView,
    SetupView,
)
from audittrail.web.views.chrome import Chrome, Pending
from audittrail.web.views.problem import ProblemView
from audittrail.web.views.traces import TracesView

NOW = 1_795_500_000_000_000
S = 1_000_000
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
LONG = "collect the figures of every subsidiary for every quarter and compare them with the plan " * 3
RTL = "مراجعة طلب استرداد العميل"
OVERRIDE = "invoice_\u202efdp.exe\u0007\u200b"
BASE = "https://audit.example.org"

PROJECT = Project(1, "Checkout agents", NOW - 40 * 86_400 * S)
USER = User(1, "ada.lovelace@example.org", "Ada Lovelace", "admin", NOW - 40 * 86_400 * S)
MEMBERSHIPS = (
    Membership(PROJECT, "owner"),
    Membership(Project(2, "Research " + HOSTILE, NOW), "reviewer"),
    Membership(Project(3, RTL, NOW), "viewer"),
)
VIEWER = Viewer(user=USER, session_id="s", memberships=MEMBERSHIPS, current=MEMBERSHIPS[0])


def chrome(path: str, *, signed_in: bool = True, notices: tuple[str, ...] = ()) -> Chrome:
    return Chrome(
        viewer=VIEWER if signed_in else None, path=path, now_us=NOW, version="0.1.0", notices=notices,
        pending=Pending(violations=100, approvals=3),
    )  # fmt: skip


def hex_id(number: int, digits: int = 16) -> str:
    # The golden ratio's digits: ids that look random and differ in every place.
    return f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 16**digits:0{digits}x}"


def small_trace() -> list[Span]:
    """Three spans, all well."""
    t, s = hex_id(7, 32), NOW - 40 * S
    return [
        Span(
            trace_id=t, span_id=hex_id(1), kind="agent", name="weather-assistant", agent="weather-assistant",
            started_us=s, ended_us=s + 3_420_000, input="What should I wear in Oslo tomorrow?",
            output="Rain from noon, 4 °C: a warm waterproof jacket.",
        ),
        Span(
            trace_id=t, span_id=hex_id(2), parent_id=hex_id(1), kind="tool", name="get_forecast",
            tool=Tool("get_forecast", "call_1", {"city": "Oslo", "days": 1}, {"t_min": 1, "t_max": 4, "rain": True}),
            started_us=s + 300_000, ended_us=s + 1_100_000,
        ),
        Span(
            trace_id=t, span_id=hex_id(3), parent_id=hex_id(1), kind="llm", name="chat gpt-4.1-mini",
            model="gpt-4.1-mini", provider="openai", started_us=s + 1_150_000, ended_us=s + 3_380_000,
            tokens=Tokens(812, 64, 512), cost=Decimal("0.000413"),
            input=(Message("user", (Part("text", text="What should I wear in Oslo tomorrow?"),)),),
            output=(Message("assistant", (Part("text", text="Rain from noon, 4 °C: a warm waterproof jacket."),), "stop"),),
        ),
    ]  # fmt: skip


def refund_trace() -> list[Span]:
    """A realistic failure: an agent with retrieval, guardrail, parallel tools, one of which times out."""
    t, s = hex_id(8, 32), NOW - 26 * 60 * S
    talk = (
        Message("system", (Part("text", text="You are the refund agent of Example Shop. " + "Follow the policy to the letter; never promise money before the ledger has been read. " * 6),)),
        Message("user", (Part("text", text="My order 88213 arrived broken. I want my money back.\nHere is a photo."), Part("media", value={"mime_type": "image/jpeg", "bytes": 184_220}))),
        Message("assistant", (Part("reasoning", text="The customer wants a refund. I need the order and the policy first.\nThen decide."), Part("text", text="I will look at your order and at our policy."), Part("tool_call", id="call_a", name="get_order", value={"order_id": "88213"}), Part("tool_call", id="call_b", name="query_ledger", value={"sql": "SELECT amount, currency\nFROM ledger\nWHERE order_id = '88213'", "timeout_s": 5}))),
        Message("tool", (Part("tool_result", id="call_a", name="get_order", value={"order_id": "88213", "status": "delivered", "items": [{"sku": "LAMP-2", "price": 79.9}, {"sku": "BULB", "price": 4.5}], "customer": {"tier": "gold", "since": "2021-03-02"}}),)),
    )  # fmt: skip
    made: list[Span] = []

    def add(n: int, parent: int | None, kind: str, name: str, at: int, took: int | None, **more: object) -> None:
        made.append(
            Span(
                trace_id=t, span_id=hex_id(n), parent_id=None if parent is None else hex_id(parent), kind=kind,  # type: ignore[arg-type]
                name=name, started_us=s + at * 1000, ended_us=None if took is None else s + (at + took) * 1000,
                agent="refund-agent", session_id="sess_2026-11-24_0931", end_user="customer-5512", **more,  # type: ignore[arg-type]
            )
        )  # fmt: skip

    add(10, None, "agent", "refund-agent", 0, 18_400, status="error", tokens=Tokens(9_420, 812), input=talk[1:2],
        output=(Message("assistant", (Part("text", text="I could not reach the ledger, so I cannot confirm the amount yet. A person will look at it today."),), "stop"),),
        error=SpanError("The ledger did not answer within 5 s", "ToolTimeout"))  # fmt: skip
    add(11, 10, "guardrail", "input policy", 4, 120, input="My order 88213 arrived broken.", output={"allowed": True})
    add(12, 10, "chain", "plan", 130, 4_300)
    add(13, 12, "retriever", "policy search", 140, 620, input={"query": "refund broken on arrival", "top_k": 4},
        output=[{"score": 0.91, "text": "Items that arrive broken are refunded in full within 30 days."}, {"score": 0.84, "text": "The ledger is the only source for the amount."}])  # fmt: skip
    add(
        14,
        13,
        "embedding",
        "embed query",
        150,
        90,
        model="text-embedding-3-small",
        tokens=Tokens(12),
        cost=Decimal("0.0000002"),
    )
    add(15, 13, "reranker", "rerank", 250, 480, model="rerank-v3.5")
    add(16, 12, "llm", "chat claude-sonnet-4-5", 780, 3_600, model="claude-sonnet-4-5", provider="anthropic",
        tokens=Tokens(4_180, 402, 3_072, 512, 180), cost=Decimal("0.0121"), input=talk[:2], output=talk[2:3])  # fmt: skip
    add(
        17,
        10,
        "tool",
        "get_order",
        4_500,
        840,
        tool=Tool("get_order", "call_a", talk[2].parts[2].value, talk[3].parts[0].value),
    )
    add(18, 10, "tool", "query_ledger", 4_510, 5_020, status="error", tool=Tool("query_ledger", "call_b", talk[2].parts[3].value),
        error=SpanError("The ledger did not answer within 5 s: connection to ledger-replica-2 timed out", "ToolTimeout", 'Traceback (most recent call last):\n  File "/app/tools/ledger.py", line 88, in query\n    return await asyncio.wait_for(run(sql), timeout_s)\nTimeoutError'),
        attributes={"db.system": "postgresql", "server.address": "ledger-replica-2", "retry.count": 0, "x.internal.flag": True, "gen_ai.tool.name": "query_ledger", "gen_ai.tool.call.arguments": '{"sql": "SELECT …"}', "html": HOSTILE, "long": LONG * 20},
        unmapped=("x.internal.flag", "html", "long", "retry.count"), dialect="otel-genai",
        resource={"service.name": "refunds", "service.version": "4.2.1", "host.name": "pod-7f9"}, service="refunds",
        events=(Event("exception", (s + 9_530_000) * 1000, {"exception.type": "ToolTimeout", "exception.message": "timed out"}),),
        links=(Link(hex_id(9, 32), hex_id(2)),), pii={"email": 1, "phone": 2},
        notes=("The tool’s name was taken from the span’s name.",))  # fmt: skip
    add(
        19,
        18,
        "other",
        "connect ledger-replica-2",
        4_520,
        5_000,
        status="error",
        error=SpanError("connection timed out", "OSError"),
    )
    add(20, 10, "human", "ask a person", 9_600, 4_100, output="No answer yet; continue without.")
    add(21, 10, "llm", "chat claude-sonnet-4-5", 13_750, 4_300, model="claude-sonnet-4-5", provider="anthropic",
        tokens=Tokens(5_240, 410, 4_608), cost=Decimal("0.0094"), input=talk,
        output=(Message("assistant", (Part("text", text="I could not reach the ledger, so I cannot confirm the amount yet. A person will look at it today."),), "stop"),))  # fmt: skip
    add(22, 10, "evaluator", "tone check", 18_100, 240, output={"score": 0.93})
    add(23, 10, "event", "handed over", 18_360, 0)
    return made


def hostile_trace() -> list[Span]:
    """Names that attack, a loop, a parent that never came, deep nesting, a running and a blocked step, a huge value."""
    t, s = hex_id(9, 32), NOW - 90 * S
    deep: object = "bottom"
    for i in range(60):
        deep = {f"level {i}": deep}
    names = (HOSTILE, LONG, RTL, OVERRIDE, "", "x\ny\tz", "👩‍👩‍👧 family", "W" * 300)
    made = [
        Span(trace_id=t, span_id=hex_id(100), kind="agent", name=LONG, agent=HOSTILE, status="running", started_us=s,
             end_user=RTL, session_id=OVERRIDE, input={"question": HOSTILE + LONG}, output={"deep": deep, "rows": list(range(900)), "text": LONG * 60})
    ]  # fmt: skip
    for i, name in enumerate(names):
        parent = 100 if i < 3 else 100 + i
        made.append(
            Span(trace_id=t, span_id=hex_id(101 + i), parent_id=hex_id(parent), kind="tool" if i % 2 else "llm", name=name,
                 model=LONG if i == 2 else HOSTILE, tool=Tool(HOSTILE, OVERRIDE, HOSTILE, {HOSTILE: OVERRIDE}) if i % 2 else None,
                 status="blocked" if i == 1 else "error" if i == 3 else "ok", error=SpanError(HOSTILE + LONG, OVERRIDE) if i == 3 else None,
                 started_us=s + i * 5 * S, ended_us=None if i == 6 else s + (i * 5 + 9) * S, tokens=Tokens(10**12, 10**9),
                 attributes={HOSTILE: HOSTILE, OVERRIDE: OVERRIDE, "k" * 300: "v" * 5000},
                 input=(Message(HOSTILE, (Part("text", text=HOSTILE + "\n" + RTL + "\u202e" + LONG * 40), Part("tool_call", name=HOSTILE, value=HOSTILE), Part("data", value=deep))),) if i % 2 == 0 else None)
        )  # fmt: skip
    for a, b in ((120, 121), (121, 122), (122, 120)):
        made.append(
            Span(
                trace_id=t,
                span_id=hex_id(a),
                parent_id=hex_id(b),
                name=f"loop {a}",
                started_us=s + a * 1000,
                ended_us=s + 60 * S,
            )
        )
    for a in (130, 131):
        made.append(
            Span(
                trace_id=t,
                span_id=hex_id(a),
                parent_id=hex_id(999),
                kind="chain",
                name=f"orphan {a}",
                started_us=s + 20 * S,
                ended_us=s + 30 * S,
            )
        )
    at = 130
    for d in range(40):
        made.append(
            Span(
                trace_id=t,
                span_id=hex_id(200 + d),
                parent_id=hex_id(at),
                name=f"deep {d}",
                kind="chain",
                started_us=s + 20 * S + d,
                ended_us=s + 29 * S,
            )
        )
        at = 200 + d
    return made


def big_trace(count: int = 3_000) -> list[Span]:
    """Many spans, some of which failed."""
    dice, t, s = random.Random(7), hex_id(11, 32), NOW - 3_600 * S
    kinds = ("agent", "chain", "llm", "tool", "tool", "llm", "retriever", "other")
    made = [
        Span(
            trace_id=t,
            span_id=hex_id(10_000),
            kind="agent",
            name="nightly reconciliation",
            agent="reconciler",
            started_us=s,
            ended_us=s + 1_800 * S,
        )
    ]
    for i in range(1, count):
        above = made[max(0, i - dice.randint(1, 40))]
        start = above.started_us + dice.randint(0, max(1, (above.ended_us or NOW) - above.started_us) // 2)
        kind = dice.choice(kinds)
        failed = dice.random() < 0.01
        made.append(
            Span(trace_id=t, span_id=hex_id(10_000 + i), parent_id=above.span_id, kind=kind, name=f"{kind} step {i}",  # type: ignore[arg-type]
                 started_us=start, ended_us=start + dice.randint(0, max(1, (above.ended_us or NOW) - start)),
                 status="error" if failed else "ok", error=SpanError("rate limited", "HTTP 429") if failed else None,
                 model="gpt-4.1" if kind == "llm" else None, tokens=Tokens(1_000 + i, i) if kind == "llm" else Tokens())
        )  # fmt: skip
    return made


TRACES = {spans[0].trace_id: spans for spans in (small_trace(), refund_trace(), hostile_trace(), big_trace())}


def record_of(span: Span) -> bytes:
    return encode(
        SpanRecord(
            trace_id=span.trace_id, span_id=span.span_id, parent_id=span.parent_id, name=span.name,
            started_ns=span.started_us * 1000, ended_ns=None if span.ended_us is None else span.ended_us * 1000,
            status_code=2 if span.error else 1, attributes=span.attributes, events=span.events, links=span.links,
            resource=span.resource, scope=Scope("opentelemetry.instrumentation.refunds", "1.2.0"), dropped={"attributes": 3},
        )
    )  # fmt: skip


def rows_of(spans: list[Span]) -> list[SpanRow]:
    return [SpanRow.of(s) for s in spans]


def trace_rows() -> tuple[TraceRow, ...]:
    rows = [summarise(rows_of(spans), NOW - 60 * S).row for spans in TRACES.values()]
    rows[2] = rows[2].__class__(
        **{f: getattr(rows[2], f) for f in rows[2].__struct_fields__} | {"status": "running", "ended_us": None}
    )
    dice = random.Random(3)
    agents = ("refund-agent", "weather-assistant", "code-review", "triage", None)
    for i in range(46):
        status = dice.choices(("ok", "error", "running", "blocked"), (30, 5, 1, 1))[0]
        agent = dice.choice(agents)
        started = NOW - int(dice.expovariate(1 / 40_000) * S) - 100 * S
        priced = dice.random() < 0.8
        rows.append(
            TraceRow(
                trace_id=hex_id(5_000 + i, 32), name=dice.choice(("answer ticket", "review pull request", "refund", "plan trip", "summarise inbox")),
                status=status, started_us=started, ended_us=None if status == "running" else started + int(dice.lognormvariate(1.4, 1.3) * S),  # type: ignore[arg-type]
                agent=agent, session_id=f"sess_{i // 3:04d}" if dice.random() < 0.7 else None, span_count=dice.randint(1, 90),
                error_count=dice.randint(1, 4) if status == "error" else 0, input_tokens=dice.randint(200, 90_000) if priced else None,
                output_tokens=dice.randint(10, 3_000) if priced else None, cost=Decimal(dice.randint(1, 90_000)) / 1_000_000 if priced else None,
                error=dice.choice(("RateLimitError: 429 Too Many Requests", "The tool delete_rows is not allowed here", "KeyError: 'amount'")) if status in ("error", "blocked") else None,
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda r: -r.started_us))


ROWS = trace_rows()


def traces_view(want: TraceFilter, error: str = "", empty: bool = False) -> TracesView:
    found = tuple(
        r for r in ROWS
        if (not want.status or r.status == want.status) and (not want.agent or r.agent == want.agent)
        and (not want.session or r.session_id == want.session) and (not want.user or r.end_user == want.user)
        and all(t in (r.name + (r.agent or "")).lower() for t in want.text)
    )  # fmt: skip
    return TracesView(
        want=want, found=Page(() if error or empty else found, "MTIzLmFiYw" if len(found) > 40 and not want.after else None),
        agents=("refund-agent", "weather-assistant", "code-review", HOSTILE), empty_project=empty, error=error, base_url=BASE,
    )  # fmt: skip


KEYS = tuple(
    Key(id=i, project_id=1, public=f"pk-at-{hex_id(i)}{hex_id(i + 50)}", name=name, scopes=scopes,  # type: ignore[arg-type]
        created_us=NOW - 900_000 * S, expires_us=expires, last_used_us=used, revoked_us=revoked)
    for i, (name, scopes, expires, used, revoked) in enumerate((
        ("checkout agent, production", ("ingest",), None, NOW - 12 * S, None),
        (HOSTILE, ("ingest", "check", "read"), NOW + 20 * 86_400 * S, None, None),
        ("old laptop", ("read",), NOW - 86_400 * 3 * S, NOW - 86_400 * 9 * S, None),
        (LONG, ("ingest",), None, None, NOW - 3_000 * S),
    ))
)  # fmt: skip
MEMBERS = (
    Member(USER, "owner"),
    Member(User(2, "grace@example.org", "Grace Hopper", "member", NOW), "reviewer"),
    Member(User(3, "w" * 60 + "@example.org", HOSTILE, "member", NOW), "viewer"),
)
INVITATIONS = (
    Invitation(id=1, email="alan@example.org", role="member", project=PROJECT, project_role="viewer", created_us=NOW - 4_000 * S, expires_us=NOW + 6 * 86_400 * S),
    Invitation(id=2, email=None, role="admin", project=None, project_role=None, created_us=NOW - 90_000 * S, expires_us=NOW + 86_400 * S),
)  # fmt: skip
SECRET = "sk-at-" + hex_id(77, 40)
NOTICES = ("Redaction is off: what agents send is stored as it is.",)

# name -> (template, view, path, signed in, notices, HTTP status)
PAGES: dict[str, tuple[str, object, str, bool, tuple[str, ...], int]] = {
    "traces": ("pages/traces.html", traces_view(TraceFilter()), "/traces", True, (), 200),
    "traces-filtered": ("pages/traces.html", traces_view(TraceFilter.parse(q='status:error "refund"', range="24h", agent="refund-agent")), "/traces", True, NOTICES, 200),
    "traces-none": ("pages/traces.html", traces_view(TraceFilter.parse(q="nothing-has-this", range="1h")), "/traces", True, (), 200),
    "traces-wrong": ("pages/traces.html", traces_view(TraceFilter(q="status:bad"), error="The status is one of running, ok, error, blocked."), "/traces", True, (), 400),
    "start": ("pages/traces.html", traces_view(TraceFilter(), empty=True), "/traces", True, (), 200),
    "login": ("pages/login.html", LoginView(email="ada@example.org", error="The e-mail or the password is wrong.", next="/traces?q=x"), "/login", False, (), 401),
    "login-first": ("pages/login.html", LoginView(setup_needed=True), "/login", False, (), 200),
    "setup": ("pages/setup.html", SetupView(token="t", email="ada@", errors={"email": "This is not an e-mail address.", "password": "The password is shorter than 12 characters."}), "/setup", False, (), 400),
    "setup-used": ("pages/setup.html", SetupView(valid=False, errors={"": "This link was used already. Sign in with the account that was made."}), "/setup", False, (), 400),
    "invite": ("pages/invite.html", InviteView(token="abc", invitation=INVITATIONS[0]), "/invite/abc", False, (), 200),
    "invite-used": ("pages/invite.html", InviteView(token="abc", invitation=None), "/invite/abc", False, (), 404),
    "profile": ("pages/settings/profile.html", ProfileView(user=USER, other_sessions=2, errors={"current": "This is not your current password."}, saved="profile"), "/settings", True, (), 200),
    "project": ("pages/settings/project.html", ProjectView(current=MEMBERSHIPS[0], memberships=MEMBERSHIPS, can_rename=True, can_create=True, trace_count=12_417, span_count=1_204_882), "/settings/project", True, (), 200),
    "project-none": ("pages/settings/project.html", ProjectView(current=None, memberships=(), can_rename=False, can_create=False, trace_count=0, span_count=0), "/settings/project", True, (), 200),
    "members": ("pages/settings/members.html", MembersView(members=MEMBERS, invitations=INVITATIONS, can_manage=True, is_admin=True, me=1, invitation_link=BASE + "/invite/" + hex_id(5, 40)), "/settings/members", True, (), 200),
    "members-viewer": ("pages/settings/members.html", MembersView(members=MEMBERS, invitations=(), can_manage=False, is_admin=False, me=2), "/settings/members", True, (), 200),
    "keys": ("pages/settings/keys.html", KeysView(keys=KEYS, can_manage=True, now_us=NOW, base_url=BASE), "/settings/keys", True, (), 200),
    "keys-made": ("pages/settings/keys.html", KeysView(keys=KEYS, can_manage=True, now_us=NOW, base_url=BASE, secret=SECRET, created=KEYS[0]), "/settings/keys", True, (), 200),
    "keys-none": ("pages/settings/keys.html", KeysView(keys=(), can_manage=False, now_us=NOW, base_url=BASE), "/settings/keys", True, (), 200),
    "ingest": ("pages/settings/ingest.html", IngestView(refused=(Refused(NOW - 7_200 * S, "traces", "trace_id is not 16 bytes", 12, 3, NOW - 7_000 * S), Refused(NOW - 90_000_000 * S // 100, "logs", HOSTILE + LONG, 1_204_000, 1, NOW - 400 * S)), received_spans=1_204_882, queue_spans=12, queue_bytes=48_211, queue_limit_spans=50_000, queue_limit_bytes=268_435_456), "/settings/ingest", True, (), 200),
    "ingest-calm": ("pages/settings/ingest.html", IngestView(refused=(), received_spans=0, queue_spans=0, queue_bytes=0, queue_limit_spans=50_000, queue_limit_bytes=268_435_456), "/settings/ingest", True, (), 200),
    "problem": ("pages/problem.html", ProblemView(404, "Not found", "There is no trace " + "f" * 32 + " in the project Checkout agents. It may belong to another project, or have been erased.", ""), "/traces/x", True, (), 404),
    "problem-500": ("pages/problem.html", ProblemView(500, "Something failed here", "The request was not carried out. Try again; if it fails again, tell the operator the reference below.", "e-7f31c2"), "/x", False, (), 500),
}  # fmt: skip
