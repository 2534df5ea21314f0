"""What stands around a page, for a request."""

from __future__ import annotations

from typing import Any

from litestar import Request

from audittrail import __version__
from audittrail.model.account import Viewer
from audittrail.runtime import Runtime
from audittrail.web.views.chrome import Chrome


def chrome_of(request: Request[Any, Any, Any], runtime: Runtime, viewer: Viewer | None) -> Chrome:
    """The chrome of the page asked for."""
    return Chrome(viewer=viewer, path=request.url.path, now_us=runtime.now_us(), version=__version__)
