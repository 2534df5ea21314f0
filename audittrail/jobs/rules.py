"""The rule files on disk, kept in force: a change is loaded as it is seen, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from audittrail.constitution import Constitution, RuleError, read_folder
from audittrail.store import activity
from audittrail.store.database import Database

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
PLACES = 20  # of mistakes that the activity log names

_Seen = tuple[tuple[str, int, int], ...]


class RulesFolder:
    """Loads a folder into a constitution, and again whenever a file of it changes. The activity log is told of that."""

    def __init__(self, folder: Path, constitution: Constitution, db: Database, now_us: Callable[[], int]) -> None:
        self._folder = folder
        self._constitution = constitution
        self._db = db
        self._now_us = now_us
        self._seen: _Seen | None = None
        self._noted: tuple[str, tuple[RuleError, ...]] | None = None

    async def load(self) -> None:
        """Loads the folder if it differs from what was loaded last. What is wrong with it is in the constitution."""
        await asyncio.to_thread(self._load)
        await self._note()

    async def _note(self) -> None:
        rules, errors = self._constitution.rules, self._constitution.errors
        if self._noted == (rules.hash, errors):
            return
        async with self._db.write() as conn:
            if errors:
                # Where, not what: a message quotes the file.
                places = [":".join(str(part) for part in (e.file, e.line, e.column) if part) for e in errors[:PLACES]]
                await activity.note_rules_refused(conn, self._now_us(), places, len(errors))
            else:
                versions = {rule.id: rule.version for rule in rules.rules}
                await activity.note_rules(conn, self._now_us(), versions, rules.hash)
        self._noted = (rules.hash, errors)

    async def watch(self) -> None:
        """Goes on until cancelled. Asking for names, sizes and times works on every kind of mount; inotify does not."""
        while True:
            await self.load()
            await asyncio.sleep(LOOK_SECONDS)

    def _load(self) -> None:
        try:
            seen = self._look()
            if seen == self._seen:
                return
            files = read_folder(self._folder)
        except OSError as error:
            wrong = RuleError(str(self._folder), 0, 0, f"cannot be read: {error.strerror}")
            if self._constitution.errors != (wrong,):
                log.error("The rules stay as they were: %s", wrong)
            self._seen = None
            self._constitution.failed(wrong)
            return
        errors = self._constitution.update(files)
        self._seen = seen
        for each in errors:
            log.error("Rule files are not in force: %s", each)
        if not errors:
            log.info("%d rules are in force, set %.12s", len(self._constitution.rules), self._constitution.rules.hash)

    def _look(self) -> _Seen:
        found = []
        for path in self._folder.iterdir():
            if path.suffix in (".yaml", ".yml"):
                stat = path.stat()
                found.append((path.name, stat.st_mtime_ns, stat.st_size))
        return tuple(sorted(found))
