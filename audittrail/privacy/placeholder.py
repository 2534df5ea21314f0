"""What stands where something was taken out: its type, and a mark that is equal for equal values."""

from __future__ import annotations

import hmac

from audittrail.privacy.pattern import linear

WITHHELD = "WITHHELD"

# 32 bits: with four hexadecimal digits, two of 300 addresses would already share a mark more often than not.
DIGITS = 8

_PLACEHOLDER = linear(rb"<[A-Z_]{2,16}:(?:[0-9a-f]{8}|\d{1,12} bytes)>")
MASK = b"\x01"  # in no detector's alphabet, and no letter: a placeholder ends a word and is part of nothing


def placeholder(key: bytes, kind: str, value: bytes) -> bytes:
    """`<EMAIL:9f2c81d0>`. Without the key nobody can try which address it stands for."""
    mark = hmac.digest(key, kind.encode() + BETWEEN + value, "sha256").hex()[:DIGITS]
    return f"<{kind}:{mark}>".encode()


BETWEEN = b"\0"


def withheld(size: int) -> str:
    """What is shown of a text that could not be looked through."""
    return f"<{WITHHELD}:{size} bytes>"


def masked(data: bytes) -> bytes:
    """The text with its placeholders blanked, byte for byte, so that nothing is found inside one."""
    if b":" not in data or b"<" not in data:
        return data
    pieces: list[bytes] = []
    last = 0
    for match in _PLACEHOLDER.finditer(data):
        start, end = match.span()
        pieces += (data[last:start], MASK * (end - start))
        last = end
    return b"".join((*pieces, data[last:])) if pieces else data
