"""API keys. A secret is stored as its Argon2 hash, beside a lookup that finds the row without trying every hash."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.account import SCOPES, Key, Scope
from audittrail.model.errors import Conflict, NotFound
from audittrail.store import activity, dialect
from audittrail.store.tables import api_keys

k = api_keys.c
KEY = (k.id, k.project_id, k.public, k.name, k.scopes, k.created_us, k.expires_us, k.last_used_us, k.revoked_us)


class Candidate(msgspec.Struct, frozen=True):
    """A key that may be the one presented: its hash decides."""

    key: Key
    secret_hash: str


def _key_of(row: Row[*tuple[Any, ...]]) -> Key:
    held = set(row.scopes.split())
    return Key(
        id=row.id,
        project_id=row.project_id,
        public=row.public,
        name=row.name,
        scopes=tuple(scope for scope in SCOPES if scope in held),
        created_us=row.created_us,
        expires_us=row.expires_us,
        last_used_us=row.last_used_us,
        revoked_us=row.revoked_us,
    )


async def add_key(
    conn: AsyncConnection,
    *,
    project_id: int,
    public: str,
    lookup: str,
    secret_hash: str,
    name: str,
    scopes: tuple[Scope, ...],
    now_us: int,
    expires_us: int | None = None,
) -> Key:
    """Raises Conflict when the public part is taken, which random ones are not."""
    query = (
        dialect.insert(conn, api_keys)
        .values(
            project_id=project_id,
            public=public,
            lookup=lookup,
            secret_hash=secret_hash,
            name=name,
            scopes=" ".join(scopes),
            created_us=now_us,
            expires_us=expires_us,
        )
        .on_conflict_do_nothing(index_elements=[k.public])
        .returning(*KEY)
    )
    row = (await conn.execute(query)).first()
    if row is None:
        raise Conflict("A key with this public part exists already; make another.")
    return _key_of(row)


async def list_keys(conn: AsyncConnection, project_id: int) -> tuple[Key, ...]:
    """A project's keys, the newest first, with the revoked ones."""
    query = select(*KEY).where(k.project_id == project_id).order_by(k.created_us.desc(), k.id.desc())
    return tuple(_key_of(row) for row in await conn.execute(query))


# Made once: this is asked at every request of an agent, and making it takes longer than running it.
_BY_ID = select(*KEY).where(k.id == bindparam("key"))


async def get_key(conn: AsyncConnection, key_id: int) -> Key | None:
    """As it is now: whether it is revoked or expired is for the caller to ask."""
    row = (await conn.execute(_BY_ID, {"key": key_id})).first()
    return _key_of(row) if row else None


async def usable_keys(conn: AsyncConnection, key_ids: Collection[int], now_us: int) -> set[int]:
    """Of these keys those that are neither revoked nor expired."""
    rows = await conn.execute(select(*KEY).where(k.id.in_(key_ids)))
    return {row.id for row in rows if _key_of(row).usable(now_us)}


async def find_key(conn: AsyncConnection, public: str) -> Key | None:
    """By its public part."""
    row = (await conn.execute(select(*KEY).where(k.public == public))).first()
    return _key_of(row) if row else None


async def find_candidates(conn: AsyncConnection, lookup: str) -> tuple[Candidate, ...]:
    """The keys whose secret starts as the presented one does: nearly always none or one."""
    rows = await conn.execute(select(*KEY, k.secret_hash).where(k.lookup == lookup).order_by(k.id))
    return tuple(Candidate(_key_of(row), row.secret_hash) for row in rows)


async def revoke_key(conn: AsyncConnection, project_id: int, key_id: int, now_us: int, *, by: str) -> Key:
    """From now on the key is refused; revoking again changes nothing. Raises NotFound for another project's key."""
    mine = (k.id == key_id, k.project_id == project_id)
    revoke = update(api_keys).where(*mine, k.revoked_us.is_(None)).values(revoked_us=now_us)
    revoked = (await conn.execute(revoke)).rowcount == 1
    row = (await conn.execute(select(*KEY).where(*mine))).first()
    if row is None:
        raise NotFound("There is no such key in this project.")
    key = _key_of(row)
    if revoked:
        await activity.note(conn, now_us, by, "key.revoked", key.public, project_id=project_id, name=key.name)
    return key


async def touch_keys(conn: AsyncConnection, used: Mapping[int, int]) -> None:
    """Notes when keys were last used, from {id: microseconds}. Never moves a time back."""
    if not used:
        return
    query = (
        update(api_keys)
        .where(k.id == bindparam("key"), or_(k.last_used_us.is_(None), k.last_used_us < bindparam("us")))
        .values(last_used_us=bindparam("us"))
    )
    # In the order of ids, so that replicas that note the same keys do not wait for each other in a circle.
    await conn.execute(query, [{"key": key, "us": us} for key, us in sorted(used.items())])
