# ruff: noqa: E501 - one sample a line
"""Sample data of the overview, sessions and agents: calm, hostile, of one trace, and of none."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from audittrail.model.analytics import By, Group, Summary, buckets, measures, since, starts
from audittrail.model.conversation import AgentRow, Conversation, ConversationFilter
from audittrail.model.filters import RANGES, Page
from audittrail.model.usage import Sums, total
from audittrail.web.views.overview import OverviewView
from audittrail.web.views.sessions import AgentsView, Exchange, SessionsView, SessionView
from tests.looks import governed
from tests.looks.samples import HOSTILE, LONG, NOW, OVERRIDE, ROWS, RTL, S


def sums(dice: random.Random, count: int, *, priced: bool = True, metered: bool = True) -> Sums:
    """Of so many runs or calls."""
    found = Sums(count=count, errors=sum(dice.random() < 0.06 for _ in range(count)), unpriced=0 if priced else count)
    for _ in range(count):
        found.took(int(dice.lognormvariate(14.5, 0.8)))
    if metered:
        found.metered, found.input_tokens, found.output_tokens = count, count * 2_400, count * 310
    if priced and metered:
        found.priced, found.cost = count, Decimal(count * 13).scaleb(-3)
    return found


def group(dice: random.Random, name: str | None, count: int, **more: bool) -> Group:
    """A line of a breakdown."""
    return Group(name=name, calls=count, **measures(sums(dice, count, **more)))


def overview(range_: str = "24h", most: int = 60, names: tuple[str | None, ...] = (), **more: Any) -> OverviewView:
    """With at most so many traces in a step."""
    dice = random.Random(5)
    steps = [(at, sums(dice, dice.randrange(most + 1))) for at in starts(range_, NOW)]
    found = [(NOW - dice.randrange(RANGES[range_] * S), 1) for _ in range(min(most, 27))]
    added = total(one for _, one in steps)
    summary = Summary(
        range=range_, from_us=since(range_, NOW), until_us=NOW, traces=added.count, violations=len(found),
        pending_approvals=3, **measures(added),
    )  # fmt: skip
    groups: dict[By, tuple[Group, ...]] = {
        "agent": tuple(group(dice, name, 300 - 37 * n) for n, name in enumerate(names[:5])),
        "model": tuple(group(dice, name, 900 - 90 * n, priced=n != 1) for n, name in enumerate(names[:4])),
        "tool": tuple(group(dice, name, 400 - 30 * n, metered=False, priced=False) for n, name in enumerate(names)),
    }
    known: dict[str, Any] = {
        "range": range_, "now_us": NOW, "summary": summary, "before": sums(dice, 500), "violations_before": 20,
        "series": buckets(starts(range_, NOW), steps, found), "groups": groups, "traces": tuple(ROWS[:6]),
        "verdicts": governed.CALM[:6], "waiting": governed.WAITING,
    }  # fmt: skip
    return OverviewView(**(known | more))


NAMES = (
    "refund-agent",
    "code-review",
    "triage",
    "crm-cleanup",
    "weather-assistant",
    "search_docs",
    "run_sql",
    "look",
    "z",
)
WILD = (HOSTILE, LONG, RTL, OVERRIDE, None, "0")
NOTHING = overview(most=0, before=Sums(), violations_before=0, traces=(), verdicts=(), waiting=())


def session(n: int, id_: str, **more: Any) -> Conversation:
    """One line."""
    known: dict[str, Any] = {
        "session_id": id_, "started_us": NOW - (n + 2) * 4_000 * S, "latest_us": NOW - n * 900 * S, "name": "refund-agent",
        "latest_trace_id": ROWS[0].trace_id, "status": "ok", "agent": "refund-agent", "end_user": "customer-5512", "traces": n + 1,
        "errors": n % 3, "span_count": 40, "input_tokens": 31_000, "output_tokens": 2_100, "cost": Decimal("0.043"),
    }  # fmt: skip
    return Conversation(**(known | more))


SESSIONS = tuple(session(n, f"chat-{n:04}") for n in range(12))
WILD_SESSION = session(
    5, HOSTILE + LONG, name=RTL, agent=HOSTILE, end_user=HOSTILE, cost=None, input_tokens=None, output_tokens=None
)
SAID = Exchange(row=ROWS[0], asked="What should I wear in Oslo tomorrow?", answered="A warm waterproof jacket.")
EXCHANGES = (
    SAID,
    replace(SAID, row=replace(ROWS[0], status="error", error=HOSTILE + LONG), asked=LONG * 40, answered=""),
    replace(SAID, row=replace(ROWS[0], status="running", ended_us=None), asked=RTL, answered=HOSTILE),
    replace(SAID, asked="", answered=""),
)


def agent(name: str, *, connected: bool = True, count: int = 40) -> AgentRow:
    """One line."""
    dice = random.Random(name)
    fields = {k: v for k, v in measures(sums(dice, count)).items() if k in AgentRow.__struct_fields__}
    series = tuple(dice.randrange(9) for _ in range(25)) if count else (0,) * 25
    return AgentRow(agent=name, connected=connected, last_seen_us=NOW - 90 * S, traces=count, series=series, **fields)


AGENTS = (
    agent("code-review"), agent("refund-agent", connected=False), agent("idle", connected=False, count=0),
    agent(HOSTILE), agent(LONG), agent(RTL),
)  # fmt: skip


def _page(template: str, view: object, path: str, status: int = 200) -> tuple[Any, ...]:
    return f"pages/{template}.html", view, path, True, (), status


PAGES = {
    "overview": _page("overview", overview(names=NAMES), "/"),
    "overview-hour": _page("overview", overview("1h", most=3, names=NAMES[:2]), "/"),
    "overview-month": _page("overview", overview("30d", most=900, names=NAMES), "/"),
    "overview-wild": _page("overview", overview("7d", names=WILD, verdicts=(governed.WILD,)), "/"),
    "overview-nothing": _page("overview", NOTHING, "/"),
    "overview-wrong": _page("overview", OverviewView(range="24h", now_us=NOW, error="The range is one of 1h, 24h."), "/", 400),
    "sessions": _page("sessions", SessionsView(want=ConversationFilter(), found=Page((*SESSIONS, WILD_SESSION), "abc")), "/sessions"),
    "sessions-none": _page("sessions", SessionsView(want=ConversationFilter(), found=Page(()), nothing_yet=True), "/sessions"),
    "session": _page("session", SessionView(session=SESSIONS[3], exchanges=EXCHANGES[:1], next=None, first=True, now_us=NOW), "/sessions/x"),
    "session-wild": _page("session", SessionView(session=WILD_SESSION, exchanges=EXCHANGES, next="abc", first=False, now_us=NOW), "/sessions/x"),
    "agents": _page("agents", AgentsView(range="24h", found=Page(AGENTS, "abc")), "/agents"),
    "agents-none": _page("agents", AgentsView(range="24h", found=Page(())), "/agents"),
}  # fmt: skip
