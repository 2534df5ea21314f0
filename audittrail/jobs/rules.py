"""The rule files on disk, kept in force: a change is loaded as it is seen, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from audittrail.constitution import Constitution, RuleError, read_folder

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0

_Seen = tuple[tuple[str, int, int], ...]


class RulesFolder:
    """Loads a folder into a constitution, and again whenever a file of it changes."""

    def __init__(self, folder: Path, constitution: Constitution) -> None:
        self._folder = folder
        self._constitution = constitution
        self._seen: _Seen | None = None

    async def load(self) -> None:
        """Loads the folder if it differs from what was loaded last. What is wrong with it is in the constitution."""
        await asyncio.to_thread(self._load)

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
