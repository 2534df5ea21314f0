"""What the rules found, and what people make of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter

from audittrail.model.errors import NotFound
from audittrail.model.filters import PAGE_SIZE
from audittrail.model.violation import MAX_NOTE, Standing, Violation, ViolationFilter
from audittrail.runtime import Runtime
from audittrail.store import verdicts as verdict_store
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import Listing, One
from audittrail.web.auth import access, person, require_role

_Request = Request[Any, Any, Any]


class Changed(Body, frozen=True):
    """What a person makes of a violation."""

    status: Standing
    note: Annotated[str, msgspec.Meta(max_length=MAX_NOTE)] = ""


@get("/api/v1/violations", tags=["govern"], summary="List violations, warnings and errors of rules, newest first")
async def list_violations(
    request: _Request,
    runtime: Runtime,
    q: Annotated[str, Parameter(description='The query line: `rule:cost-guard severity:high "text"`.')] = "",
    range_: Annotated[str, Parameter(query="range", description="1h, 24h, 7d or 30d; empty for any time.")] = "",
    status: Annotated[str, Parameter(description="open, acknowledged or resolved")] = "",
    outcome: Annotated[str, Parameter(description="violation, warning, error, or pass: corrected since")] = "",
    severity: str = "",
    mode: Annotated[str, Parameter(description="enforce or observe")] = "",
    rule: str = "",
    agent: str = "",
    trace: str = "",
    after: str = "",
    limit: int = PAGE_SIZE,
) -> Listing[Violation]:
    """The project's, that match every filter given."""
    who = await access(request, runtime)
    asked = {"range": range_, "status": status, "outcome": outcome, "severity": severity, "mode": mode}
    want = ViolationFilter.parse(q=q, after=after, size=limit, rule=rule, agent=agent, trace=trace, **asked)
    async with runtime.db.read() as conn:
        found = await verdict_store.list_violations(conn, who.project_id, want, runtime.now_us())
    return Listing(list(found.items), found.next)


@get("/api/v1/violations/{violation_id:str}", tags=["govern"], summary="One violation")
async def get_violation(request: _Request, runtime: Runtime, violation_id: str) -> One[Violation]:
    """With the values the rule saw and the spans that are its evidence."""
    who = await access(request, runtime)
    async with runtime.db.read() as conn:
        return One(await _found(conn, who.project_id, violation_id))


async def _found(conn: Any, project_id: int, violation_id: str) -> Violation:
    found = await verdict_store.violation(conn, project_id, violation_id) if violation_id.isalnum() else None
    if found is None:
        raise NotFound("No violation of this project has that id.")
    return found


@post(
    "/api/v1/violations/{violation_id:str}",
    status_code=200,
    guards=[json_only],
    tags=["govern"],
    summary="Acknowledge, resolve or reopen, with a note",
)
async def change_violation(request: _Request, runtime: Runtime, violation_id: str, data: Changed) -> One[Violation]:
    """As a signed-in reviewer or owner."""
    who = await person(request, runtime)
    project_id = require_role(who, "reviewer").project.id
    note = runtime.kept(data.note)
    async with runtime.db.write() as conn:
        await _found(conn, project_id, violation_id)
        await verdict_store.set_standing(
            conn, project_id, [violation_id], data.status, note, who.user.email, runtime.now_us()
        )
        return One(await _found(conn, project_id, violation_id))


ROUTES = [list_violations, get_violation, change_violation]
