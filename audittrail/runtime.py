"""What lives as long as the process: database, writer, identity checks; opened in order, closed in reverse."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self

from audittrail import __version__
from audittrail.bootstrap import bootstrap
from audittrail.clock import now_us
from audittrail.constitution import Constitution, judge_trace
from audittrail.identity.allowance import Allowance
from audittrail.identity.keyring import Keyring
from audittrail.identity.passwords import Passwords
from audittrail.identity.refused import RefusedSignIns
from audittrail.identity.throttle import Throttle
from audittrail.identity.tokens import derived
from audittrail.ingest.text import storable
from audittrail.jobs.ablations import Ablations
from audittrail.jobs.approvals import Approvals
from audittrail.jobs.drawing import ReportFiles
from audittrail.jobs.erasure import Erasure
from audittrail.jobs.gathering import Gathering
from audittrail.jobs.joining import Joining
from audittrail.jobs.reading import Reading
from audittrail.jobs.reports import Reports
from audittrail.jobs.retention import Retention
from audittrail.jobs.rules import RulesFolder
from audittrail.jobs.search import SearchIndex
from audittrail.jobs.streams import Streams
from audittrail.jobs.supervise import Supervisor
from audittrail.live.hub import Hub
from audittrail.model.activity import SYSTEM, Action
from audittrail.model.errors import Unavailable
from audittrail.model.verdict import Judge
from audittrail.privacy.redactor import Redactor
from audittrail.settings import Settings, asset_folder
from audittrail.store import activity, keys, sessions
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.writer import Writer

TOUCH_SECONDS = 30.0
# Processes that read large bodies: as many as there are cores to share, each of 70 MB, started when they are needed.
READERS = min(4, os.cpu_count() or 1)
PURGE_SECONDS = 3600.0


class Runtime:
    """Given to every handler as the dependency `runtime`."""

    def __init__(self, settings: Settings, clock: Callable[[], int] = now_us) -> None:
        self.settings = settings
        self.now_us = clock
        self.started = time.monotonic()
        self.db = Database(settings.database_url)
        marks = derived(settings.secret_key, "redaction") if settings.redaction else None
        self.redactor = Redactor(marks) if marks is not None else None
        self.live = Hub()
        self.replicas = self.db.tell(self.live.apply, self.live.apply_all)
        self.streams = Streams(self.db, self.live, clock)
        self.constitution = Constitution()
        self.rules_folder = RulesFolder(settings.rules_dir or asset_folder("rules"), self.constitution, self.db, clock)
        judge = Judge(
            lambda trace, spans: judge_trace(trace, spans, self.constitution.rules),
            lambda: self.constitution.rules.ids,
        )
        self.writer = Writer(self.db, clock, max_pending_bytes=settings.max_pending_bytes, judge=judge)
        self.approvals = Approvals(
            self.db, self.writer, self.redactor, derived(settings.secret_key, "approvals"), clock
        )
        self.joining = Joining(self.db, self.writer, self.constitution, clock)
        self.ablations = Ablations(self.db, self.constitution, clock)
        gathering = Gathering(
            self.db, self.constitution, clock, retention_days=settings.retention_days, redaction=settings.redaction
        )
        self.reports = Reports(self.db, gathering, ReportFiles(settings.data_dir / "reports"), clock)
        self.search = SearchIndex(self.db, clock, lambda: self.receiving > 0)
        self.erasure = Erasure(self.db, clock, lambda: self.receiving > 0)
        self.retention = Retention(self.db, self.erasure, clock, settings.retention_days)
        self.passwords = Passwords()
        self.keyring = Keyring(settings.secret_key, self.passwords)
        # By a clock that does not step: a wait shall end when it was said to.
        self.throttle = Throttle(lambda: time.monotonic_ns() // 1000)
        self.address_allowance = Allowance(settings.rate_limit, settings.rate_burst)
        self.key_allowance = Allowance(settings.key_rate_limit, math.ceil(settings.key_rate_limit))
        self.refused = RefusedSignIns(derived(settings.secret_key, "refused sign-ins"))
        self.supervisor = Supervisor()
        self.reading = Reading(marks, self.constitution, READERS)
        self.receiving = 0  # requests that bring spans and wait for their answer
        self.stopping = False
        self.setup_link: str | None = None  # while there is no account

    def kept(self, text: str) -> str:
        """What a person wrote, as it may be kept: without white space around it, redacted, storable."""
        text = storable(text.strip())
        return self.redactor.redact_text(text)[0] if self.redactor else text

    def let_go(self) -> None:
        """Answers all who wait for something to happen: the server is about to stop."""
        self.stopping = True
        self.approvals.close()
        self.ablations.close()
        self.reports.close()
        self.live.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Ready inside the block; after it everything acknowledged is on disk and everything is closed.

        Raises ConfigurationError when another process serves the same SQLite file or the database is newer than this
        program.
        """
        lock = self.db.lock()
        try:
            if lock:
                lock.acquire()
            _, schema = await migrate(self.db, asset_folder("migrations"))
            await self.rules_folder.load()
            self.setup_link = await bootstrap(self)
            await self._note("server.started", schema)
            writing = self.supervisor.start("writer", self.writer.run)
            self.supervisor.start("rule files", self.rules_folder.watch)
            self.supervisor.start("approvals", self.approvals.expire)
            self.supervisor.start("joining", self.joining.run)
            self.supervisor.start("old fragments", self.joining.sweep)
            self.supervisor.start("search", self.search.run)
            self.supervisor.start("ablations", self.ablations.run)
            self.supervisor.start("retention", self.retention.run)
            self.supervisor.start("reports", self.reports.run)
            self.supervisor.start("report files", self.reports.sweep)
            if not self.db.is_sqlite:
                self.supervisor.start("replicas", self.replicas.run)
            self.supervisor.start("settled traces", self.streams.settle)
            self.supervisor.start("stream admission", self.streams.admit)
            self.supervisor.start("key use", self._touch_keys)
            self.supervisor.start("old sessions", self._purge_sessions)
            try:
                yield self
            finally:
                await self.reading.stop()
                await self.writer.close()
                await asyncio.gather(writing, return_exceptions=True)
                await self.supervisor.stop()
                await self._touch()
                # A database that is gone does not hear of it; then there is a start without a stop before it.
                with suppress(Unavailable):
                    await self._note("server.stopped", schema)
        finally:
            await self.db.close()
            if lock:
                lock.release()

    async def _note(self, action: Action, schema: str) -> None:
        async with self.db.write() as conn:
            await activity.note(conn, self.now_us(), SYSTEM, action, version=__version__, schema=schema)

    async def _touch_keys(self) -> None:
        while True:
            await asyncio.sleep(TOUCH_SECONDS)
            await self._touch()

    async def _purge_sessions(self) -> None:
        while True:
            async with self.db.write() as conn:
                await sessions.purge_sessions(conn, self.now_us())
            await asyncio.sleep(PURGE_SECONDS)

    async def _touch(self) -> None:
        used = self.keyring.take_used()
        if used:
            async with self.db.write() as conn:
                await keys.touch_keys(conn, used)
