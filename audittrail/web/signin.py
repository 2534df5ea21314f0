"""Signing in: the check of a password, the session that follows, and its cookie."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from audittrail.identity.accounts import clean_email, email_error
from audittrail.identity.tokens import hash_token, new_token
from audittrail.model.account import MAX_PASSWORD, User
from audittrail.model.errors import NotSignedIn
from audittrail.model.session import SESSION_LIFE_US
from audittrail.runtime import Runtime
from audittrail.store import sessions, users
from audittrail.web.auth import COOKIE, check_origin, session_hash
from audittrail.web.charge import admitted

_Request = Request[Any, Any, Any]


def address_of(request: _Request) -> str:
    """The address asked from; uvicorn has put there what a trusted proxy says."""
    return request.client.host if request.client else ""


async def check_password(request: _Request, runtime: Runtime, email: str, password: str) -> User:
    """The account with this password. Raises NotSignedIn with one sentence for all reasons, or TooMany."""
    email, address = clean_email(email), address_of(request)
    runtime.throttle.attempt(email, address)
    found = None
    if not email_error(email) and len(password) <= MAX_PASSWORD:
        async with runtime.db.read() as conn:
            found = await users.find_credential(conn, email)
    if found is None:
        await runtime.passwords.verify_nobody(password)
    elif await runtime.passwords.verify(found.password_hash, password):
        runtime.throttle.succeeded(email, address)
        if runtime.passwords.needs_rehash(found.password_hash):
            better = await runtime.passwords.hash(password)
            async with runtime.db.write() as conn:
                await users.set_password_hash(conn, found.user.id, better, old=found.password_hash)
        return found.user
    raise NotSignedIn("The e-mail address or the password is not right.")


async def sign_in(request: _Request, runtime: Runtime, email: str, password: str) -> User:
    """As `check_password`, after a check of the origin: to sign someone in to another's account is an attack too."""
    check_origin(request)
    return await check_password(request, runtime, email, password)


async def open_session(request: _Request, runtime: Runtime, response: Response[Any], user: User) -> None:
    """Starts a new session and gives its cookie with the response. The browser's session before it ends."""
    admitted(request)
    token, now_us = new_token(), runtime.now_us()
    before = session_hash(request)
    async with runtime.db.write() as conn:
        if before is not None:
            await sessions.end_session(conn, before)
        await sessions.purge_sessions(conn, now_us, user.id)
        await sessions.add_session(conn, token_hash=hash_token(token), user_id=user.id, project_id=None, now_us=now_us)
    response.set_cookie(_cookie(request, runtime, token, SESSION_LIFE_US // 1_000_000))


async def close_session(request: _Request, runtime: Runtime, response: Response[Any]) -> None:
    """Ends the presented session, if it is one, and takes the cookie back."""
    check_origin(request)
    before = session_hash(request)
    if before is not None:
        async with runtime.db.write() as conn:
            await sessions.end_session(conn, before)
    response.set_cookie(_cookie(request, runtime, "", 0))


def _cookie(request: _Request, runtime: Runtime, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=max_age,
        path="/",
        httponly=True,
        samesite="lax",
        secure=runtime.settings.secure_cookies or request.url.scheme == "https",
    )
