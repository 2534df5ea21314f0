"""The database: one way to write, one way to read, and the lock that keeps a second process away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Self

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.changes import Changes
from audittrail.model.errors import ConfigurationError, Unavailable
from audittrail.store import dialect, faults, locks, notify, space
from audittrail.store.notify import Replicas

READERS = 8
OPEN_SECONDS = 20.0
ANSWER_SECONDS = 3.0  # a container's health check waits for five


class FileLock:
    """A lock on a file beside the database, held while the process lives; the kernel frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> None:
        """Raises ConfigurationError when another process holds it, or it cannot be made."""
        try:
            taken = self.take()
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be made: {error.strerror}. Make the database's folder writable for this user, or "
                "name another in DATABASE_URL."
            ) from None
        if not taken:
            holder = self.path.read_text(errors="replace").strip()
            raise ConfigurationError(
                f"Another AuditTrail (process {holder or 'unknown'}) already serves this SQLite database; it holds "
                f"{self.path}. Stop it first, or use PostgreSQL, where many processes may serve one database."
            )

    def take(self) -> bool:
        """Whether this process holds it from now on; False: another does. Raises OSError when it cannot be made."""
        import fcntl

        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
        return True

    def release(self) -> None:
        """May be called twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def lock_of(file: Path) -> FileLock:
    """The lock of who serves this database file."""
    return FileLock(file.with_name(file.name + ".lock"))


class Database:
    """`async with db.write() as conn`: a transaction, alone on SQLite; `async with db.read() as conn`: a snapshot.

    Errors of the connection or the disk are raised as Unavailable; a statement that is wrong stays SQLAlchemy's error.
    """

    def __init__(self, url: str) -> None:
        self.url = dialect.parse_url(url)
        self.is_sqlite = dialect.is_sqlite(self.url)
        self.file = dialect.file_of(self.url)
        self._write, self._read = dialect.create_engines(self.url, READERS)
        self._alone = asyncio.Lock()
        self._replicas: Replicas | None = None
        self._hear: Callable[[Changes], None] | None = None

    def tell(self, hear: Callable[[Changes], None], miss: Callable[[], None]) -> Replicas:
        """From now on `hear` is given what each commit has changed, and on PostgreSQL every process that does so too.

        Of other processes it is told while the task `run()` of what is returned runs; `miss` says that it was not.
        """
        self._hear = hear
        self._replicas = Replicas(self.url, hear, miss)
        return self._replicas

    def lock(self) -> FileLock | None:
        """The lock that a serving process takes on SQLite; None on PostgreSQL."""
        return lock_of(self.file) if self.file is not None else None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; committed when the block ends without an exception."""
        # Waiting here is fair and free; waiting in SQLite's busy handler is neither.
        async with self._alone if self.is_sqlite else nullcontext(), _translated(), self._write.begin() as conn:
            changes = notify.begin(conn)
            yield conn
            if changes and self._replicas is not None:
                await self._replicas.announce(conn, changes)
        if changes and self._hear is not None:
            self._hear(changes)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot to read from. Hold it briefly: never across a wait for the client."""
        async with _translated(), self._read.connect() as conn:
            yield conn

    async def open(self) -> None:
        """Raises ConfigurationError when it cannot be used, with what to do about it."""
        try:
            if self.file is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            async with asyncio.timeout(OPEN_SECONDS), self._write.begin() as conn:
                await dialect.touch(conn)
        except (SQLAlchemyError, OSError, *faults.CONNECTING) as error:
            raise ConfigurationError(faults.cannot_open(self.url, error)) from None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """On PostgreSQL: every statement in it reads the state that the first one met, however long it lasts."""
        async with _translated(), self._read.connect() as conn:
            yield await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def purging(self) -> AsyncIterator[bool]:
        """Whether this process is the only one that purges, while the block lasts."""
        if self.is_sqlite:
            yield True
            return
        engine = dialect.create_single(self.url)
        try:
            async with _translated(), engine.connect() as conn:
                await conn.execution_options(isolation_level="AUTOCOMMIT")
                yield await locks.lock_retention(conn)
        finally:
            await engine.dispose()

    async def give_back(self, pages: int) -> None:
        """Returns so many free pages of SQLite's file to the file system."""
        async with self._alone, _translated(), self._write.connect() as conn:
            await space.give_back(conn, pages)

    async def empty_log(self) -> bool:
        """Leaves nothing in SQLite's write-ahead log. False: a reader was in the way; try again."""
        if not self.is_sqlite:
            return True
        async with _translated():
            return await space.empty_log(self.url, self._alone)

    async def answers(self) -> bool:
        """Whether the database can be read just now."""
        try:
            # A host that is gone says nothing at all.
            async with asyncio.timeout(ANSWER_SECONDS), self.read() as conn:
                await conn.execute(text("SELECT 1"))
        except (Unavailable, SQLAlchemyError, TimeoutError):
            return False
        return True

    async def probe(self) -> None:
        """Writes to the disk what nobody reads. Raises Unavailable."""
        async with self.write() as conn:
            await dialect.touch(conn)

    async def size_bytes(self) -> int:
        """How much disk it takes. Raises Unavailable."""
        async with self.read() as conn:
            return await space.size_bytes(conn)

    async def close(self) -> None:
        """May be called twice."""
        await self._read.dispose()
        await self._write.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError, *faults.CONNECTING) as error:
        unavailable = faults.unavailable(error)
        if unavailable is None:
            raise
        raise unavailable from error
