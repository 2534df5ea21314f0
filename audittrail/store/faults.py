"""What a database's refusal means: no space, over soon, or the statement's own fault."""

from __future__ import annotations

import sqlite3

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from audittrail.model.errors import Unavailable
from audittrail.store import dialect

# SQLite's own, in its words FULL and IOERR_SHMSIZE; PostgreSQL's disk_full.
_SQLITE_FULL = (13, 4874)
_SQLITE_WRITE = 778  # IOERR_WRITE: over a quota or a limit of file sizes, read-only, or broken
_DISK_FULL = "53100"
# PostgreSQL's codes for what is not the statement's fault, and may be over when it is tried again: connections,
# resources, intervention, the system; also a server that has become a standby, and transactions in each other's way.
_PASSING = ("08", "53", "57", "58", "28", "3D", "25006", "40001", "40P01")
# What asyncpg raises where SQLAlchemy does not translate it: while it connects.
CONNECTING = (asyncpg.PostgresError, asyncpg.InterfaceError)


def is_disk_full(error: BaseException) -> bool:
    """Whether there was no space to write to."""
    return getattr(_driver_s(error), "sqlite_errorcode", None) in _SQLITE_FULL or _code(error) == _DISK_FULL


def is_passing(error: BaseException) -> bool:
    """Whether PostgreSQL says that the statement is not at fault."""
    return _code(error).startswith(_PASSING)


def _driver_s(error: BaseException) -> BaseException:
    return getattr(error, "orig", None) or error


def _code(error: BaseException) -> str:
    return str(getattr(_driver_s(error), "sqlstate", None) or "")


def cannot_open(url: URL, error: BaseException) -> str:
    """Why the database cannot be used at start, and what to do. The password is not said."""
    if dialect.is_sqlite(url):
        if getattr(_driver_s(error), "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
            return f"{url.database} is no SQLite database. Name another file in DATABASE_URL, or restore a backup."
        said = "The disk is full" if is_disk_full(error) else str(_driver_s(error)).capitalize()
        return (
            f"The database file {url.database} cannot be used: {said}. Make it and its folder writable for this user."
        )
    place = f"{url.host or 'localhost'}:{url.port or 5432}"
    code = _code(error)
    if code.startswith("28"):
        return (
            f"PostgreSQL at {place} does not let the user {url.username!r} in with this password. Correct the user or "
            "the password in DATABASE_URL."
        )
    if code.startswith("3D"):
        return (
            f"PostgreSQL at {place} has no database {url.database!r}. Make it with `createdb`, or correct DATABASE_URL."
        )
    if code:
        return f"PostgreSQL at {place} does not serve just now (its code {code}). Start again in a moment."
    if isinstance(error, OSError):
        return f"The database at {place} cannot be reached. Start PostgreSQL there, or correct DATABASE_URL."
    return f"The database at {place} cannot be used ({type(_driver_s(error)).__name__}). Check DATABASE_URL."


def unavailable(error: Exception) -> Unavailable | None:
    """What to tell whoever asked; None: the statement is at fault."""
    if is_disk_full(error):
        return Unavailable(
            "The disk is full: nothing can be stored until there is space again; the same request may be sent again.", 5
        )
    if getattr(_driver_s(error), "sqlite_errorcode", None) == _SQLITE_WRITE:
        return Unavailable(
            "The disk does not take what is written: it may be broken, or over a quota; the same may be sent again.", 5
        )
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if isinstance(error, InterfaceError) and not lost:
        return None  # asyncpg says so of a value it cannot encode: the statement's fault, not the connection's
    if isinstance(error, (OperationalError, PoolTimeout, OSError, *CONNECTING)) or is_passing(error):
        return Unavailable("The database does not answer just now; the same request may be sent again.", 2)
    if lost:
        return Unavailable("The connection to the database was lost; send the same request again.", 2)
    return None
