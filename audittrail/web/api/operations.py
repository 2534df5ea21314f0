"""How the server is. Answers without a key, and says nothing that is not a count or a state."""

from __future__ import annotations

import msgspec
from litestar import Response, get

from audittrail import __version__
from audittrail.jobs.supervise import TaskState
from audittrail.runtime import Runtime
from audittrail.store import agents as agent_store
from audittrail.store.writer import WriterState

MAX_ERRORS = 5  # of rule files


class Health(msgspec.Struct, frozen=True):
    """`ok`, or `degraded` with what is wrong in words."""

    status: str
    version: str
    db_connected: bool
    rules_loaded: int
    uptime_seconds: int
    tasks: dict[str, TaskState]
    reasons: list[str]


class Instance(msgspec.Struct, frozen=True):
    """What runs here."""

    version: str
    connected_agents: int
    rule_count: int
    uptime_seconds: int
    database: str
    queue: WriterState
    search_lag_seconds: int  # since the oldest trace arrived that search does not know wholly
    retention_days: int  # 0: for ever
    last_purge_us: int | None  # when this process last purged something


def uptime_seconds(runtime: Runtime) -> int:
    """Since the process started."""
    return (runtime.now_us() - runtime.started_us) // 1_000_000


@get("/api/v1/health", tags=["operations"], summary="Whether all is well")
async def health(runtime: Runtime) -> Response[Health]:
    """Always 200 while the process answers; the status says whether it is well."""
    connected = await runtime.db.answers()
    tasks = runtime.supervisor.states
    reasons = [] if connected else ["The database does not answer."]
    if runtime.writer.state().failing:
        reasons.append("The last transaction could not be written; ingest answers 503 until one can.")
    reasons += [f"The background task {name} is not running." for name, state in tasks.items() if not state.running]
    if runtime.retention.reason:
        reasons.append(runtime.retention.reason)
    rules = runtime.constitution
    # Places only: whoever asks here has shown no key. The page and the log say what is wrong there.
    if rules.errors:
        places = ", ".join(error.place for error in rules.errors[:MAX_ERRORS])
        reasons.append(
            f"Rule files are wrong ({places}); the last good set of {len(rules.rules)} rules stays in force."
        )
    body = Health(
        "degraded" if reasons else "ok",
        __version__,
        connected,
        len(rules.rules),
        uptime_seconds(runtime),
        dict(tasks),
        reasons,
    )
    return Response(body, headers={"Cache-Control": "no-store"})


@get("/api/v1/instance", tags=["operations"], summary="What runs here")
async def instance(runtime: Runtime) -> Response[Instance]:
    """Version, counts and the writer's queue."""
    async with runtime.db.read() as conn:
        agents = len(await agent_store.connected(conn, runtime.now_us()))
    database = "sqlite" if runtime.db.is_sqlite else "postgresql"
    rules = len(runtime.constitution.rules)
    waiting = runtime.search.waiting_since_us
    lag = 0 if waiting is None else max(0, runtime.now_us() - waiting) // 1_000_000
    days, last = runtime.settings.retention_days, runtime.retention.last_us
    queue = runtime.writer.state()
    body = Instance(__version__, agents, rules, uptime_seconds(runtime), database, queue, lag, days, last)
    return Response(body, headers={"Cache-Control": "no-store"})


ROUTES = [health, instance]
