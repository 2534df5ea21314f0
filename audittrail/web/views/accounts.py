"""Views of the pages about people, projects and keys."""

from __future__ import annotations

import msgspec

from audittrail.model.account import Invitation, Key, Member, Membership, Refused, User


class LoginView(msgspec.Struct, frozen=True, kw_only=True):
    """Sign in. Template: pages/login.html. Posts email, password, next to /login."""

    email: str = ""
    next: str = "/"
    error: str = ""
    notice: str = ""  # "You were signed out." and the like
    setup_needed: bool = False  # no account exists yet: say where the setup link is printed


class SetupView(msgspec.Struct, frozen=True, kw_only=True):
    """The first account. Template: pages/setup.html. Posts token, email, display_name, password, project to /setup."""

    token: str = ""
    email: str = ""
    display_name: str = ""
    project: str = ""
    errors: dict[str, str] = {}  # by field; "" is the form's own
    valid: bool = True  # False: the link is wrong or was used; `errors[""]` says what to do


class InviteView(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation. Template: pages/invite.html. Posts email, display_name, password to /invite/{token}."""

    token: str
    invitation: Invitation | None  # None: wrong, used or expired
    email: str = ""
    display_name: str = ""
    errors: dict[str, str] = {}


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/settings/profile.html (GET /settings). Posts display_name to /settings/profile, and current,
    password to /settings/password, which ends the person's other sessions."""

    user: User
    other_sessions: int
    errors: dict[str, str] = {}
    saved: str = ""  # which form was saved: profile, password


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/settings/project.html (GET /settings/project). Posts name to /settings/project; a new project's
    name to /settings/projects (admins)."""

    current: Membership | None
    memberships: tuple[Membership, ...]
    can_rename: bool
    can_create: bool
    trace_count: int
    span_count: int
    errors: dict[str, str] = {}
    saved: str = ""


class MembersView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/settings/members.html (GET /settings/members). Posts email, role, instance_role (admins) to
    /settings/members: a person with an account is added at once, anyone else gets a link, shown once; role or remove=1
    to /settings/members/{user_id}; to /settings/invitations/{id}/revoke."""

    members: tuple[Member, ...]
    invitations: tuple[Invitation, ...]
    can_manage: bool
    is_admin: bool
    me: int  # the viewer's user id
    invitation_link: str = ""  # just made; shown this once
    errors: dict[str, str] = {}
    saved: str = ""


class KeysView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/settings/keys.html (GET /settings/keys). Posts name, scope (repeated), expires_days ("" never) to
    /settings/keys; to /settings/keys/{id}/revoke."""

    keys: tuple[Key, ...]
    can_manage: bool
    now_us: int
    base_url: str  # where agents send to
    secret: str = ""  # just made; shown this once
    created: Key | None = None
    errors: dict[str, str] = {}


class IngestView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/settings/ingest.html (GET /settings/ingest): what was received and what was refused, and why."""

    refused: tuple[Refused, ...]
    received_spans: int  # stored, this project
    queue_spans: int  # waiting for the writer, whole server
    queue_bytes: int
    queue_limit_spans: int
    queue_limit_bytes: int
