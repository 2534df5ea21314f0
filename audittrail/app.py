"""The composition root: one Litestar application of all routes."""

from __future__ import annotations

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
from audittrail.web.graphs import Graphs
from audittrail.web.openapi import openapi
from audittrail.web.render import Renderer

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
YEAR = b"public, max-age=31536000, immutable"


class SecurityHeaders:
    """Puts HEADERS on every response, errors included, and a lifetime on files whose address has their hash."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
        page = not scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *HEADERS]
                if static and message["status"] == 200:
                    headers.append((b"cache-control", YEAR))
                elif page and not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, with_headers)


def create_app(runtime: Runtime) -> ASGIApp:
    """The application. The runtime is opened and closed by whoever serves it."""
    return SecurityHeaders(_litestar(runtime))


def _litestar(runtime: Runtime) -> Litestar:
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
        state=State({"runtime": runtime, "renderer": renderer, "graphs": Graphs()}),
        debug=False,
        logging_config=None,
        signature_types=[Runtime],
    )
