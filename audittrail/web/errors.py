"""One answer for everything that goes wrong: problem+json (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import http
import logging
import secrets
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect

from audittrail.model import errors as e
from audittrail.model.account import Viewer
from audittrail.model.errors import where
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page
from audittrail.web.views.problem import ProblemView

log = logging.getLogger(__name__)

STATUS: dict[type[e.AuditTrailError], int] = {
    e.Invalid: 400,
    e.NotSignedIn: 401,
    e.Forbidden: 403,
    e.NotFound: 404,
    e.Conflict: 409,
    e.TooLarge: 413,
    e.UnsupportedMedia: 415,
    e.TooMany: 429,
    e.Unavailable: 503,
}
TITLES = {401: "Sign in first", 403: "Not allowed", 404: "Not found", 413: "Too large", 429: "Too many requests"}
DETAILS = {
    404: "There is nothing at this address. It may have been deleted, or belong to a project you are not a member of.",
    405: "This address does not take that method.",
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 section 3."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    instance: str = ""


def explain(error: Exception) -> tuple[Problem, dict[str, str]]:
    """The problem and the headers of its answer. Unexpected errors are logged under a reference, without content."""
    headers: dict[str, str] = {}
    reference = ""
    if isinstance(error, e.AuditTrailError):
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
        detail = str(error)
        if isinstance(error, e.TooMany | e.Unavailable):
            headers["Retry-After"] = str(error.retry_after)
        if isinstance(error, e.NotSignedIn):
            headers["WWW-Authenticate"] = 'Bearer realm="AuditTrail"'
    elif isinstance(error, ValidationException):
        status, detail = 400, _validation(error)
    elif isinstance(error, HTTPException):
        status = error.status_code
        detail = DETAILS.get(status) or error.detail or http.HTTPStatus(status).description
        headers |= {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    else:
        reference = secrets.token_hex(4)
        log.error("Unexpected error %s: %s", reference, where(error))
        status = 500
        detail = (
            f"The server met an error it did not expect. Its log has it under {reference}; nothing else was affected."
        )
    title = TITLES.get(status) or http.HTTPStatus(status).phrase
    return Problem(title, status, detail, instance=reference), headers


def _validation(error: ValidationException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [f"{x.get('key', 'body')}: {x.get('message', '')}" for x in extra if isinstance(x, dict)]
    return "; ".join(parts) or error.detail


def for_program(request: Request[Any, Any, Any]) -> bool:
    """Whether the answer is read by a program and not by a person."""
    path = request.url.path
    if path.startswith(("/api/", "/v1/", "/schema", "/metrics")):
        return True
    accepts = request.headers.get("accept", "")
    return "text/html" not in accepts and "hx-request" not in request.headers


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Litestar's exception handler for everything."""
    problem, headers = explain(error)
    if for_program(request):
        return Response(
            msgspec.json.encode(problem),
            media_type="application/problem+json",
            status_code=problem.status,
            headers=headers,
        )
    if isinstance(error, e.NotSignedIn):
        return _sign_in(request)
    # Who asked is known only where the handler got as far as asking; Litestar's exception handlers cannot wait for it.
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    runtime = request.app.state.runtime
    view = ProblemView(problem.status, problem.title, problem.detail, problem.instance)
    response = page(request, "pages/problem.html", view, chrome_of(request, runtime, viewer), status=problem.status)
    response.headers.update(headers)
    return response


def _sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    login = "/login" if request.method != "GET" or target == "/" else f"/login?next={quote(target)}"
    if "hx-request" in request.headers:
        # A redirect would put the sign-in page into a fragment's place.
        return Response(b"", status_code=204, media_type=MediaType.TEXT, headers={"HX-Redirect": login})
    return Redirect(login, status_code=303)
