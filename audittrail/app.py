"""The composition root: one Litestar application of all routes."""

from __future__ import annotations

from time import perf_counter

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.plugins.htmx import HTMXRequest
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from audittrail.runtime import Runtime
from audittrail.settings import asset_folder
from audittrail.web import api, errors, events, pages
from audittrail.web.cors import CrossOrigin
from audittrail.web.exports import Exports
from audittrail.web.graphs import Graphs
from audittrail.web.limits import RateLimit
from audittrail.web.openapi import openapi
from audittrail.web.render import Renderer
from audittrail.web.traffic import Traffic, group

YEAR = b"public, max-age=31536000, immutable"


class Answered:
    """Counts each response, and says how long it may be kept: for ever where its address has its hash, else not."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self.app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        kind = group(scope["path"])
        static = kind == "static"

        async def with_lifetime(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._traffic.count(kind, message["status"], perf_counter() - began)
                headers = message.get("headers", [])
                if static and message["status"] == 200:
                    if scope["query_string"].startswith(b"v="):
                        message["headers"] = [*headers, (b"cache-control", YEAR)]
                elif not any(name == b"cache-control" for name, _ in headers):
                    message["headers"] = [*headers, (b"cache-control", b"no-store")]
            await send(message)

        await self.app(scope, receive, with_lifetime)


def create_app(runtime: Runtime) -> ASGIApp:
    """The application. The runtime is opened and closed by whoever serves it, who adds web.headers to each response."""
    traffic = Traffic()
    framework = _litestar(runtime, traffic)
    app: ASGIApp = RateLimit(framework, runtime)
    if runtime.settings.cors_origins:
        app = CrossOrigin(app, runtime.settings.cors_origins)
    return Answered(app, traffic)


def _litestar(runtime: Runtime, traffic: Traffic) -> Litestar:
    renderer = Renderer(asset_folder("templates"), asset_folder("static"), reload=runtime.settings.debug)
    return Litestar(
        route_handlers=[
            *api.ROUTES,
            *pages.ROUTES,
            *events.ROUTES,
            create_static_files_router("/static", directories=[asset_folder("static")], include_in_schema=False),
        ],
        dependencies={"runtime": Provide(lambda: runtime, sync_to_thread=False, use_cache=True)},
        exception_handlers={Exception: errors.answer},
        openapi_config=openapi(),
        request_class=HTMXRequest,
        request_max_body_size=64 << 10,  # forms and small JSON; ingest has its own limit
        state=State(
            {
                "runtime": runtime,
                "renderer": renderer,
                "graphs": Graphs(),
                "exports": Exports(),
                "traffic": traffic,
            }
        ),
        debug=False,
        logging_config=None,
        signature_types=[Runtime],
    )
