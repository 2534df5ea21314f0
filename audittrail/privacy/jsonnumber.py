"""Numbers inside JSON text, which need quotes once they are a placeholder."""

from __future__ import annotations

import re

from audittrail.privacy.finding import KEY
from audittrail.privacy.quoting import depth, start_of_run

_NUMBER = re.compile(rb"-?\d{1,64}(?:\.\d{1,64})?(?:[eE][+-]?\d{1,8})?")
_AFTER = re.compile(rb"[,}\]\s]|\\+[nrt]|\Z")  # not a quote: that ends a text of digits
_WHITE_BACKWARDS = re.compile(rb"(?:\s|[nrt]\\+)*")
_DOCUMENT = re.compile(rb"(?:\s|\\+[nrt])*[\[{]")
_NEAR = 128
# Each costs 0.8 µs here. In a text with more of them a number may end up without its quotes.
_MOST = 50_000


class Strings:
    """Which strings of JSON, and of JSON within them, are open at a position of a text. Positions must not go back."""

    def __init__(self, part: bytes) -> None:
        self._part, self._at = part, part.find(KEY) + 1
        self._document = self._at
        self._open: list[int] = []  # where each begins, outermost first
        self._left = _MOST

    def quotes(self, start: int, end: int) -> bytes:
        """What a placeholder at [start, end) must stand between: nothing, or quotes of its depth, `"` or `\\"` …"""
        part = self._part
        if not _NUMBER.fullmatch(part, start, end) or not _AFTER.match(part, end):
            return b""
        near = _stripped(part[max(self._document, start - _NEAR) : start])
        sign, near = near[-1:], _stripped(near[:-1])
        if sign not in (b",", b"[") and (sign != b":" or near[-1:] != b'"'):
            return b""
        self._read(start)
        if self._left <= 0:
            return b""
        level = len(self._open)
        if sign == b":":  # not ":4711", where the quote begins a text
            meant = depth(len(near) - 1 - start_of_run(near, 0, len(near) - 1)) == level
        else:  # not "of 2, 4711 …", but JSON that begins with its string
            begin = self._open[-1] if level else self._document
            meant = bool(_DOCUMENT.match(part, begin, begin + _NEAR))
        return b"\\" * (2**level - 1) + b'"' if meant else b""

    def _read(self, until: int) -> None:
        opened, at = self._open, self._at - 1
        while self._left > 0:
            at = self._part.find(b'"', at + 1, until)
            if at < 0:
                break
            self._left -= 1
            level = depth(at - start_of_run(self._part, self._document, at))
            if level < len(opened):
                del opened[level:]
            else:  # a text that begins inside of strings has quotes deeper than we have seen opened
                opened += [at + 1] * (level + 1 - len(opened))
        self._at = until


def _stripped(near: bytes) -> bytes:
    """Without white space at its end, that of JSON which is indented inside a string too."""
    skipped = _WHITE_BACKWARDS.match(near[::-1])
    return near[: len(near) - skipped.end()] if skipped else near
