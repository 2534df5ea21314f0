"""Signing in: the check of a password, the session that follows, and its cookie."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from audittrail.identity.accounts import clean_email, email_error
from audittrail.identity.refused import refused
from audittrail.identity.tokens import hash_token, new_token
from audittrail.ingest.text import storable
from audittrail.model.account import MAX_PASSWORD, User
from audittrail.model.errors import NotSignedIn, TooMany
from audittrail.model.session import SESSION_LIFE_US
from audittrail.runtime import Runtime
from audittrail.store import activity, sessions, users
from audittrail.web.auth import COOKIE, check_origin, session_hash
from audittrail.web.charge import admitted

_Request = Request[Any, Any, Any]


def address_of(request: _Request) -> str:
    """The address asked from; uvicorn has put there what a trusted proxy says."""
    return storable(request.client.host[:64]) if request.client else ""


async def check_password(
    request: _Request, runtime: Runtime, email: str, password: str, *, wanted: str = "sign-in"
) -> User:
    """The account with this password. Raises NotSignedIn with one sentence for all reasons, or TooMany.

    What is refused is kept in the activity log, as an attempt to do what is `wanted`.
    """
    email, address = clean_email(email), address_of(request)
    try:
        runtime.throttle.attempt(email, address)
    except TooMany:
        await _note_refused(runtime, email, address, wanted, waiting=True)
        raise
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
    await _note_refused(runtime, email, address, wanted, waiting=False)
    raise NotSignedIn("The e-mail address or the password is not right.")


async def _note_refused(runtime: Runtime, email: str, address: str, wanted: str, *, waiting: bool) -> None:
    now_us = runtime.now_us()
    if id_ := runtime.refused.first(email, address, now_us):
        async with runtime.db.write() as conn:
            # Only an account's address is written down: a password that was typed in its place has none.
            known = None if email_error(email) else await users.find_user(conn, email)
            line = refused(id_, known.email if known else "", address, now_us, wanted=wanted, waiting=waiting)
            await activity.note_all(conn, [line])


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
        await activity.note(conn, now_us, user.email, "auth.signed_in", user.email, address=address_of(request))
    response.set_cookie(_cookie(request, runtime, token, SESSION_LIFE_US // 1_000_000))


async def close_session(request: _Request, runtime: Runtime, response: Response[Any]) -> None:
    """Ends the presented session, if it is one, and takes the cookie back."""
    check_origin(request)
    before = session_hash(request)
    if before is not None:
        now_us = runtime.now_us()
        async with runtime.db.write() as conn:
            over = await sessions.find_session(conn, before, now_us)
            await sessions.end_session(conn, before)
            if over is not None:
                email = over.user.email
                await activity.note(conn, now_us, email, "auth.signed_out", email, address=address_of(request))
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
