"""How often an address may ask without a good key or session."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response
from litestar.enums import ScopeType
from litestar.types import Message, Receive, Scope, Send

from audittrail.identity.address import network
from audittrail.model.errors import TooMany
from audittrail.runtime import Runtime
from audittrail.web import errors
from audittrail.web.api import otlp
from audittrail.web.charge import KNOWN, in_words, seconds_in_words

_SESSION = b"audittrail_session="
# What a sign-in page is made of, and what a container's health check asks for.
_FREE = ("/static/", "/api/v1/health")


class RateLimit:
    """Answers 429 to an address that asks too often without a key or session.

    Whoever presents one is let through to have it checked. Where it is not found good, the address is charged then, and
    is told so instead of the answer once it has had too many: to guess is no way around the limit, and what is right is
    never refused for what a neighbour of the same address has wrong.
    """

    def __init__(self, app: Litestar, runtime: Runtime) -> None:
        self.app = app
        self._runtime = runtime
        self._allowance = runtime.address_allowance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(_FREE):
            await self.app(scope, receive, send)
        elif _presents(scope["headers"]):
            await self._checked(scope, receive, send)
        elif wait := self._allowance.take(_address(scope)):
            await self._refuse(scope, receive, send, wait)
        else:
            await self.app(scope, receive, send)

    async def _checked(self, scope: Any, receive: Receive, send: Send) -> None:
        refused = False

        async def unless_wrong(message: Message) -> None:
            nonlocal refused
            # A server that cannot look says 5xx: that is nobody's fault, and exporters are to come again.
            if message["type"] == "http.response.start" and KNOWN not in scope and message["status"] < 500:
                # Counted apart from those who present nothing: a broken exporter shall not lock out the sign-in page.
                wait = self._allowance.take("presents " + _address(scope))
                if wait:
                    refused = True
                    await self._refuse(scope, receive, send, wait)
            if not refused:
                await send(message)

        await self.app(scope, receive, unless_wrong)

    async def _refuse(self, scope: Any, receive: Receive, send: Send, wait: int) -> None:
        rate = in_words(self._runtime.settings.rate_limit)
        error = TooMany(
            f"This address asks more often than {rate} without a valid API key or session; "
            f"try again in {seconds_in_words(wait)}.",
            wait,
        )
        scope["litestar_app"] = self.app  # what is refused here has not come to where the framework says so
        scope.setdefault("state", {})
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        response: Response[Any] = (
            otlp.failure(request, error) if scope["path"] in otlp.PATHS else errors.answer(request, error)
        )
        await response.to_asgi_response(request=request, app=None)(scope, receive, send)


def _presents(headers: Any) -> bool:
    for name, value in headers:
        if name in (b"authorization", b"x-api-key"):
            if value:
                return True
        elif name == b"cookie" and _SESSION in value:
            return True
    return False


def _address(scope: Any) -> str:
    client = scope.get("client")
    return network(client[0]) if client else ""
