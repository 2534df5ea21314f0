"""Which other sites' pages may call the API (CORS): those that are listed, with an API key, never with a session."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

# Where a key is presented. A page of another site has no business with pages, accounts or files.
_PATHS = ("/api/", "/v1/", "/events", "/schema/")
_ANSWER = (b"access-control-expose-headers", b"Retry-After")
_MAY = [
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, X-Api-Key, Content-Type, Content-Encoding, Last-Event-Id, Traceparent, Tracestate",
    ),
    (b"access-control-max-age", b"600"),
]


class CrossOrigin:
    """Answers the question that a browser asks before such a call, and lets the page read what comes of it.

    Access-Control-Allow-Credentials is never sent: a session is spent by AuditTrail's own pages alone.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self._any = "*" in origins
        self._origins = {origin.lower().encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(_PATHS):
            await self.app(scope, receive, send)
            return
        asked = {
            name: value for name, value in scope["headers"] if name in (b"origin", b"access-control-request-method")
        }
        allowed = self._headers(asked.get(b"origin", b""))
        if allowed and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            vary = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
            await send({"type": "http.response.start", "status": 204, "headers": [*allowed, *_MAY, vary]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        # Also without an Origin: what a cache keeps of this answer is not for a page that has one.
        added = [*allowed, (b"vary", b"Origin")]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        await self.app(scope, receive, with_headers)

    def _headers(self, origin: bytes) -> list[tuple[bytes, bytes]]:
        if self._any:
            return [(b"access-control-allow-origin", b"*"), _ANSWER]
        if origin.lower() in self._origins:
            return [(b"access-control-allow-origin", origin), _ANSWER]
        return []
