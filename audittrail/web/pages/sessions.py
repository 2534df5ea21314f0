"""The list of sessions, one conversation across its traces, and the agents."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from audittrail.ingest.pipeline import read
from audittrail.model.analytics import DEFAULT_RANGE, parse_range
from audittrail.model.conversation import AgentRow, Conversation, ConversationFilter
from audittrail.model.errors import Invalid, NotFound
from audittrail.model.filters import PAGE_SIZE, Cursor, Page
from audittrail.model.span import Span
from audittrail.runtime import Runtime
from audittrail.store import agents as agent_store
from audittrail.store import conversations
from audittrail.store import spans as span_store
from audittrail.web.auth import has_role, require_project, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page
from audittrail.web.views.links import session_named
from audittrail.web.views.sessions import AgentsView, SessionsView, SessionView, exchange

_Request = Request[Any, Any, Any]
EXCHANGES = 20  # of a session in one answer


@get("/sessions", include_in_schema=False)
async def sessions(request: _Request, runtime: Runtime) -> Response[str]:
    """By their latest trace, newest first."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    asked = {name: request.query_params.get(name, "") for name in ("range", "after")}
    error, empty, found = "", False, Page[Conversation](())
    try:
        want = ConversationFilter.parse(**asked)  # type: ignore[arg-type]
    except Invalid as wrong:
        want, error = ConversationFilter(), str(wrong)
    else:
        async with runtime.db.read() as conn:
            found = await conversations.list_conversations(conn, project_id, want, runtime.now_us())
            if not found.items:
                any_time = ConversationFilter(size=1)
                empty = not (await conversations.list_conversations(conn, project_id, any_time, runtime.now_us())).items
    view = SessionsView(want=want, found=found, error=error, nothing_yet=empty)
    return page(request, "pages/sessions.html", view, chrome_of(request, runtime, who), status=400 if error else 200)


@get("/sessions/{session:str}", include_in_schema=False)
async def session(request: _Request, runtime: Runtime, session: str) -> Response[str]:
    """What was asked and what came out, trace by trace."""
    who = await viewer(request, runtime)
    member = require_project(who)
    project_id = member.project.id
    now_us, after = runtime.now_us(), request.query_params.get("after", "")
    cursor = Cursor.parse(after) if after else None
    name = session_named(session)
    async with runtime.db.read() as conn:
        found = await conversations.conversation(conn, project_id, name, now_us) if "\0" not in name else None
        if found is None:
            raise NotFound("No trace of this project belongs to that session.")
        traces = await conversations.traces_of(conn, project_id, name, cursor, EXCHANGES, now_us)
        voices = await conversations.voices(conn, project_id, [row.trace_id for row in traces.items])
        keys = [(trace_id, span) for trace_id, spans in voices.items() for span in spans if span]
        records = await span_store.records_of(conn, project_id, keys)

    def span(trace_id: str, span_id: str | None) -> Span | None:
        stored = records.get((trace_id, span_id or ""))
        return read(stored.record, stored.cost_basis) if stored else None

    view = SessionView(
        session=found,
        exchanges=tuple(
            exchange(row, *(span(row.trace_id, one) for one in voices[row.trace_id])) for row in traces.items
        ),
        next=traces.next,
        first=cursor is None,
        now_us=now_us,
        can_delete=has_role(member, "owner"),
    )
    return page(request, "pages/session.html", view, chrome_of(request, runtime, who))


@get("/agents", include_in_schema=False)
async def agents(request: _Request, runtime: Runtime) -> Response[str]:
    """By name, with the numbers of a range."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    after, range_, error = request.query_params.get("after", ""), DEFAULT_RANGE, ""
    found: Page[AgentRow] = Page(())
    try:
        range_ = parse_range(request.query_params.get("range", ""))
        cursor = Cursor.parse(after) if after else None
    except Invalid as wrong:
        error = str(wrong)
    else:
        async with runtime.db.read() as conn:
            found = await agent_store.list_agents(conn, project_id, range_, runtime.now_us(), cursor, PAGE_SIZE)
    view = AgentsView(range=range_, found=found, after=after, error=error)
    return page(request, "pages/agents.html", view, chrome_of(request, runtime, who), status=400 if error else 200)


ROUTES = [sessions, session, agents]
