"""People, projects, and the keys that agents use."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

InstanceRole = Literal["admin", "member"]
ProjectRole = Literal["owner", "reviewer", "viewer"]
PROJECT_ROLES: tuple[ProjectRole, ...] = get_args(ProjectRole)
Scope = Literal["ingest", "check", "read"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

MIN_PASSWORD = 12  # characters; NIST SP 800-63B asks for 8 at the least and for no rules on their kind
MAX_PASSWORD = 256


class Project(msgspec.Struct, frozen=True):
    """A tenant: everything recorded belongs to one."""

    id: int
    name: str
    created_us: int


class User(msgspec.Struct, frozen=True):
    """A person who can sign in."""

    id: int
    email: str
    display_name: str
    role: InstanceRole
    created_us: int


class Membership(msgspec.Struct, frozen=True):
    """A project that a person belongs to, and as what."""

    project: Project
    role: ProjectRole


class Member(msgspec.Struct, frozen=True):
    """A person of a project."""

    user: User
    role: ProjectRole


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at a page: the person, what they belong to, and the project they look at."""

    user: User
    session_id: str
    memberships: tuple[Membership, ...]
    current: Membership | None  # None: belongs to no project yet

    @property
    def is_admin(self) -> bool:
        """May manage accounts and make projects."""
        return self.user.role == "admin"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret."""

    id: int
    project_id: int
    public: str  # pk-at-…
    name: str
    scopes: tuple[Scope, ...]
    created_us: int
    expires_us: int | None
    last_used_us: int | None
    revoked_us: int | None

    def usable(self, now_us: int) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_us is None and (self.expires_us is None or self.expires_us > now_us)


class NewKey(msgspec.Struct, frozen=True):
    """A key just made. The secret is shown this once and kept nowhere."""

    key: Key
    secret: str  # sk-at-…


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link by which someone may make an account."""

    id: int
    email: str | None
    role: InstanceRole
    project: Project | None
    project_role: ProjectRole | None
    created_us: int
    expires_us: int


class Refused(msgspec.Struct, frozen=True):
    """How many spans or requests of a project were refused for one reason in one hour."""

    hour_us: int
    signal: str  # traces, logs, metrics
    reason: str
    spans: int
    requests: int
    last_us: int
