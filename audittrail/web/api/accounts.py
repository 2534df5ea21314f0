"""Accounts: register, sign in and out, who am I."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post

from audittrail.identity.accounts import NewAccount
from audittrail.model.account import InstanceRole, Viewer
from audittrail.runtime import Runtime
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import One
from audittrail.web.api.projects import ProjectItem
from audittrail.web.auth import check_origin, person
from audittrail.web.charge import admitted
from audittrail.web.signin import close_session, open_session, sign_in
from audittrail.web.signup import register as sign_up

_Request = Request[Any, Any, Any]


class RegisterBody(Body, frozen=True, kw_only=True):
    """A new account."""

    email: str
    password: Annotated[str, msgspec.Meta(description="At least 12 characters.")]
    token: Annotated[str, msgspec.Meta(description="Of the setup link, for the first account; else of an invitation.")]
    display_name: str = ""


class LoginBody(Body, frozen=True, kw_only=True):
    """Who signs in."""

    email: str
    password: str


class Registered(msgspec.Struct, frozen=True):
    """The account that was made."""

    user_id: int
    email: str
    role: InstanceRole


class SignedIn(msgspec.Struct, frozen=True):
    """The account signed in to."""

    user_id: int
    email: str
    role: InstanceRole
    display_name: str


class Me(msgspec.Struct, frozen=True):
    """The signed-in person."""

    user_id: int
    email: str
    role: InstanceRole
    display_name: str
    projects: list[ProjectItem]
    current_project_id: int | None

    @classmethod
    def of(cls, who: Viewer) -> Me:
        """As the API says it."""
        user, current = who.user, who.current
        belongs = [ProjectItem.of(m.project, m.role) for m in who.memberships]
        return cls(user.id, user.email, user.role, user.display_name, belongs, current.project.id if current else None)


@post(
    "/api/v1/auth/register",
    guards=[json_only],
    tags=["accounts"],
    summary="Make an account",
    security=[{}],
)
async def register(request: _Request, runtime: Runtime, data: RegisterBody) -> Registered:
    """The first account needs the setup link's token and owns the first project; every other needs an invitation's."""
    check_origin(request)
    new = NewAccount.typed(data.email, data.display_name, data.password)
    user = await sign_up(runtime, data.token, new, runtime.settings.init_project)
    admitted(request)
    return Registered(user.id, user.email, user.role)


@post(
    "/api/v1/auth/login",
    status_code=200,
    guards=[json_only],
    tags=["accounts"],
    summary="Sign in",
    security=[{}],
)
async def login(request: _Request, runtime: Runtime, data: LoginBody) -> Response[SignedIn]:
    """Sets the cookie `audittrail_session`: 30 days at the most, 7 without use."""
    user = await sign_in(request, runtime, data.email, data.password)
    response = Response(SignedIn(user.id, user.email, user.role, user.display_name))
    await open_session(request, runtime, response, user)
    return response


@post("/api/v1/auth/logout", status_code=204, tags=["accounts"], summary="Sign out", security=[{}])
async def logout(request: _Request, runtime: Runtime) -> Response[None]:
    """Ends the session; without one, does nothing."""
    response: Response[None] = Response(None)
    await close_session(request, runtime, response)
    return response


@get("/api/v1/auth/me", tags=["accounts"], summary="Who is signed in")
async def me(request: _Request, runtime: Runtime) -> One[Me]:
    """The signed-in person and the projects they belong to."""
    return One(Me.of(await person(request, runtime)))


ROUTES = [register, login, logout, me]
