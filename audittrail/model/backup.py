"""What a backup says of itself: its name, and the manifest that is written when everything else is there."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Literal

import msgspec

from audittrail.model.errors import Invalid

Kind = Literal["sqlite", "postgresql"]

FORMAT = 1  # of the manifest and of the folder; a later one is refused
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
SECRET_KEY = "secret.key"  # noqa: S105 - a file's name
_NAME = re.compile(r"audittrail-[0-9]{8}T[0-9]{6}Z")
_PART = re.compile(r"[^/\\\x00]+")


def backup_name(at_us: int) -> str:
    """The folder's name; in the order of time."""
    return time.strftime("audittrail-%Y%m%dT%H%M%SZ", time.gmtime(at_us // 1_000_000))


def is_backup_name(name: str) -> bool:
    """Whether a folder of this name may be one of ours."""
    return _NAME.fullmatch(name) is not None


class File(msgspec.Struct, frozen=True):
    """One file of a backup, as it lies there."""

    path: str  # in the backup's folder, with slashes
    size: int
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """One table. Where tables are files of their own, these are in an order in which rows find those they refer to."""

    name: str
    rows: int
    columns: tuple[str, ...] = ()
    path: str = ""  # "": it is in the one file of the whole database


class Sequence(msgspec.Struct, frozen=True):
    """Where a counter of ids stands, so that no id is given twice."""

    name: str
    last: int
    called: bool


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a backup, from what, made when and by which version."""

    format: int = FORMAT
    name: str
    made_us: int  # the moment whose state it holds
    made: str  # the same, for people
    version: str  # of AuditTrail
    database: Kind
    schema: str
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...] = ()
    secret_key: Literal["included", "environment"]
    raw: int  # bytes of the database once it is unpacked
    key_check: str  # keyed with the secret key: tells another key, and nothing of this one
    files: tuple[File, ...]
    seal: str = ""  # SHA-256 of all the rest

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def _seal(manifest: Manifest) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(manifest, seal=""))).hexdigest()


def write_manifest(manifest: Manifest) -> bytes:
    """As it is kept, sealed."""
    sealed = msgspec.structs.replace(manifest, seal=_seal(manifest))
    return msgspec.json.format(msgspec.json.encode(sealed), indent=2) + b"\n"


def read_manifest(data: bytes) -> Manifest:
    """Raises Invalid when it is of a later format or not what `write_manifest` wrote."""
    try:
        if msgspec.json.decode(data, type=_Format).format > FORMAT:
            raise Invalid(
                f"{MANIFEST} has a format that this program does not know: a newer AuditTrail made the backup. "
                "Use that version or a later one."
            )
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise Invalid(f"{MANIFEST} is damaged: it is not what AuditTrail wrote. Use another backup.") from None
    listed = {file.path for file in manifest.files}
    inside = all(map(_inside, listed)) and all(table.path in listed for table in manifest.tables if table.path)
    if manifest.seal != _seal(manifest) or not inside:
        raise Invalid(f"{MANIFEST} was altered after the backup was made. Use another backup.")
    return manifest


class _Format(msgspec.Struct):
    format: int


def _inside(path: str) -> bool:
    """Whether a path cannot lead out of the folder."""
    return all(_PART.fullmatch(part) and part not in (".", "..") for part in path.split("/"))
