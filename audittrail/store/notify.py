"""Which transaction changed what: told when it is committed, here and, on PostgreSQL, in every other process."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.changes import Changes, Topic
from audittrail.store import dialect

CHANNEL = "audittrail_changes"
MAX_PAYLOAD = 7_900  # bytes: PostgreSQL takes less than 8,000, and the sender stands before it
ALIVE_SECONDS = 10.0  # so often is a silent connection asked whether it is there

_KEY = "changes"


def begin(conn: AsyncConnection) -> Changes:
    """Starts to note what the transaction changes."""
    changes: Changes = Changes()
    conn.info[_KEY] = changes
    return changes


def changed(conn: AsyncConnection, project_id: int, topic: Topic, ids: Collection[str] = ()) -> None:
    """The transaction has changed these of the project; without ids, all may have changed. Told after the commit."""
    changes = conn.info.get(_KEY)
    if changes is not None:  # None: a transaction that Database.write did not begin, such as a migration's
        changes.add(project_id, topic, ids)


class Replicas:
    """Other processes on the same database. `run()` is the task: one connection that listens. SQLite has none."""

    def __init__(self, url: URL, hear: Callable[[Changes], None], miss: Callable[[], None]) -> None:
        """`hear` is given what others changed; `miss` is called when something may have been missed."""
        self._url = url
        self._hear = hear
        self._miss = miss
        self._me = secrets.token_hex(8)
        self._wake = asyncio.Event()
        self._connected_before = False

    async def announce(self, conn: AsyncConnection, changes: Changes) -> None:
        """Within the transaction that changes them: PostgreSQL delivers it with the commit, or not at all."""
        await dialect.notify(conn, CHANNEL, self._payloads(changes))

    def _payloads(self, changes: Changes) -> list[str]:
        return [f"{self._me} {text.decode()}" for text in changes.encode(MAX_PAYLOAD)]

    async def run(self) -> None:
        """Goes on until cancelled; raises when the connection is lost, for whoever restarts it. Not for SQLite."""
        engine = dialect.create_single(self._url)
        try:
            async with engine.connect() as conn:
                await conn.execution_options(isolation_level="AUTOCOMMIT")
                driver: Any = (await conn.get_raw_connection()).driver_connection
                driver.add_termination_listener(lambda _: self._wake.set())
                await driver.add_listener(CHANNEL, lambda *said: self._heard(said[-1]))
                if self._connected_before:
                    self._miss()
                self._connected_before = True
                while True:
                    await self._ask(conn)
        finally:
            await engine.dispose()

    async def _ask(self, conn: AsyncConnection) -> None:
        """A connection that is dead does not answer, and would never say so by itself."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ALIVE_SECONDS):
                await self._wake.wait()
        self._wake.clear()
        async with asyncio.timeout(ALIVE_SECONDS):
            await dialect.notify(conn, CHANNEL, [self._me])

    def _heard(self, payload: str) -> None:
        sender, _, text = payload.partition(" ")
        if sender != self._me and text:
            self._hear(Changes.decode(text))
