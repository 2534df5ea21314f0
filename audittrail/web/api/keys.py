"""API keys of a project. People manage them; a key cannot."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post

from audittrail.identity.accounts import clean_name, name_error
from audittrail.identity.issue import MAX_DAYS, days_error, issue_key, scopes_error
from audittrail.model.account import SCOPES, Key, NewKey
from audittrail.model.errors import Invalid
from audittrail.runtime import Runtime
from audittrail.store import keys
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import Listing
from audittrail.web.auth import person, require_project, require_role
from audittrail.web.forms import RowId

_Request = Request[Any, Any, Any]


class KeyBody(Body, frozen=True, kw_only=True):
    """A new key."""

    name: Annotated[str, msgspec.Meta(description="What or who will use it, 1 to 80 characters.")]
    scopes: Annotated[list[str], msgspec.Meta(description=f"Some of {', '.join(SCOPES)}.")]
    expires_days: Annotated[int | None, msgspec.Meta(description=f"1 to {MAX_DAYS}; null: it does not expire.")] = None


@get("/api/v1/keys", tags=["accounts"], summary="List API keys")
async def list_keys(request: _Request, runtime: Runtime) -> Listing[Key]:
    """The keys of the session's project, or of the one that ?project= names; the newest first, without secrets."""
    project = require_project(await person(request, runtime)).project
    async with runtime.db.read() as conn:
        return Listing(list(await keys.list_keys(conn, project.id)))


@post("/api/v1/keys", guards=[json_only], tags=["accounts"], summary="Make an API key")
async def create_key(request: _Request, runtime: Runtime, data: KeyBody) -> NewKey:
    """For owners of the project. `secret` is in this answer and in no other: it is not stored."""
    who = await person(request, runtime)
    project = require_role(who, "owner").project
    name = clean_name(data.name)
    errors = (name_error(name, "the key"), scopes_error(data.scopes), days_error(data.expires_days))
    if any(errors):
        raise Invalid(" ".join(error for error in errors if error))
    return await issue_key(
        runtime.db,
        runtime.keyring,
        project_id=project.id,
        name=name,
        scopes=data.scopes,
        days=data.expires_days,
        now_us=runtime.now_us(),
        by=who.user.email,
    )


@delete("/api/v1/keys/{key_id:int}", status_code=200, tags=["accounts"], summary="Revoke an API key")
async def revoke_key(request: _Request, runtime: Runtime, key_id: RowId) -> Key:
    """For owners of the project. The key is refused from the next request on, and stays in the list."""
    who = await person(request, runtime)
    project = require_role(who, "owner").project
    async with runtime.db.write() as conn:
        return await keys.revoke_key(conn, project.id, key_id, runtime.now_us(), by=who.user.email)


ROUTES = [list_keys, create_key, revoke_key]
