"""A text as a reader of its JSON sees it, and the way back to the bytes that were sent."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from audittrail.privacy.finding import TooMany

# Each escape costs 0.8 µs here.
MAX_ESCAPES = 75_000

# Only from where a run of backslashes begins, and without giving any back: else a run without its `u` is quadratic.
_UNICODE = re.compile(rb"(?<!\\)\\++u([0-9a-fA-F]{4})")
# However often a text was encoded into another, a run of backslashes and its letter is one character.
_WHITE = re.compile(rb"\\[nrtbf]")
# The expression takes 5 µs for 5 KB with 50 of them, and `replace` five times 54; but for 1 MB of nothing else 65 ms in
# one go, during which no other thread runs, and `replace` 3.
_FEW = 20_000
_LETTERS = (b"n", b"r", b"t", b"b", b"f")
# Between two windows another thread may run.
_WINDOW = 1 << 18

Back = Callable[[int, bool], int]


def read(data: bytes) -> tuple[bytes, Back | None]:
    """The text with escapes read, and what turns a position in it back; None where positions are the same.

    White space, quotes and slashes keep their length, since they are frequent; `\\u0040` becomes `@`. Raises TooMany.
    """
    if b"\\" not in data:
        return data, None
    back = None
    if b"\\u" in data:
        data, back = _without_unicode(data)
    if len(data) <= _WINDOW:
        return _spaced(data), back
    pieces = []
    for at in range(0, len(data), _WINDOW):
        piece = _spaced(data[at : at + _WINDOW])
        cut = at and data[at - 1 : at] == b"\\" and data[at : at + 1] in _LETTERS
        pieces.append(b" " + piece[1:] if cut else piece)
    return b"".join(pieces), back


def _spaced(data: bytes) -> bytes:
    if data.count(b"\\") < _FEW:
        data = _WHITE.sub(b"  ", data)
    else:
        for letter in _LETTERS:
            data = data.replace(b"\\" + letter, b"  ")
    return data.replace(b"\\", b" ")


def _without_unicode(data: bytes) -> tuple[bytes, Back | None]:
    if data.count(b"\\u") > MAX_ESCAPES:
        raise TooMany
    pieces: list[bytes] = []
    spans: list[tuple[int, int]] = []  # of each escape, in what was sent
    ends = [0]  # of its character in the view, and what was sent ends there after it
    last = at = 0
    for match in _UNICODE.finditer(data):
        start, end = span = match.span()
        digits = match[1]
        character = _known.get(digits) or _character(digits)
        pieces.append(data[last:start])
        pieces.append(character)
        at += start - last + len(character)
        ends.append(at)
        spans.append(span)
        last = end
    if not spans:
        return data, None
    pieces.append(data[last:])

    def back(position: int, is_end: bool) -> int:
        index = bisect_right(ends, position) - 1
        sent = (spans[index - 1][1] if index else 0) + position - ends[index]
        # Inside an escape: all of it, or what is left would be no JSON.
        return min(sent, spans[index][0]) if index < len(spans) and not is_end else _whole(sent, index, spans)

    return b"".join(pieces), back


def _whole(sent: int, index: int, spans: list[tuple[int, int]]) -> int:
    return spans[index][1] if index < len(spans) and sent > spans[index][0] else sent


_known: dict[bytes, bytes] = {}


def _character(digits: bytes) -> bytes:
    code = int(digits, 16)
    # Half a pair, a NUL or an escaped escape is a break in the text, as white space is.
    broken = 0xD800 <= code <= 0xDFFF or code < 0x20 or code in (0x22, 0x5C)
    found = b" " if broken else chr(code).encode()
    if len(_known) < 8192:
        _known[digits] = found
    return found
