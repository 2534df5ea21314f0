"""Signing in and out, the first account, and accounts by invitation."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.identity.accounts import NewAccount, clean_name, name_error
from audittrail.model.account import User
from audittrail.model.errors import Conflict, NotFound, NotSignedIn, TooMany
from audittrail.runtime import Runtime
from audittrail.store import users
from audittrail.web.auth import check_origin, viewer_or_none
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import local_path, read_form
from audittrail.web.render import page
from audittrail.web.signin import close_session, open_session, sign_in
from audittrail.web.signup import INVITATION_WRONG, SETUP_DONE, accept, find_invitation, set_up, setup_error
from audittrail.web.views.accounts import InviteView, LoginView, SetupView

_Request = Request[Any, Any, Any]


def _show(request: _Request, runtime: Runtime, template: str, view: object, status: int = 200) -> Response[Any]:
    return page(request, template, view, chrome_of(request, runtime, None), status=status)


async def _enter(request: _Request, runtime: Runtime, user: User, target: str) -> Response[Any]:
    response: Response[Any] = Redirect(target, status_code=303)
    await open_session(request, runtime, response, user)
    return response


@get("/login", include_in_schema=False)
async def login_page(request: _Request, runtime: Runtime) -> Response[Any]:
    """The form, or straight on for someone who is signed in."""
    target = local_path(request.query_params.get("next", "/"))
    if await viewer_or_none(request, runtime) is not None:
        return Redirect(target, status_code=303)
    async with runtime.db.read() as conn:
        setup_needed = not await users.has_users(conn)
    notice = "You are signed out." if "out" in request.query_params else ""
    view = LoginView(next=target, notice=notice, setup_needed=setup_needed)
    return _show(request, runtime, "pages/login.html", view)


@post("/login", status_code=200, include_in_schema=False)
async def login(request: _Request, runtime: Runtime) -> Response[Any]:
    """Signs in and goes to `next`."""
    form = await read_form(request)
    email, target = form.text("email"), local_path(form.text("next") or "/")
    try:
        user = await sign_in(request, runtime, email, form.text("password"))
    except NotSignedIn as error:
        view = LoginView(email=email, next=target, error=str(error))
        return _show(request, runtime, "pages/login.html", view, 422)
    except TooMany as error:
        view = LoginView(email=email, next=target, error=str(error))
        response = _show(request, runtime, "pages/login.html", view, 429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    return await _enter(request, runtime, user, target)


@post("/logout", status_code=303, include_in_schema=False)
async def logout(request: _Request, runtime: Runtime) -> Response[Any]:
    """Ends the session."""
    response: Response[Any] = Redirect("/login?out=1", status_code=303)
    await close_session(request, runtime, response)
    return response


@get("/setup", include_in_schema=False)
async def setup_page(request: _Request, runtime: Runtime) -> Response[Any]:
    """The form for the first account, for whoever holds the link that the server printed."""
    token = request.query_params.get("token", "")
    if error := await setup_error(runtime, token):
        return _no_setup(request, runtime, error)
    view = SetupView(token=token, project=runtime.settings.init_project)
    return _show(request, runtime, "pages/setup.html", view)


@post("/setup", status_code=200, include_in_schema=False)
async def setup(request: _Request, runtime: Runtime) -> Response[Any]:
    """Makes the first account and its project, and signs in."""
    check_origin(request)
    form = await read_form(request)
    token, project = form.text("token"), clean_name(form.text("project"))
    if error := await setup_error(runtime, token):
        return _no_setup(request, runtime, error)
    new = NewAccount.typed(form.text("email"), form.text("display_name"), form.text("password"))
    errors = new.errors()
    if error := name_error(project, "the project"):
        errors["project"] = error
    if errors:
        view = SetupView(
            token=token, email=new.email, display_name=form.text("display_name"), project=project, errors=errors
        )
        return _show(request, runtime, "pages/setup.html", view, 422)
    try:
        user = await set_up(runtime, token, new, project)
    except NotFound:
        return _no_setup(request, runtime, SETUP_DONE)  # someone else was quicker
    return await _enter(request, runtime, user, "/")


def _no_setup(request: _Request, runtime: Runtime, error: str) -> Response[Any]:
    return _show(request, runtime, "pages/setup.html", SetupView(valid=False, errors={"": error}), 404)


@get("/invite/{token:str}", include_in_schema=False)
async def invite_page(request: _Request, runtime: Runtime, token: str) -> Response[Any]:
    """The form for an account by invitation."""
    invitation = await find_invitation(runtime, token)
    if invitation is None:
        return _no_invitation(request, runtime, token)
    view = InviteView(token=token, invitation=invitation, email=invitation.email or "")
    return _show(request, runtime, "pages/invite.html", view)


@post("/invite/{token:str}", status_code=200, include_in_schema=False)
async def invite(request: _Request, runtime: Runtime, token: str) -> Response[Any]:
    """Makes the account and signs in."""
    check_origin(request)
    form = await read_form(request)
    invitation = await find_invitation(runtime, token)
    if invitation is None:
        return _no_invitation(request, runtime, token)
    # The form of an invitation for one address may leave it out.
    email = form.text("email") or invitation.email or ""
    new = NewAccount.typed(email, form.text("display_name"), form.text("password"))
    errors = new.errors()
    if not errors:
        try:
            user = await accept(runtime, token, new)
        except Conflict as error:
            errors = {"email": str(error)}
        except NotFound:
            return _no_invitation(request, runtime, token)
        else:
            return await _enter(request, runtime, user, "/")
    view = InviteView(
        token=token, invitation=invitation, email=new.email, display_name=form.text("display_name"), errors=errors
    )
    return _show(request, runtime, "pages/invite.html", view, 422)


def _no_invitation(request: _Request, runtime: Runtime, token: str) -> Response[Any]:
    view = InviteView(token=token, invitation=None, errors={"": INVITATION_WRONG})
    return _show(request, runtime, "pages/invite.html", view, 404)


ROUTES = [login_page, login, logout, setup_page, setup, invite_page, invite]
