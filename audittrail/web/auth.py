"""Who asks, and whether they may: the session's cookie, the API key's header, and where the request comes from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection

from audittrail.identity.keys import presented
from audittrail.identity.tokens import hash_token
from audittrail.model.account import PROJECT_ROLES, Key, Membership, ProjectRole, Scope, Viewer
from audittrail.model.errors import Forbidden, NotFound, NotSignedIn, Unavailable
from audittrail.runtime import Runtime
from audittrail.store import approvals, projects, sessions, verdicts
from audittrail.web.charge import admitted, charge_key
from audittrail.web.views.chrome import Pending

COOKIE = "audittrail_session"
_Request = Request[Any, Any, Any]
_SAFE = ("GET", "HEAD", "OPTIONS")


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads through the JSON API, and which project: a key or a person."""

    project_id: int
    key: Key | None = None
    viewer: Viewer | None = None

    @property
    def name(self) -> str:
        """As it is kept who asked: an e-mail address, or pk-at-…"""
        return self.viewer.user.email if self.viewer else self.key.public if self.key else ""


def session_hash(request: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The hash of the presented session's token, whether it is one or not."""
    token = request.cookies.get(COOKIE, "")
    return hash_token(token) if token and len(token) <= 100 else None


async def viewer_or_none(request: _Request, runtime: Runtime) -> Viewer | None:
    """The signed-in person, as the database has them now. Fit for reading only: the origin is not checked."""
    token_hash = session_hash(request)
    if token_hash is None:
        return None
    now_us = runtime.now_us()
    request.state.mark = runtime.live.mark  # before anything is read: what changes from here on, the page may not show
    async with runtime.db.read() as conn:
        session = await sessions.find_session(conn, token_hash, now_us)
        if session is None:
            return None
        admitted(request)
        memberships = await projects.list_memberships(conn, session.user.id)
        chosen = (m for m in memberships if m.project.id == session.project_id)
        current = next(chosen, memberships[0] if memberships else None)
        if current is not None:
            request.state.pending = Pending(
                violations=await verdicts.count_open(conn, current.project.id),
                approvals=await approvals.count_pending(conn, current.project.id, now_us),
            )
    if session.stale(now_us):
        await _touch(runtime, token_hash, now_us)
    request.state.viewer = found = Viewer(
        user=session.user, session_id=token_hash, memberships=memberships, current=current
    )
    return found


async def _touch(runtime: Runtime, token_hash: str, now_us: int) -> None:
    try:
        async with runtime.db.write() as conn:
            await sessions.touch_session(conn, token_hash, now_us)
    except Unavailable:
        return  # the page can be read all the same, and the next request tries again


async def viewer(request: _Request, runtime: Runtime) -> Viewer:
    """The signed-in person. Raises NotSignedIn, or Forbidden for a change that another site's page asked for."""
    if request.method not in _SAFE:
        check_origin(request)
    found = await viewer_or_none(request, runtime)
    if found is None:
        raise NotSignedIn("Sign in first: there is no session, or it is over.")
    return found


def is_refresh(request: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether an open page asks by itself, because something has changed, and no person does."""
    return "audittrail-live" in request.headers


def check_origin(request: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Raises Forbidden when the browser says that another site's page made this request.

    The algorithm of Go's net/http.CrossOriginProtection; why, is in docs/decisions/0020.
    """
    site = request.headers.get("sec-fetch-site", "").lower()
    if site in ("same-origin", "none"):
        return
    origin = request.headers.get("origin", "")
    if not site:
        if not origin:
            return  # not a browser, or one that predates both headers (2020)
        try:
            host = urlsplit(origin).netloc.lower()
        except ValueError:
            host = ""
        if host and host == request.headers.get("host", "").lower():
            return
    raise Forbidden(
        "The request comes from another site's page and was refused. Open AuditTrail itself and do it there."
    )


def require_project(who: Viewer) -> Membership:
    """The project that is looked at. Raises Forbidden for someone who belongs to none."""
    if who.current is None:
        raise Forbidden("You belong to no project yet. Ask a project's owner to add you, by your e-mail address.")
    return who.current


def has_role(member: Membership, role: ProjectRole) -> bool:
    """Whether the person has this role in the project, or a greater one."""
    return PROJECT_ROLES.index(member.role) <= PROJECT_ROLES.index(role)  # it begins with the greatest


def require_role(who: Viewer, role: ProjectRole) -> Membership:
    """The project that is looked at, where the person has this role or a greater one. Raises Forbidden."""
    member = require_project(who)
    if not has_role(member, role):
        raise Forbidden(
            f"In the project “{member.project.name}” you are a {member.role}; this needs the role {role}. Ask an owner."
        )
    return member


def may_see(who: Viewer, role: ProjectRole) -> tuple[int, ...]:
    """The ids of the projects in which the person has this role or a greater one."""
    return tuple(member.project.id for member in who.memberships if has_role(member, role))


def require_admin(who: Viewer) -> None:
    """Raises Forbidden for anyone but an administrator of the instance."""
    if not who.is_admin:
        raise Forbidden("Only an administrator of this AuditTrail may do that.")


async def person(request: _Request, runtime: Runtime) -> Viewer:
    """The signed-in person looking at the project that ?project= names, else at the session's. Keys are refused."""
    if presented(request.headers) is not None:
        raise Forbidden("An API key cannot do this. Sign in as a person, with POST /api/v1/auth/login.")
    who = await viewer(request, runtime)
    wanted = request.query_params.get("project")
    if wanted is None:
        return who
    # A project's name may be digits; the name is what people see, so it comes first.
    for matches in ([m for m in who.memberships if m.project.name == wanted], _by_id(who, wanted)):
        if matches:
            return msgspec.structs.replace(who, current=matches[0])
    raise NotFound("You belong to no project of that name or id.")


def _by_id(who: Viewer, wanted: str) -> list[Membership]:
    return [m for m in who.memberships if str(m.project.id) == wanted]


async def access(request: _Request, runtime: Runtime, *scopes: Scope) -> Access:
    """A key that has one of the scopes (`read`, where none is named), or a signed-in person where `read` is enough.

    Raises NotSignedIn, Forbidden or NotFound.
    """
    scopes = scopes or ("read",)
    key = await _key(request, runtime, scopes)
    if key is not None:
        return Access(project_id=key.project_id, key=key)
    wanted = " or ".join(f"“{scope}”" for scope in scopes)
    if session_hash(request) is None:
        raise NotSignedIn(
            f"Present an API key with the scope {wanted}, as `Authorization: Bearer sk-at-…`, or sign in."
        )
    who = await person(request, runtime)
    if "read" not in scopes:
        raise Forbidden(f"This is for agents: present an API key with the scope {wanted}.")
    return Access(project_id=require_project(who).project.id, viewer=who)


async def agent_key(request: _Request, runtime: Runtime, scope: Scope) -> Key:
    """The key that an agent presents. Raises NotSignedIn or Forbidden."""
    key = await _key(request, runtime, (scope,))
    if key is None:
        raise NotSignedIn(f"Present an API key with the scope “{scope}”, as `Authorization: Bearer sk-at-…`.")
    return key


async def _key(request: _Request, runtime: Runtime, scopes: tuple[Scope, ...]) -> Key | None:
    shown = presented(request.headers)
    if shown is None:
        return None
    async with runtime.db.read() as conn:
        key = await runtime.keyring.admit(conn, shown, scopes, runtime.now_us())
    admitted(request)
    charge_key(runtime, key, ingest=scopes == ("ingest",))
    return key
