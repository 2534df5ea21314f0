"""The data folder: the space that is left for it, and who else can read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from audittrail.model.errors import ConfigurationError

_LOW_BYTES = 1 << 30
_LOW_SHARE = 20  # a twentieth


class Space(msgspec.Struct, frozen=True):
    """Of a file system, in bytes."""

    free: int  # for this user
    total: int

    @property
    def low(self) -> bool:
        """Below 1 GiB, or below 5 % where that is less."""
        return self.free < min(_LOW_BYTES, self.total // _LOW_SHARE)


def space(folder: Path) -> Space | None:
    """Of the file system that the folder is on; None: it cannot be asked."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def check_privacy(folder: Path) -> list[str]:
    """What somebody should close, in sentences. Raises ConfigurationError where everybody can read the secret key.

    A group may be let in on purpose (Kubernetes does so); it is told all the same.
    """
    mode = _mode(folder)
    if not mode & 0o077:
        return []  # nobody else gets in, whatever the files in it say
    key = folder / "secret.key"
    if mode & 0o001 and _mode(key) & 0o004:
        raise ConfigurationError(
            f"Everybody on this machine can read {key}, with which sessions and keys can be forged. Close it with "
            f"`chmod 600 {key}`, and if others may have seen it, delete it: AuditTrail makes a new one, "
            "people sign in again, and agents need new keys."
        )
    found = [f"Others can look into the data folder {folder}; close it with `chmod 700 {folder}`."]
    names = [path.name for path in sorted(folder.glob("*")) if path.is_file() and _mode(path) & 0o044]
    if names:
        found.append(f"Others can read {', '.join(names)} in it; close them with `chmod 600`.")
    return found


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
