"""How the server is. Answers without a key, and says nothing that is not a count or a state."""

from __future__ import annotations

import time

import msgspec
from litestar import Response, get

from audittrail import __version__
from audittrail.disk import space
from audittrail.jobs.supervise import TaskState
from audittrail.model.human import size
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
    return int(time.monotonic() - runtime.started)


def search_lag_seconds(runtime: Runtime) -> int:
    """Since the oldest trace arrived that search does not know wholly."""
    waiting = runtime.search.waiting_since_us
    return 0 if waiting is None else max(0, runtime.now_us() - waiting) // 1_000_000


def reasons(runtime: Runtime, connected: bool) -> list[str]:
    """What is wrong, in sentences."""
    found = [] if connected else ["The database does not answer."]
    if runtime.writer.failure:
        found.append(runtime.writer.failure)
    disk = space(runtime.settings.data_dir)
    if disk is None:
        found.append("The data folder cannot be read.")
    elif disk.low:
        found.append(f"Space runs out: {size(disk.free)} of {size(disk.total)} are left for the data folder.")
    states = runtime.supervisor.states
    found += [f"The background task {name} is not running." for name, state in states.items() if not state.running]
    if runtime.retention.reason:
        found.append(runtime.retention.reason)
    rules = runtime.constitution
    # Places only: whoever asks here has shown no key. The page and the log say what is wrong there.
    if rules.errors:
        places = ", ".join(error.place for error in rules.errors[:MAX_ERRORS])
        found.append(f"Rule files are wrong ({places}); the last good set of {len(rules.rules)} rules stays in force.")
    elif not len(rules.rules):
        found.append("No rule is loaded, so nothing is judged: look into the rules folder.")
    return found


@get("/api/v1/health", tags=["operations"], summary="Whether all is well")
async def health(runtime: Runtime) -> Response[Health]:
    """Always 200 while the process answers; the status says whether it is well."""
    connected = await runtime.db.answers()
    wrong = reasons(runtime, connected)
    body = Health(
        "degraded" if wrong else "ok",
        __version__,
        connected,
        len(runtime.constitution.rules),
        uptime_seconds(runtime),
        dict(runtime.supervisor.states),
        wrong,
    )
    return Response(body, headers={"Cache-Control": "no-store"})


@get("/api/v1/instance", tags=["operations"], summary="What runs here")
async def instance(runtime: Runtime) -> Response[Instance]:
    """Version, counts and the writer's queue."""
    async with runtime.db.read() as conn:
        agents = len(await agent_store.connected(conn, runtime.now_us()))
    database = "sqlite" if runtime.db.is_sqlite else "postgresql"
    rules = len(runtime.constitution.rules)
    lag = search_lag_seconds(runtime)
    days, last = runtime.settings.retention_days, runtime.retention.last_us
    queue = runtime.writer.state()
    body = Instance(__version__, agents, rules, uptime_seconds(runtime), database, queue, lag, days, last)
    return Response(body, headers={"Cache-Control": "no-store"})


ROUTES = [health, instance]
