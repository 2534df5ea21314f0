"""A report's files: drawn by a process of its own, kept in a folder under the report's id, and nothing else there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from audittrail.jobs.whole import whole
from audittrail.model.errors import AuditTrailError, Invalid
from audittrail.model.report import ID
from audittrail.report.document import Document
from audittrail.report.preview import preview

MAX_SECONDS = 900
# The child imports what this process imports, from the same places; it steps back for whoever serves people, and it
# ends when its input does: with this process, however that ends.
_START = (
    "import os, runpy, sys, threading; os.nice(19); sys.path[:] = {path!r}; "
    "threading.Thread(target=lambda: (os.read(0, 1), os._exit(3)), daemon=True).start(); "
    "runpy.run_module('audittrail.report.pdf', run_name='__main__', alter_sys=True)"
)
FULL = "The disk is full: there was no room for the report. Make room in the data folder, and make the report again."


class DrawingFailed(AuditTrailError):
    """Says why, for a person."""


class Drawn(msgspec.Struct, frozen=True):
    """What the PDF is like."""

    pages: int
    size: int
    sha256: str


class ReportFiles:
    """Of a folder, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pdf(self, id_: str) -> Path:
        """Where the PDF is, or will be. Raises Invalid for what is no report's id."""
        return self._file(id_, "pdf")

    def document(self, id_: str) -> Path:
        """Where that is from which a page shows the report."""
        return self._file(id_, "json")

    def _file(self, id_: str, kind: str) -> Path:
        if not ID.fullmatch(id_):
            raise Invalid("That is no report's id.")
        return self._folder / f"{id_}.{kind}"

    def read(self, id_: str) -> Document | None:
        """The report as a page shows it; None where its file is not there."""
        try:
            return msgspec.json.decode(self.document(id_).read_bytes(), type=Document)
        except (OSError, msgspec.DecodeError):
            return None

    def remove(self, id_: str) -> None:
        """All files of a report, also those that were not finished."""
        if not ID.fullmatch(id_):
            return
        for path in self._folder.glob(f"{id_}.*"):
            path.unlink(missing_ok=True)

    async def draw(self, id_: str, document: Document, progress: Callable[[int, int], None]) -> Drawn:
        """Makes both files. Raises DrawingFailed; leaves nothing that is not finished."""
        part = self._file(id_, secrets.token_hex(8))
        asked, made = part.with_suffix(part.suffix + ".in"), part.with_suffix(part.suffix + ".out")
        try:
            await whole(asyncio.to_thread(self._write, asked, document))
            pages = await _run(asked, made, progress)
            return await whole(asyncio.to_thread(self._keep, id_, document, made, asked, pages))
        except OSError as error:
            raise DrawingFailed(_disk(error)) from error
        finally:
            for path in (asked, made):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def _write(self, path: Path, document: Document) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(msgspec.json.encode(document))

    def _keep(self, id_: str, document: Document, made: Path, asked: Path, pages: int) -> Drawn:
        made.chmod(0o600)
        digest = hashlib.sha256()
        with made.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            os.fsync(file.fileno())  # what is said to be done shall be there after a power cut
            size = file.tell()
        asked.unlink()
        self._write(asked, preview(document))
        asked.replace(self.document(id_))
        made.replace(self.pdf(id_))
        return Drawn(pages, size, digest.hexdigest())


def _disk(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    return f"The report could not be written to the data folder: {error.strerror or 'it is not writable'}."


async def _run(asked: Path, made: Path, progress: Callable[[int, int], None]) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _START.format(path=sys.path),
        str(asked),
        str(made),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(MAX_SECONDS):
            pages, complaint = await asyncio.gather(_listen(process, progress), _tail(process))
            status = await process.wait()
    except TimeoutError:
        raise DrawingFailed(
            f"The drawing took longer than {MAX_SECONDS // 60} minutes; ask for a shorter time."
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if status or not pages:
        # Its complaint may quote what is in the report: only what kind of error it was is looked at.
        if f"Errno {errno.ENOSPC}]" in complaint or f"Errno {errno.EDQUOT}]" in complaint:
            raise DrawingFailed(FULL)
        kind = complaint.strip().rpartition("\n")[2].partition(":")[0].strip()
        named = f" ({kind})" if kind.isidentifier() else ""
        raise DrawingFailed(f"The process that draws the PDF ended with status {status}{named}. Make the report again.")
    return pages


async def _listen(process: asyncio.subprocess.Process, progress: Callable[[int, int], None]) -> int:
    pages = 0
    async for line in cast(asyncio.StreamReader, process.stdout):
        said = json.loads(line)
        pages = said.get("pages", pages)
        if "total" in said:
            progress(said["done"], said["total"])
    return pages


async def _tail(process: asyncio.subprocess.Process) -> str:
    kept = b""
    while chunk := await cast(asyncio.StreamReader, process.stderr).read(65_536):
        kept = (kept + chunk)[-65_536:]
    return kept.decode(errors="replace")
