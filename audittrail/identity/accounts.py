"""New accounts: what may be typed, and what is made together with an account."""

from __future__ import annotations

import re
import unicodedata
from typing import Self

import msgspec

from audittrail.identity.membership import add_member, make_project
from audittrail.identity.passwords import check_strength
from audittrail.identity.tokens import hash_token
from audittrail.model.account import InstanceRole, Invitation, User
from audittrail.model.errors import Conflict, Invalid
from audittrail.store import activity, invitations, projects, users
from audittrail.store.connection import Connection

MAX_EMAIL = 254
MAX_DISPLAY_NAME = 120
MAX_NAME = 80  # of projects and keys

# Only what a mistake would miss; whether mail arrives there nobody can tell from the spelling.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def clean_email(text: str) -> str:
    """As it is stored and looked for: two spellings of one address are one account."""
    return unicodedata.normalize("NFC", text.strip()).lower()


def clean_name(text: str) -> str:
    """A name of a person, a project or a key, with its blanks tidied."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def email_error(email: str) -> str:
    """What is wrong with a cleaned address; "" when nothing is."""
    if not email:
        return "An e-mail address is needed."
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email) or not email.isprintable():
        return "This is not an e-mail address; it looks like name@example.org."
    return ""


def name_error(name: str, what: str, limit: int = MAX_NAME) -> str:
    """What is wrong with a cleaned name of `what` ("the project"); "" when nothing is."""
    if not name:
        return f"A name for {what} is needed."
    if len(name) > limit:
        return f"The name of {what} is longer than {limit} characters."
    # Characters that turn writing around or are not seen would let one name look like another.
    if not name.isprintable():
        return f"The name of {what} holds characters that cannot be seen."
    return ""


class NewAccount(msgspec.Struct, frozen=True):
    """What a person typed to get an account."""

    email: str
    display_name: str
    password: str

    @classmethod
    def typed(cls, email: str, display_name: str, password: str) -> Self:
        """Tidied; without a name, the address gives one."""
        email = clean_email(email)
        return cls(email, clean_name(display_name) or email.partition("@")[0][:MAX_DISPLAY_NAME], password)

    def __repr__(self) -> str:  # the password shall not reach a log by way of a traceback
        return f"NewAccount({self.email!r})"

    def errors(self) -> dict[str, str]:
        """By field; empty when everything is right."""
        found = {
            "email": email_error(self.email),
            "display_name": name_error(self.display_name, "the person", MAX_DISPLAY_NAME),
            "password": check_strength(self.password, self.email),
        }
        return {field: error for field, error in found.items() if error}

    def check(self) -> None:
        """Raises Invalid with all that is wrong."""
        if errors := self.errors():
            raise Invalid(" ".join(errors.values()))


async def make_account(
    conn: Connection, new: NewAccount, password_hash: str, role: InstanceRole, now_us: int, *, by: str
) -> User:
    """An account. Raises Conflict when the address has one."""
    user = await users.add_user(
        conn,
        email=new.email,
        display_name=new.display_name,
        password_hash=password_hash,
        role=role,
        now_us=now_us,
    )
    await activity.note(conn, now_us, by, "account.created", user.email, role=role)
    return user


async def make_first(
    conn: Connection, new: NewAccount, password_hash: str, project: str, now_us: int, *, by: str = ""
) -> User | None:
    """The first account: an administrator who owns every project there is, and one named `project`.

    None: an account exists already. Of two at once one gets it. Without `by` the person does it themselves.
    """
    if not await users.lock_first_user(conn):
        return None
    by = by or new.email
    user = await make_account(conn, new, password_hash, "admin", now_us, by=by)
    # A project may be older than the first account: AUDITTRAIL_INIT_API_KEY or the command line made it. Nobody else
    # could ever be let in.
    existing = await projects.list_projects(conn)
    if project not in (p.name for p in existing):
        existing = (*existing, await make_project(conn, project, None, now_us, by=by))
    for each in existing:
        await add_member(conn, each.id, user, "owner", now_us, by=by)
    return user


async def make_invited(
    conn: Connection, token: str, new: NewAccount, password_hash: str, now_us: int
) -> tuple[User, Invitation] | None:
    """An account by invitation, with the role and the project that it gives. None: the invitation is not good.

    Raises Conflict when the address has an account; the caller's transaction then leaves the invitation unused.
    """
    invitation = await invitations.take_invitation(conn, hash_token(token), now_us)
    if invitation is None:
        return None
    if invitation.email is not None and invitation.email != new.email:
        raise Conflict(f"This invitation is for {invitation.email}; use that address.")
    user = await make_account(conn, new, password_hash, invitation.role, now_us, by=new.email)
    project_id = invitation.project.id if invitation.project else None
    await activity.note(conn, now_us, user.email, "invitation.accepted", user.email, project_id=project_id)
    if project_id is not None and invitation.project_role is not None:
        await add_member(conn, project_id, user, invitation.project_role, now_us, by=user.email)
    return user, invitation
