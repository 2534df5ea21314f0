"""How records lie on disk: compressed, since they are only ever read whole. The only door to zstandard."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import zstandard

# Level 1 takes 12 microseconds for a record of 5.6 KB and leaves 0.41 of it; level 3 takes 20 and leaves 0.40
# (measured 2026-11-24 on generated traces). What is not written need not be synced either.
LEVEL = 1
# No record unpacks to more than a request may hold; a damaged size field shall not ask for all memory.
MAX_RECORD = 1 << 30
CHUNK = 1 << 17  # of a file, read at once

_local = threading.local()  # neither compressor may be used by two threads at once


def pack(records: Iterable[bytes]) -> list[bytes]:
    """Each record compressed, with its size and a checksum in its frame (RFC 8878). Releases the GIL."""
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    return [_local.compressor.compress(record) for record in records]


def unpack(packed: bytes) -> bytes:
    """The exact bytes that were packed. Raises ValueError when they are damaged."""
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    try:
        if zstandard.frame_content_size(packed) > MAX_RECORD:
            raise ValueError("A stored record says it is larger than any record can be: it was damaged.")
        return bytes(_local.decompressor.decompress(packed))
    except zstandard.ZstdError:
        raise ValueError("A stored record cannot be unpacked: it was damaged.") from None


class PackedFile:
    """A new file that is compressed while it is written; `raw` counts what went in."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
        self.raw = 0

    def write(self, data: bytes) -> None:
        """Adds to it."""
        self._file.write(self._compressor.compress(data))
        self.raw += len(data)

    def sync(self) -> None:
        """What was written so far is on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """The file is whole and on disk."""
        self._file.write(self._compressor.flush())
        self.sync()
        self._file.close()

    def drop(self) -> None:
        """Closes it as it is. May be called after `close`."""
        self._file.close()


def read_packed(path: Path) -> Iterator[bytes]:
    """What a PackedFile was given, in pieces. Raises ValueError when it is damaged."""
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    try:
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                if piece := decompressor.decompress(data):
                    yield piece
    except zstandard.ZstdError:
        raise ValueError(f"{path.name} cannot be unpacked: it was damaged.") from None
    if not decompressor.eof:
        raise ValueError(f"{path.name} cannot be unpacked: its end is missing.")
