"""Regular expressions that take time in proportion to the text, whatever is in it. The only door to google-re2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]


class Match(Protocol):
    """What `re.Match` and google-re2's have in common, as far as we need it."""

    def __getitem__(self, group: int, /) -> bytes: ...

    def start(self, group: int = 0, /) -> int:
        """Where the group begins, -1 where it took no part."""
        ...

    def end(self, group: int = 0, /) -> int:
        """Where the group ends."""
        ...

    def span(self, group: int = 0, /) -> tuple[int, int]:
        """Both."""
        ...


class Pattern(Protocol):
    """A compiled expression."""

    def finditer(self, text: bytes, /) -> Iterator[Match]:
        """All matches from left to right, apart from each other."""
        ...

    def match(self, text: bytes, pos: int, endpos: int, /) -> Match | None:
        """The match that begins at `pos`."""
        ...


def linear(pattern: bytes) -> Pattern:
    """The expression in RE2's syntax: no look-around, no back-references, and so no backtracking."""
    return cast(Pattern, re2.compile(pattern))
