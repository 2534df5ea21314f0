"""One piece of a text that must not be kept, and the text as detectors see it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from audittrail.privacy.pattern import Match, Pattern

# A candidate costs 5 to 20 µs, in Python. With more than this many in a megabyte the text is a list of addresses or an
# attack, and is withheld.
MAX_CANDIDATES = 5_000
_DEAR = 512  # bytes cost another candidate

# google-re2 gives the interpreter's lock up for each match and has it back before another thread is awake, which then
# waits anew, without end: an event loop stood still for 79 ms (24 November 2026). A real pause lets it go on.
_TURN, _PAUSE = 200, 50e-6

# Between two strings of a record, and between a key and its value.
BARRIER = b"\0"
KEY = b"\x1d"


class Find(NamedTuple):
    """Bytes [start, end) of a text, what they are, and the value that makes two finds the same."""

    start: int
    end: int
    type: str
    value: bytes


class TooMany(Exception):
    """More candidates than one record is worth."""


class Text:
    """UTF-8 bytes to look through. `raw` is what was sent; in `view` its escapes are read as what they mean."""

    __slots__ = ("_since", "left", "raw", "view")

    def __init__(self, view: bytes, raw: bytes, candidates: int = MAX_CANDIDATES) -> None:
        self.view, self.raw, self.left, self._since = view, raw, candidates, 0

    def each(self, pattern: Pattern, data: bytes) -> Iterator[Match]:
        """The pattern's matches, each paid for. Raises TooMany."""
        for match in pattern.finditer(data):
            self.pay()
            yield match

    def pay(self, length: int = 0) -> None:
        """Count one candidate, of which so many bytes are to be read. Raises TooMany."""
        self.left -= 1 + length // _DEAR
        if self.left < 0:
            raise TooMany
        self._since += 1
        if self._since == _TURN:
            self._since = 0
            time.sleep(_PAUSE)

    def before(self, position: int, length: int) -> bytes:
        """At most `length` bytes before the position, of the same string or of its key; in lower case."""
        return self.view[max(0, position - length) : position].rpartition(BARRIER)[2].lower()


def resolve(finds: list[Find]) -> list[Find]:
    """The finds in order and apart. Where some overlap, all their bytes go, named by the one that covers most."""
    if len(finds) < 2:
        return finds
    finds.sort(key=lambda f: (f.start, -f.end))
    apart = [finds[0]]
    for find in finds[1:]:
        last = apart[-1]
        if find.start >= last.end:
            apart.append(find)
        elif find.end > last.end:
            wider = last if last.end - last.start >= find.end - find.start else find
            apart[-1] = wider._replace(start=last.start, end=find.end)
        elif (find.start, find.end) == (last.start, last.end) and SPECIFIC[find.type] > SPECIFIC[last.type]:
            apart[-1] = find
    return apart


# Which name is kept where two detectors found the very same bytes: the one that says more.
SPECIFIC = {
    "PASSWORD": 1,
    "BIRTHDATE": 2,
    "PHONE": 3,
    "IP": 4,
    "SECRET": 5,
    "SSN": 6,
    "CARD": 7,
    "IBAN": 8,
    "EMAIL": 9,
    "JWT": 10,
    "PRIVATE_KEY": 11,
}
TYPES = tuple(SPECIFIC)
