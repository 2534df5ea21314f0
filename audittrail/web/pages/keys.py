"""Settings: the project's API keys."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.identity.accounts import clean_name, name_error
from audittrail.identity.issue import days_error, issue_key, scopes_error
from audittrail.model.account import NewKey, Viewer
from audittrail.runtime import Runtime
from audittrail.store import keys as key_store
from audittrail.web.auth import require_project, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import RowId, read_form
from audittrail.web.render import page
from audittrail.web.views.accounts import KeysView

_Request = Request[Any, Any, Any]


async def _keys(
    request: _Request, runtime: Runtime, who: Viewer, errors: dict[str, str] | None = None, made: NewKey | None = None
) -> Response[Any]:
    project = require_project(who)
    async with runtime.db.read() as conn:
        found = await key_store.list_keys(conn, project.project.id)
    # Uses of the last half minute are not in the database yet, and whoever just tried a key looks here.
    used = runtime.keyring.used
    found = tuple(msgspec.structs.replace(key, last_used_us=used.get(key.id, key.last_used_us)) for key in found)
    view = KeysView(
        keys=found,
        can_manage=project.role == "owner",
        now_us=runtime.now_us(),
        base_url=runtime.settings.base_url,
        secret=made.secret if made else "",
        created=made.key if made else None,
        errors=errors or {},
    )
    chrome = chrome_of(request, runtime, who)
    response = page(request, "pages/settings/keys.html", view, chrome, status=422 if errors else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


@get("/settings/keys", include_in_schema=False)
async def keys(request: _Request, runtime: Runtime) -> Response[Any]:
    """The project's keys."""
    return await _keys(request, runtime, await viewer(request, runtime))


@post("/settings/keys", status_code=200, include_in_schema=False)
async def create_key(request: _Request, runtime: Runtime) -> Response[Any]:
    """Makes a key and shows its secret this once; for owners."""
    who = await viewer(request, runtime)
    project = require_role(who, "owner").project
    form = await read_form(request)
    name, wanted, days = clean_name(form.text("name")), form.every("scope"), _days(form.text("expires_days").strip())
    errors = {
        "name": name_error(name, "the key"),
        "scope": scopes_error(wanted),
        "expires_days": days_error(days),
    }
    errors = {field: error for field, error in errors.items() if error}
    if errors:
        return await _keys(request, runtime, who, errors)
    made = await issue_key(
        runtime.db,
        runtime.keyring,
        project_id=project.id,
        name=name,
        scopes=wanted,
        days=days,
        now_us=runtime.now_us(),
        by=who.user.email,
    )
    return await _keys(request, runtime, who, made=made)


@post("/settings/keys/{key_id:int}/revoke", status_code=303, include_in_schema=False)
async def revoke_key(request: _Request, runtime: Runtime, key_id: RowId) -> Response[Any]:
    """Revokes a key at once; for owners."""
    who = await viewer(request, runtime)
    project = require_role(who, "owner").project
    async with runtime.db.write() as conn:
        await key_store.revoke_key(conn, project.id, key_id, runtime.now_us(), by=who.user.email)
    return Redirect("/settings/keys?saved=revoked", status_code=303)


def _days(text: str) -> int | None:
    """0 for what is no number of days, which `days_error` refuses."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0


ROUTES = [keys, create_key, revoke_key]
