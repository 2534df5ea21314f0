"""Sign-ins. Only the hash of a session's token is stored, so a copy of the database signs nobody in."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.session import SESSION_IDLE_US, SESSION_LIFE_US, Session
from audittrail.store.tables import memberships, sessions, users
from audittrail.store.users import USER, user_of

s = sessions.c


async def add_session(
    conn: AsyncConnection, *, token_hash: str, user_id: int, project_id: int | None, now_us: int
) -> None:
    """Signs a person in."""
    values = {
        "token_hash": token_hash,
        "user_id": user_id,
        "project_id": project_id,
        "created_us": now_us,
        "seen_us": now_us,
    }
    await conn.execute(sessions.insert().values(values))


async def find_session(conn: AsyncConnection, token_hash: str, now_us: int) -> Session | None:
    """The sign-in of this token, when it is not over."""
    query = (
        select(*USER, s.project_id, s.created_us.label("since_us"), s.seen_us)
        .join(users, users.c.id == s.user_id)
        .where(
            s.token_hash == token_hash, s.created_us > now_us - SESSION_LIFE_US, s.seen_us > now_us - SESSION_IDLE_US
        )
    )
    row = (await conn.execute(query)).first()
    if row is None:
        return None
    return Session(
        token_hash=token_hash,
        user=user_of(row),
        project_id=row.project_id,
        created_us=row.since_us,
        seen_us=row.seen_us,
    )


async def who_may_look(conn: AsyncConnection, token_hashes: Collection[str], now_us: int) -> set[tuple[str, int]]:
    """Of these sign-ins those that are not over, each with every project that the person belongs to."""
    query = (
        select(s.token_hash, memberships.c.project_id)
        .join(memberships, memberships.c.user_id == s.user_id)
        .where(
            s.token_hash.in_(token_hashes),
            s.created_us > now_us - SESSION_LIFE_US,
            s.seen_us > now_us - SESSION_IDLE_US,
        )
    )
    return {(token_hash, project_id) for token_hash, project_id in await conn.execute(query)}


async def touch_session(conn: AsyncConnection, token_hash: str, now_us: int) -> None:
    """Notes that the session was used."""
    await conn.execute(update(sessions).where(s.token_hash == token_hash, s.seen_us < now_us).values(seen_us=now_us))


async def set_current_project(conn: AsyncConnection, token_hash: str, project_id: int) -> None:
    """Chooses the project that the session looks at."""
    await conn.execute(update(sessions).where(s.token_hash == token_hash).values(project_id=project_id))


async def end_session(conn: AsyncConnection, token_hash: str) -> None:
    """Signs out; nothing happens for a token that is not one."""
    await conn.execute(delete(sessions).where(s.token_hash == token_hash))


async def end_other_sessions(conn: AsyncConnection, user_id: int, keep: str) -> int:
    """Signs a person out everywhere else; how many sign-ins ended."""
    return (await conn.execute(delete(sessions).where(s.user_id == user_id, s.token_hash != keep))).rowcount


async def count_other_sessions(conn: AsyncConnection, user_id: int, keep: str, now_us: int) -> int:
    """In how many other places a person is signed in."""
    query = (
        select(func.count())
        .select_from(sessions)
        .where(
            s.user_id == user_id,
            s.token_hash != keep,
            s.created_us > now_us - SESSION_LIFE_US,
            s.seen_us > now_us - SESSION_IDLE_US,
        )
    )
    return int((await conn.execute(query)).scalar_one())


async def purge_sessions(conn: AsyncConnection, now_us: int, user_id: int | None = None) -> int:
    """Deletes what is over, of one person or of all; how many."""
    query = delete(sessions).where(or_(s.created_us <= now_us - SESSION_LIFE_US, s.seen_us <= now_us - SESSION_IDLE_US))
    if user_id is not None:
        query = query.where(s.user_id == user_id)
    return (await conn.execute(query)).rowcount
