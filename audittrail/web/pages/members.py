"""Settings: who belongs to the project, and invitations."""

from __future__ import annotations

from typing import Any, get_args

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.identity import membership
from audittrail.identity.accounts import clean_email, email_error
from audittrail.identity.tokens import hash_token, new_token
from audittrail.model.account import PROJECT_ROLES, InstanceRole, ProjectRole, Viewer
from audittrail.model.errors import Conflict, Invalid
from audittrail.model.session import INVITATION_LIFE_US
from audittrail.runtime import Runtime
from audittrail.store import activity, invitations, projects, users
from audittrail.web.auth import require_admin, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import RowId, read_form
from audittrail.web.render import page
from audittrail.web.views.accounts import MembersView

INSTANCE_ROLES: tuple[InstanceRole, ...] = get_args(InstanceRole)
_Request = Request[Any, Any, Any]
_INVITE_FIRST = (
    "Nobody here has this address, and only an administrator can invite someone new. Ask one, then add them."
)
_NOT_YOURS = "This person has an account already. An owner of a project can add them to it."


def _is_owner(who: Viewer) -> bool:
    return who.current is not None and who.current.role == "owner"


def _may_manage(who: Viewer) -> None:
    """Owners manage their project; an administrator without one may still invite to the instance."""
    if not who.is_admin:
        require_role(who, "owner")


async def _members(
    request: _Request,
    runtime: Runtime,
    who: Viewer,
    *,
    errors: dict[str, str] | None = None,
    saved: str = "",
    link: str = "",
) -> Response[Any]:
    project_id = who.current.project.id if who.current else None
    may_see = project_id if _is_owner(who) else None
    async with runtime.db.read() as conn:
        people = await projects.list_members(conn, project_id) if project_id is not None else ()
        # Who was invited is for those who may invite.
        open_ones = await invitations.list_invitations(conn, may_see, runtime.now_us(), instance=who.is_admin)
    view = MembersView(
        members=people,
        invitations=open_ones,
        # An administrator who does not own the project may only invite; the page's forms offer more than that.
        can_manage=_is_owner(who) or (who.is_admin and who.current is None),
        is_admin=who.is_admin,
        me=who.user.id,
        invitation_link=link,
        errors=errors or {},
        saved=saved,
    )
    chrome = chrome_of(request, runtime, who)
    response = page(request, "pages/settings/members.html", view, chrome, status=422 if errors else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


@get("/settings/members", include_in_schema=False)
async def members(request: _Request, runtime: Runtime) -> Response[Any]:
    """Who belongs to the project."""
    who = await viewer(request, runtime)
    saved = request.query_params.get("saved", "")
    return await _members(
        request, runtime, who, saved=saved if saved in ("added", "role", "removed", "revoked") else ""
    )


@post("/settings/members", status_code=200, include_in_schema=False)
async def add_member(request: _Request, runtime: Runtime) -> Response[Any]:
    """Adds a person who has an account; invites one who has none, and shows the link this once."""
    who = await viewer(request, runtime)
    _may_manage(who)
    form = await read_form(request)
    email = clean_email(form.text("email"))
    errors = {}
    if error := email_error(email):
        errors["email"] = error
    role = _project_role(form.text("role") or "viewer")
    instance_role = _instance_role(form.text("instance_role")) or "member"
    if role is None:
        errors["role"] = f"The role is one of {', '.join(PROJECT_ROLES)}."
    if instance_role == "admin":
        require_admin(who)
    if errors or role is None:
        return await _members(request, runtime, who, errors=errors)
    project = who.current.project if who.current and _is_owner(who) else None
    now_us = runtime.now_us()
    async with runtime.db.write() as conn:
        existing = await users.find_user(conn, email)
        if existing is not None and project is not None:
            added = await membership.add_member(conn, project.id, existing, role, now_us, by=who.user.email)
            error = "" if added else "This person belongs to the project already; change the role in the list."
        elif existing is not None:
            error = _NOT_YOURS
        elif not who.is_admin:
            error = _INVITE_FIRST
        else:
            error, token = "", new_token()
            await invitations.add_invitation(
                conn,
                token_hash=hash_token(token),
                email=email,
                role=instance_role,
                project_id=project.id if project else None,
                project_role=role if project else None,
                created_by=who.user.id,
                now_us=now_us,
                expires_us=now_us + INVITATION_LIFE_US,
            )
            said = {"role": role if project else None, "instance_role": instance_role}
            project_id = project.id if project else None
            await activity.note(
                conn, now_us, who.user.email, "invitation.created", email, project_id=project_id, **said
            )
    if error:
        return await _members(request, runtime, who, errors={"email": error})
    if existing is not None:
        return Redirect("/settings/members?saved=added", status_code=303)
    link = f"{runtime.settings.base_url}/invite/{token}"
    return await _members(request, runtime, who, link=link)


@post("/settings/members/{user_id:int}", status_code=200, include_in_schema=False)
async def change_member(request: _Request, runtime: Runtime, user_id: RowId) -> Response[Any]:
    """Changes a role or ends a membership, for owners; with `instance_role` that of the account, for administrators."""
    who = await viewer(request, runtime)
    form = await read_form(request)
    role, instance_role = _project_role(form.text("role")), _instance_role(form.text("instance_role"))
    done, now_us = "removed" if form.text("remove") else "role", runtime.now_us()
    try:
        if instance_role is not None:
            require_admin(who)
            async with runtime.db.write() as conn:
                await membership.change_account(conn, user_id, instance_role, now_us, by=who.user.email)
        else:
            project = require_role(who, "owner").project
            if role is None and done != "removed":
                raise Invalid(f"Send role ({', '.join(PROJECT_ROLES)}), remove=1, or instance_role (admin, member).")
            async with runtime.db.write() as conn:
                wanted = None if done == "removed" else role
                await membership.change_member(conn, project.id, user_id, wanted, now_us, by=who.user.email)
    except Conflict as error:
        return await _members(request, runtime, who, errors={"": str(error)})
    return Redirect(f"/settings/members?saved={done}", status_code=303)


@post("/settings/invitations/{invitation_id:int}/revoke", status_code=303, include_in_schema=False)
async def revoke_invitation(request: _Request, runtime: Runtime, invitation_id: RowId) -> Response[Any]:
    """Makes an invitation's link useless."""
    who = await viewer(request, runtime)
    _may_manage(who)
    project_id = who.current.project.id if who.current and _is_owner(who) else None
    async with runtime.db.write() as conn:
        await invitations.revoke_invitation(
            conn, project_id, invitation_id, runtime.now_us(), by=who.user.email, instance=who.is_admin
        )
    return Redirect("/settings/members?saved=revoked", status_code=303)


def _project_role(text: str) -> ProjectRole | None:
    return next((role for role in PROJECT_ROLES if role == text), None)


def _instance_role(text: str) -> InstanceRole | None:
    return next((role for role in INSTANCE_ROLES if role == text), None)


ROUTES = [members, add_member, change_member, revoke_invitation]
