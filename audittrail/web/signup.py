"""New accounts over HTTP: the first one by the setup link, every other by an invitation."""

from __future__ import annotations

from audittrail.identity.accounts import NewAccount, make_first, make_invited
from audittrail.identity.tokens import hash_token, same, setup_token
from audittrail.model.account import Invitation, User
from audittrail.model.errors import NotFound
from audittrail.runtime import Runtime
from audittrail.store import invitations, users

SETUP_DONE = "An account exists already: sign in with it, or ask an administrator for an invitation."
SETUP_WRONG = "This setup link is not right. Take the one that the server printed at its last start."
INVITATION_WRONG = "This invitation was used, has expired or never was. Ask whoever sent it for a new one."


async def setup_error(runtime: Runtime, token: str) -> str:
    """Why the first account cannot be made with this token; "" when it can."""
    async with runtime.db.read() as conn:
        if await users.has_users(conn):
            return SETUP_DONE
    return "" if same(token, setup_token(runtime.settings.secret_key)) else SETUP_WRONG


async def set_up(runtime: Runtime, token: str, new: NewAccount, project: str) -> User:
    """Makes the first account and its project. Raises Invalid, or NotFound when the token is not good."""
    # The token first: without a good one nobody may make the server compute a hash.
    if error := await setup_error(runtime, token):
        raise NotFound(error)
    new.check()
    password_hash = await runtime.passwords.hash(new.password)
    async with runtime.db.write() as conn:
        user = await make_first(conn, new, password_hash, project, runtime.now_us())
    if user is None:
        raise NotFound(SETUP_DONE)
    return user


async def find_invitation(runtime: Runtime, token: str) -> Invitation | None:
    """The invitation, when it is good."""
    async with runtime.db.read() as conn:
        return await invitations.find_invitation(conn, hash_token(token), runtime.now_us())


async def accept(runtime: Runtime, token: str, new: NewAccount) -> User:
    """Makes an account by invitation. Raises Invalid, Conflict, or NotFound when the invitation is not good."""
    if await find_invitation(runtime, token) is None:
        raise NotFound(INVITATION_WRONG)
    new.check()
    password_hash = await runtime.passwords.hash(new.password)
    async with runtime.db.write() as conn:
        made = await make_invited(conn, token, new, password_hash, runtime.now_us())
    if made is None:
        raise NotFound(INVITATION_WRONG)
    return made[0]


async def register(runtime: Runtime, token: str, new: NewAccount, project: str) -> User:
    """With the setup link's token while there is no account, else with an invitation's."""
    async with runtime.db.read() as conn:
        first = not await users.has_users(conn)
    return await (set_up(runtime, token, new, project) if first else accept(runtime, token, new))
