"""People's accounts."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.account import InstanceRole, User
from audittrail.model.errors import Conflict, NotFound
from audittrail.store import dialect, locks
from audittrail.store.tables import users

u = users.c
USER = (u.id, u.email, u.display_name, u.role, u.created_us)


class Credential(msgspec.Struct, frozen=True):
    """An account with the hash that its password is checked against."""

    user: User
    password_hash: str


def user_of(row: Row[*tuple[Any, ...]]) -> User:
    """From a row that selects USER's columns."""
    return User(row.id, row.email, row.display_name, row.role, row.created_us)


async def has_users(conn: AsyncConnection) -> bool:
    """Whether any account exists."""
    return (await conn.execute(select(u.id).limit(1))).first() is not None


async def lock_first_user(conn: AsyncConnection) -> bool:
    """True: no account exists, and no other transaction makes the first one until this ends."""
    # The lock of replicas that start together serves here too: this happens once in a database's life.
    await locks.lock_migrations(conn)
    return not await has_users(conn)


async def add_user(
    conn: AsyncConnection, *, email: str, display_name: str, password_hash: str, role: InstanceRole, now_us: int
) -> User:
    """Makes an account. `email` is in lower case. Raises Conflict when the address has one."""
    query = (
        dialect.insert(conn, users)
        .values(email=email, display_name=display_name, password_hash=password_hash, role=role, created_us=now_us)
        .on_conflict_do_nothing(index_elements=[u.email])
        .returning(*USER)
    )
    row = (await conn.execute(query)).first()
    if row is None:
        raise Conflict("An account with this e-mail address exists already; sign in with it.")
    return user_of(row)


async def find_credential(conn: AsyncConnection, email: str) -> Credential | None:
    """The account of a lower-case address."""
    row = (await conn.execute(select(*USER, u.password_hash).where(u.email == email))).first()
    return Credential(user_of(row), row.password_hash) if row else None


async def find_user(conn: AsyncConnection, email: str) -> User | None:
    """The account of a lower-case address, without its hash."""
    row = (await conn.execute(select(*USER).where(u.email == email))).first()
    return user_of(row) if row else None


async def get_user(conn: AsyncConnection, user_id: int) -> User | None:
    """By its id."""
    row = (await conn.execute(select(*USER).where(u.id == user_id))).first()
    return user_of(row) if row else None


async def list_users(conn: AsyncConnection) -> tuple[User, ...]:
    """All accounts, by address."""
    return tuple(user_of(row) for row in await conn.execute(select(*USER).order_by(u.email)))


async def set_display_name(conn: AsyncConnection, user_id: int, display_name: str) -> None:
    """Changes the name that others see."""
    await conn.execute(update(users).where(u.id == user_id).values(display_name=display_name))


async def set_password_hash(conn: AsyncConnection, user_id: int, new: str, *, old: str | None = None) -> None:
    """With `old`, only while that is still the hash."""
    query = update(users).where(u.id == user_id).values(password_hash=new)
    await conn.execute(query if old is None else query.where(u.password_hash == old))


async def set_instance_role(conn: AsyncConnection, user_id: int, role: InstanceRole) -> None:
    """Makes someone an administrator or no longer one. Raises NotFound, or Conflict for the last administrator."""
    # Two who demote each other at once wait for one another at these locks; the second then is the last.
    locked = select(u.id).where(u.role == "admin").order_by(u.id).with_for_update(key_share=True)
    admins = {row.id for row in await conn.execute(locked)}
    if role != "admin" and admins == {user_id}:
        raise Conflict("This is the last administrator; make someone else one first.")
    if (await conn.execute(update(users).where(u.id == user_id).values(role=role))).rowcount != 1:
        raise NotFound("There is no such account.")
