"""GET /events: what changes, as it changes. It says which, and never what: whoever is told asks again."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, get
from litestar.types import Receive, Scope, Send

from audittrail.live import frames
from audittrail.live.hub import Holder, Hub, Stream
from audittrail.model.errors import NotFound
from audittrail.runtime import Runtime
from audittrail.web.auth import Access, access

HEARTBEAT_SECONDS = 15.0  # proxies take a connection for dead after 30 or more
MAX_TRACES = 20  # that a stream can be narrowed to

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect it
]


class EventStream:
    """The answer: begun at once, ended when the client goes, may not look any more, or the server stops."""

    def __init__(self, hub: Hub, holder: Holder, since: str, traces: frozenset[str] | None) -> None:
        self._hub = hub
        self._asked = holder, since, traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with self._hub.open(*self._asked) as stream:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send(_body(stream.opening))
            listening = asyncio.create_task(_until_gone(receive, stream))
            try:
                while (frame := await stream.read(HEARTBEAT_SECONDS)) is not None:
                    await send(_body(frame or frames.HEARTBEAT))
                await send(_body(b"", more=False))
            finally:
                listening.cancel()


def _body(data: bytes, more: bool = True) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def _until_gone(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


@get("/events", include_in_schema=False)
async def events(request: Request[Any, Any, Any], runtime: Runtime) -> EventStream:
    """For a key with the scope `read`, or a signed-in person."""
    who = await access(request, runtime)
    params = request.query_params
    since = request.headers.get("last-event-id") or params.get("since") or ""
    traces = frozenset(params.getall("trace", [])[:MAX_TRACES]) if "trace" in params else None
    return EventStream(runtime.live, _holder(who, params.get("project_id")), since, traces)


def _holder(who: Access, wanted: str | None) -> Holder:
    if who.viewer is None:
        return Holder(who.project_id, key_id=who.key.id if who.key else 0)
    # A page follows the project that it was made for, whichever the session looks at by now.
    mine = {str(m.project.id): m.project.id for m in who.viewer.memberships}
    if wanted is not None and wanted not in mine:
        raise NotFound("You belong to no project of that id.")
    return Holder(mine[wanted] if wanted else who.project_id, session=who.viewer.session_id)


ROUTES = [events]
