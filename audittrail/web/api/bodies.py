"""What every JSON body of the API is asked for."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from audittrail.model.errors import UnsupportedMedia


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request's JSON object. An unknown field is refused: it is a mistake that would otherwise pass unseen."""


async def json_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard. Litestar decodes text/plain as JSON too, and a form of another site's page may send that."""
    media = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise UnsupportedMedia("Send the body as application/json.")
