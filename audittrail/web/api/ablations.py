"""Which steps caused an outcome: asked of a trace, computed in the background, and read."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Parameter

from audittrail.attribution import parse
from audittrail.jobs.ablations import Question
from audittrail.model.ablation import MAX_WAIT, AblationRun, Level, Method, Players
from audittrail.model.filters import PAGE_SIZE, Cursor, as_stored, check_size
from audittrail.runtime import Runtime
from audittrail.store import ablations as ablation_store
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import Listing
from audittrail.web.auth import access

_Request = Request[Any, Any, Any]
_Wait = Annotated[float, Parameter(ge=0, le=MAX_WAIT, description="Seconds to wait while it has not ended.")]


class Asked(Body, frozen=True):
    """A question: docs/explaining.md. An outcome is {"rule": id}, {"error": true} or {"measure": "cost"}."""

    outcome: dict[str, Any]
    method: Method = "shapley"
    players: Players = "spans"
    level: Level = "recorded"
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 0


@post(
    "/api/v1/traces/{trace_id:str}/ablations",
    status_code=202,
    guards=[json_only],
    tags=["explain"],
    summary="Ask which steps caused an outcome",
)
async def ask(
    request: _Request, runtime: Runtime, trace_id: str, data: Asked, wait: _Wait = 0
) -> Response[AblationRun]:
    """200 when it has ended (the same question about an unchanged trace is answered once), 202 while it has not."""
    who = await access(request, runtime)
    question = Question(
        outcome=parse(data.outcome), method=data.method, players=data.players, level=data.level, seed=data.seed
    )
    run = await runtime.ablations.ask(who.project_id, as_stored(trace_id), question, who.name)
    if run.open and wait:
        run = await runtime.ablations.wait(who.project_id, run.id, wait)
    return Response(run, status_code=202 if run.open else 200)


@get("/api/v1/ablations/{run_id:str}", tags=["explain"], summary="How an ablation stands; may wait for its end")
async def get_ablation(request: _Request, runtime: Runtime, run_id: str, wait: _Wait = 0) -> AblationRun:
    """Returns as soon as it has ended, or after `wait` seconds as it is."""
    who = await access(request, runtime)
    return await runtime.ablations.wait(who.project_id, run_id, wait)


@get("/api/v1/ablations", tags=["explain"], summary="List ablations, newest first")
async def list_ablations(
    request: _Request, runtime: Runtime, trace: str = "", after: str = "", limit: int = PAGE_SIZE
) -> Listing[AblationRun]:
    """Of the project; of one trace, if one is named. A result is with the single one."""
    who = await access(request, runtime)
    check_size(limit)
    cursor = Cursor.parse(after) if after else None
    async with runtime.db.read() as conn:
        found = await ablation_store.list_ablations(
            conn, who.project_id, trace=as_stored(trace) if trace else "", after=cursor, size=limit
        )
    return Listing(list(found.items), found.next)


@post("/api/v1/ablations/{run_id:str}/cancel", status_code=200, tags=["explain"], summary="End an ablation unanswered")
async def cancel_ablation(request: _Request, runtime: Runtime, run_id: str) -> AblationRun:
    """409 when it has ended already."""
    who = await access(request, runtime)
    return await runtime.ablations.cancel(who.project_id, run_id)


ROUTES = [ask, get_ablation, list_ablations, cancel_ablation]
