"""What waits for a person, as the navigation counts it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from audittrail.runtime import Runtime
from audittrail.web.auth import viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page


@get("/pending", include_in_schema=False)
async def pending(request: Request[Any, Any, Any], runtime: Runtime) -> Response[str]:
    """The counters alone, which every page shows: block `places`, for the element of that id."""
    who = await viewer(request, runtime)
    return page(request, "pages/pending.html", None, chrome_of(request, runtime, who))


ROUTES = [pending]
