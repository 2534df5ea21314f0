"""The numbers of the overview, and the lists of agents and sessions."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Parameter

from audittrail.model.analytics import BYS, Bucket, Group, Summary, parse_range
from audittrail.model.conversation import AgentRow, Conversation, ConversationFilter
from audittrail.model.errors import Invalid
from audittrail.model.filters import MAX_PAGE_SIZE, PAGE_SIZE, Cursor, check_size, one_of
from audittrail.runtime import Runtime
from audittrail.store import agents as agent_store
from audittrail.store import analytics, conversations
from audittrail.web.api.listing import Listing, One
from audittrail.web.auth import access

_Range = Annotated[str, Parameter(query="range", description="1h, 24h, 7d or 30d; 24h where it is left out.")]
_After = Annotated[str, Parameter(description="`next` of the page before.")]
_Limit = Annotated[int, Parameter(description=f"Items a page, at most {MAX_PAGE_SIZE}.")]
_Request = Request[Any, Any, Any]


@get("/api/v1/analytics/summary", tags=["analytics"], summary="A project's numbers over a range")
async def summary(request: _Request, runtime: Runtime, range_: _Range = "") -> One[Summary]:
    """Traces that began in the range until now, and violations found in it. `cost` is over the priced calls."""
    who = await access(request, runtime)
    asked, now_us = parse_range(range_), runtime.now_us()
    async with runtime.db.read() as conn:
        over = analytics.window(conn, who.project_id, asked, now_us)
        return One(await analytics.summary(conn, who.project_id, asked, now_us, over))


@get("/api/v1/analytics/series", tags=["analytics"], summary="The same numbers step by step, the earliest first")
async def series(request: _Request, runtime: Runtime, range_: _Range = "") -> Listing[Bucket]:
    """Whole steps in UTC of 5 minutes (1h), an hour (24h), 6 hours (7d) or a day (30d); steps without traces too."""
    who = await access(request, runtime)
    asked = parse_range(range_)
    async with runtime.db.read() as conn:
        over = analytics.window(conn, who.project_id, asked, runtime.now_us())
        return Listing(list(await over.series(asked)))


@get("/api/v1/analytics/breakdown", tags=["analytics"], summary="The numbers of each agent, model or tool")
async def breakdown(
    request: _Request,
    runtime: Runtime,
    by: Annotated[str, Parameter(description="agent, model or tool")],
    range_: _Range = "",
    limit: _Limit = PAGE_SIZE,
) -> Listing[Group]:
    """The most used first: an agent's traces, a model's or a tool's calls. `next` is always null."""
    who = await access(request, runtime)
    asked, kind = parse_range(range_), one_of("`by`", by, BYS)
    if kind is None:
        raise Invalid(f"Say by what: `by` is one of {', '.join(BYS)}.")
    check_size(limit)
    async with runtime.db.read() as conn:
        over = analytics.window(conn, who.project_id, asked, runtime.now_us())
        return Listing(await over.groups(kind, limit))


@get("/api/v1/sessions", tags=["traces"], summary="List sessions, by their latest trace, newest first")
async def list_sessions(
    request: _Request,
    runtime: Runtime,
    range_: Annotated[str, Parameter(query="range", description="1h, 24h, 7d or 30d; empty for any time.")] = "",
    after: _After = "",
    limit: _Limit = PAGE_SIZE,
) -> Listing[Conversation]:
    """Conversations across traces; `range` asks when the latest trace began. Their traces: /api/v1/traces?session=."""
    who = await access(request, runtime)
    want = ConversationFilter.parse(range=range_, after=after, size=limit)
    async with runtime.db.read() as conn:
        found = await conversations.list_conversations(conn, who.project_id, want, runtime.now_us())
    return Listing(list(found.items), found.next)


@get("/api/v1/agents", tags=["traces"], summary="List agents by name")
async def list_agents(
    request: _Request, runtime: Runtime, range_: _Range = "", after: _After = "", limit: _Limit = PAGE_SIZE
) -> Listing[AgentRow]:
    """Every agent that ever sent a trace, with the numbers of its traces in the range."""
    who = await access(request, runtime)
    asked = parse_range(range_)
    check_size(limit)
    cursor = Cursor.parse(after) if after else None
    async with runtime.db.read() as conn:
        found = await agent_store.list_agents(conn, who.project_id, asked, runtime.now_us(), cursor, limit)
    return Listing(list(found.items), found.next)


ROUTES = [summary, series, breakdown, list_sessions, list_agents]
