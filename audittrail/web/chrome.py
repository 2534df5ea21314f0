"""What stands around a page, for a request."""

from __future__ import annotations

from typing import Any

from litestar import Request

from audittrail import __version__
from audittrail.model.account import Viewer
from audittrail.runtime import Runtime
from audittrail.web.views.chrome import Chrome, Pending

REDACTION_OFF = (
    "Redaction is off: personal data and secrets are stored as they come. "
    "Set AUDITTRAIL_PII_REDACTION_ENABLED=true and start again to take them out."
)


def chrome_of(request: Request[Any, Any, Any], runtime: Runtime, viewer: Viewer | None) -> Chrome:
    """The chrome of the page asked for."""
    return Chrome(
        viewer=viewer,
        path=request.url.path,
        now_us=runtime.now_us(),
        version=__version__,
        notices=() if runtime.redactor else (REDACTION_OFF,),
        pending=getattr(request.state, "pending", Pending()),
        mark=getattr(request.state, "mark", ""),
    )
