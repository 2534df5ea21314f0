"""audittrail backup …"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from audittrail import __version__
from audittrail.clock import now_us
from audittrail.constitution.loading import read_folder
from audittrail.identity.tokens import derived
from audittrail.model.backup import (
    MANIFEST,
    SECRET_KEY,
    SUMS,
    File,
    Manifest,
    backup_name,
    is_backup_name,
    read_manifest,
    write_manifest,
)
from audittrail.model.errors import ConfigurationError, Conflict, Invalid, NotFound, Unavailable
from audittrail.settings import Settings, asset_folder
from audittrail.store import backup
from audittrail.store.database import FileLock
from audittrail.store.migrations import schemas

CHUNK = 1 << 20
SPARE = 16 << 20  # bytes of a disk that are not counted on


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Makes a backup and prints where it is, alone on standard output for scripts; or checks one."""
    began = time.monotonic()
    if args.verify is not None:
        manifest = verify(args.verify)
        print(  # noqa: T201
            f"{manifest.name} is whole: {len(manifest.files):,} files, {manifest.size:,} bytes, {manifest.rows:,} rows"
            f" of {manifest.database}, schema {manifest.schema}, made {manifest.made} by AuditTrail {manifest.version}."
        )
        return 0
    if not settings.secret_key:
        raise ConfigurationError(
            f"There is no secret key: AUDITTRAIL_SECRET_KEY is not set, and {settings.data_dir / SECRET_KEY} is not "
            "there. Run this with the environment that the server has."
        )
    os.nice(10)  # compressing has time; whoever sends spans to the server beside it has not
    made, manifest = asyncio.run(_create(args.to, settings))
    print(made)  # noqa: T201
    seconds = time.monotonic() - began
    print(  # noqa: T201
        f"Backed up {manifest.rows:,} rows in {len(manifest.tables)} tables and {len(manifest.files):,} files: "
        f"{manifest.size:,} bytes (the database alone {manifest.raw:,} before it was packed) in {seconds:.1f} s. "
        + (
            "The secret key is in it: whoever has the backup has everything."
            if manifest.secret_key == "included"  # noqa: S105
            else "The secret key comes from the environment and is not in it: keep it elsewhere, or no key works again."
        ),
        file=sys.stderr,
    )
    return 0


async def _create(to: Path, settings: Settings) -> tuple[Path, Manifest]:
    at_us = now_us()
    name = backup_name(at_us)
    with _new_folder(to, name) as (partial, finish):
        async with backup.snapshot(settings.database_url) as snapshot:
            # First of all, since a report may be deleted while the database is copied.
            _check_space(to, snapshot.bytes + _size_of(settings.data_dir / "reports"))
            included = _copy_files(settings, partial)
            copied = await snapshot.write(partial)
        manifest = Manifest(
            name=name,
            made_us=at_us,
            made=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_us // 1_000_000)),
            version=__version__,
            database=snapshot.kind,
            schema=snapshot.schema,
            tables=copied.tables,
            sequences=copied.sequences,
            secret_key="included" if included else "environment",
            raw=copied.raw,
            key_check=key_check(settings.secret_key),
            files=(),
        )
        manifest = _seal(partial, manifest)
        finish()
    if snapshot.schema == schemas(asset_folder("migrations"))[0]:  # an older one may lack the table
        await backup.note_created(
            settings.database_url, now_us(), name, rows=manifest.rows, bytes=manifest.size, files=len(manifest.files)
        )
    return to / name, manifest


def key_check(secret_key: bytes) -> str:
    """Tells whether a secret key is the same, without telling the key."""
    return derived(secret_key, "backup").hex()


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Says of an error of the disk what was not done because of it."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise Unavailable(f"{what}: {error.strerror}{where}. Nothing was left behind.") from None


@contextmanager
def _new_folder(to: Path, name: str) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder under a name that no backup has; `finish` gives it its own."""
    partial, lock = to / f".{name}.partial", _lock(to, name)
    with disk_errors(f"The backup could not be written to {to}"):
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_killed(to)
        if (to / name).exists() or not lock.take():
            raise Conflict(f"{to / name} is there already, and no backup is overwritten. Try again in a second.")
        try:
            for folder in (partial, partial / "tables", partial / "reports", partial / "rules"):
                folder.mkdir(mode=0o700)
            yield partial, lambda: _finish(partial, to / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            _release(lock)


def _lock(to: Path, name: str) -> FileLock:
    return FileLock(to / f".{name}.lock")


def _release(lock: FileLock) -> None:
    lock.path.unlink(missing_ok=True)
    lock.release()


def _remove_killed(to: Path) -> None:
    """What backups into this folder have left that were killed: the lock was taken before the folder was made, so
    whoever can take it now knows that nobody writes there."""
    for left in to.glob(".audittrail-*.partial"):
        name = left.name.removeprefix(".").removesuffix(".partial")
        if not is_backup_name(name) or left.is_symlink() or not left.is_dir():
            continue
        with suppress(OSError):  # another user's stays, and is no reason to make no backup
            if (lock := _lock(to, name)).take():
                shutil.rmtree(left, ignore_errors=True)
                _release(lock)


def _finish(partial: Path, whole: Path) -> None:
    partial.rename(whole)
    sync_folder(whole.parent)


def sync_folder(folder: Path) -> None:
    """What was named or renamed in it stays so when the power fails."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in regular_files(folder))


def regular_files(folder: Path) -> list[Path]:
    """Files below a folder, and nothing that a link leads to; none where it is not there."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _check_space(to: Path, needed: int) -> None:
    free = shutil.disk_usage(to).free
    if free < needed + SPARE:
        raise Unavailable(
            f"{to} has {free:,} bytes free, and the backup may take {needed + SPARE:,} while it is made. Make room, or "
            "name a folder on another disk."
        )


def copy_file(source: Path, to: Path) -> None:
    """Byte by byte, for this user alone."""
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with source.open("rb") as old, to.open("xb") as new:
        shutil.copyfileobj(old, new, CHUNK)


def _copy_files(settings: Settings, partial: Path) -> bool:
    """Everything but the database; whether the secret key is in it."""
    reports = settings.data_dir / "reports"
    for path in regular_files(reports):
        try:
            copy_file(path, partial / "reports" / path.relative_to(reports))
        except FileNotFoundError:
            continue  # deleted just now
    for name, content in read_folder(settings.rules_dir or asset_folder("rules")).items():
        (partial / "rules" / name).write_bytes(content)
    kept = settings.data_dir / SECRET_KEY
    if not kept.is_file() or kept.read_bytes().strip() != settings.secret_key:
        return False
    copy_file(kept, partial / SECRET_KEY)
    return True


def _seal(partial: Path, manifest: Manifest) -> Manifest:
    """Writes the sums, and last of all the manifest."""
    files = []
    for path in regular_files(partial):
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files.append(measured(path, partial))
    sums = partial / SUMS
    sums.write_text("".join(f"{file.sha256}  {file.path}\n" for file in files), encoding="utf-8")
    sums.chmod(0o600)
    manifest = msgspec.structs.replace(manifest, files=(*files, measured(sums, partial)))
    with (partial / MANIFEST).open("xb") as last:
        last.write(write_manifest(manifest))
        last.flush()
        os.fsync(last.fileno())
    (partial / MANIFEST).chmod(0o600)
    for folder in (partial, *(each for each in partial.rglob("*") if each.is_dir())):
        sync_folder(folder)
    return manifest


def measured(path: Path, folder: Path) -> File:
    """A file as the manifest has it."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            digest.update(data)
            size += len(data)
    return File(path.relative_to(folder).as_posix(), size, digest.hexdigest())


def verify(folder: Path) -> Manifest:
    """Reads every byte of a backup. Raises NotFound or Invalid with what is wrong and what to do."""
    with disk_errors(f"{folder} cannot be read"):
        if not (folder / MANIFEST).is_file():
            raise NotFound(
                f"{folder} is no backup, or one that was cut short: it has no {MANIFEST}, which is written last. "
                "Name the folder audittrail-…Z itself, or use another backup."
            )
        manifest = read_manifest((folder / MANIFEST).read_bytes())
        for file in manifest.files:
            path = folder / file.path
            if not path.is_file():
                raise Invalid(f"{path} is missing: the backup is not whole. Copy it again, or use another.")
            if path.stat().st_size != file.size:
                raise Invalid(
                    f"{path} has {path.stat().st_size:,} bytes and had {file.size:,}: it was cut short or altered. "
                    "Copy the backup again, or use another."
                )
            if measured(path, folder).sha256 != file.sha256:
                raise Invalid(f"{path} was altered after the backup was made. Copy it again, or use another backup.")
    return manifest
