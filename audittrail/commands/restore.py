"""audittrail restore …"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audittrail.clock import now_us
from audittrail.commands.backup import SPARE, copy_file, disk_errors, key_check, sync_folder, verify
from audittrail.identity.tokens import same
from audittrail.model.backup import SECRET_KEY, Manifest
from audittrail.model.errors import ConfigurationError, Conflict, Invalid, Unavailable
from audittrail.settings import Settings, asset_folder
from audittrail.store import backup
from audittrail.store.database import FileLock, lock_of
from audittrail.store.migrations import schemas

STAGE = ".restoring"  # in the data folder, while what goes there is not complete
VOID = (
    "with another secret key all API keys are void, redacted values get other marks, and approvals that wait cannot be "
    "matched"
)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Checks a backup, then puts it where the settings say, or leaves that place as it was."""
    began = time.monotonic()
    source: Path = args.source
    manifest = verify(source)
    _check(manifest, settings)
    with disk_errors(f"{source} could not be restored"), _place(source, manifest, settings) as place:
        before, now = asyncio.run(
            backup.restore(settings.database_url, source, manifest, asset_folder("migrations"), now_us(), place.publish)
        )
        place.keep()
    migrated = f", brought from schema {before} to {now}" if before != now else ""
    print(f"Restored {manifest.name}{migrated}: {manifest.rows:,} rows in {time.monotonic() - began:.1f} s.")  # noqa: T201
    print(  # noqa: T201
        "The rules in the backup are for reference; those in force are the ones that AUDITTRAIL_RULES_DIR names.",
        file=sys.stderr,
    )
    return 0


def _check(manifest: Manifest, settings: Settings) -> None:
    """Raises Invalid or ConfigurationError when this backup does not belong in this place."""
    known = schemas(asset_folder("migrations"))
    if manifest.schema not in known:
        raise Invalid(
            f"The backup has schema {manifest.schema}, and this program knows them up to {known[0]}: AuditTrail "
            f"{manifest.version} made it. Restore it with that version or a later one."
        )
    here = "sqlite" if backup.database_file(settings.database_url) is not None else "postgresql"
    if manifest.database != here:
        raise Invalid(
            f"The backup is of {manifest.database}, and DATABASE_URL names {here}. Name one of {manifest.database}: "
            "a backup does not change the kind of database."
        )
    if not settings.secret_key and manifest.secret_key == "environment":  # noqa: S105
        raise ConfigurationError(
            "The backup was made with a secret key from the environment, which is not in it. Set AUDITTRAIL_SECRET_KEY "
            f"to that key: {VOID}."
        )
    if settings.secret_key and not same(key_check(settings.secret_key), manifest.key_check):
        raise ConfigurationError(
            f"AUDITTRAIL_SECRET_KEY is not the key that the backup was made with, and {VOID}. "
            + (
                "Leave it out: the backup has its key."
                if manifest.secret_key == "included"  # noqa: S105
                else "Set it to the key of then."
            )
        )


class Place:
    """The data folder, empty until `publish`, and empty again unless `keep` is called."""

    def __init__(self, data_dir: Path, file: Path | None) -> None:
        self.data_dir, self.stage = data_dir, data_dir / STAGE
        self._folders = {data_dir, file.parent if file else data_dir}
        self._moved: list[Path] = []
        self.kept = False

    def publish(self) -> None:
        """Gives what was staged its names."""
        for path in sorted(self.stage.iterdir()):
            there = self.data_dir / path.name
            path.rename(there)
            self._moved.append(there)
        self.stage.rmdir()
        sync_folder(self.data_dir)  # the key before the database that is of no use without it

    def keep(self) -> None:
        """All is there, and stays when the power fails."""
        self.kept = True
        for folder in self._folders:
            sync_folder(folder)

    def clear(self) -> None:
        """Takes away what was put here, unless it is to be kept."""
        shutil.rmtree(self.stage, ignore_errors=True)
        if self.kept:
            return
        for path in self._moved:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def _place(source: Path, manifest: Manifest, settings: Settings) -> Iterator[Place]:
    """The data folder, locked and checked, with the files of the backup staged in it."""
    data_dir, file = settings.data_dir, backup.database_file(settings.database_url)
    new = [folder for folder in {data_dir, file.parent if file else data_dir} if not folder.exists()]
    lock: FileLock | None = None
    place = Place(data_dir, file)
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock_is_new = False
        if file is not None:
            lock = lock_of(file)
            lock_is_new = not lock.path.exists()
            lock.acquire()
        try:
            _refuse_content(data_dir, source, lock)
            _check_space(data_dir, file, manifest)
            shutil.rmtree(place.stage, ignore_errors=True)  # of a restore that was killed
            place.stage.mkdir(mode=0o700)
            for each in manifest.files:
                if each.path == SECRET_KEY or each.path.startswith("reports/"):
                    copy_file(source / each.path, place.stage / each.path)
            yield place
        finally:
            place.clear()
            if lock is not None and lock_is_new and not place.kept:
                lock.path.unlink(missing_ok=True)
    finally:
        if lock is not None:
            lock.release()
        if not place.kept:
            for folder in new:
                if folder.exists() and not any(folder.iterdir()):
                    folder.rmdir()


def _refuse_content(data_dir: Path, source: Path, lock: FileLock | None) -> None:
    mine = {STAGE, "lost+found", *([lock.path.name] if lock else [])}
    for path in sorted(data_dir.iterdir()):
        holds_it = path.resolve() in (source.resolve(), *source.resolve().parents)
        if path.name not in mine and not holds_it:
            raise Conflict(
                f"The data folder {data_dir} is not empty: {path.name} is in it, and a backup is never restored over "
                "something. Name another in AUDITTRAIL_DATA_DIR, or move what is there away."
            )


def _check_space(data_dir: Path, file: Path | None, manifest: Manifest) -> None:
    reports = sum(each.size for each in manifest.files if each.path.startswith("reports/"))
    needs = {data_dir: reports}
    if file is not None:
        needs[file.parent] = needs.get(file.parent, 0) + manifest.raw
    for folder, needed in needs.items():
        free = shutil.disk_usage(folder).free
        if free < needed + SPARE:
            raise Unavailable(f"{folder} has {free:,} bytes free, and the backup needs {needed + SPARE:,}. Make room.")
