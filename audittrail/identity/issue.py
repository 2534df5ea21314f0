"""Issues API keys: what may be asked for, and the key that comes of it."""

from __future__ import annotations

from collections.abc import Sequence

from audittrail.identity.keyring import Keyring
from audittrail.model.account import SCOPES, Key, NewKey
from audittrail.store import activity
from audittrail.store.connection import Connection
from audittrail.store.database import Database
from audittrail.store.keys import add_key

MAX_DAYS = 3650
_DAY_US = 86_400 * 1_000_000


def scopes_error(wanted: Sequence[str]) -> str:
    """What is wrong with the scopes asked for; "" when nothing is."""
    if not wanted:
        return "Choose at least one scope."
    if any(scope not in SCOPES for scope in wanted):
        return f"A scope is one of {', '.join(SCOPES)}."
    return ""


def days_error(days: int | None) -> str:
    """What is wrong with a lifetime in days, None being for ever; "" when nothing is."""
    if days is not None and not 1 <= days <= MAX_DAYS:
        return f"A key lasts from 1 to {MAX_DAYS} days, or for ever when nothing is said."
    return ""


async def note_key(conn: Connection, key: Key, by: str) -> None:
    """Keeps in the activity log that `by` made this key."""
    said = {"name": key.name, "scopes": key.scopes, "expires_us": key.expires_us}
    await activity.note(conn, key.created_us, by, "key.created", key.public, project_id=key.project_id, **said)


async def issue_key(
    db: Database,
    keyring: Keyring,
    *,
    project_id: int,
    name: str,
    scopes: Sequence[str],
    days: int | None,
    now_us: int,
    by: str,
) -> NewKey:
    """A new key with its secret, which is told this once. The arguments have been checked."""
    minted = await keyring.mint()
    async with db.write() as conn:
        key = await add_key(
            conn,
            project_id=project_id,
            public=minted.public,
            lookup=minted.lookup,
            secret_hash=minted.secret_hash,
            name=name,
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            now_us=now_us,
            expires_us=None if days is None else now_us + days * _DAY_US,
        )
        await note_key(conn, key, by)
    return NewKey(key, minted.secret)
