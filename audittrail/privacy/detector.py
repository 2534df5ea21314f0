"""What a detector is: the patterns that make it worth running, and the exact search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from audittrail.privacy.finding import Find, Text


class Detector(NamedTuple):
    """`doors` are hyperscan patterns, of any case unless `cased`: where none matches, `search` finds nothing."""

    name: str
    doors: tuple[bytes, ...]
    search: Callable[[Text], Iterator[Find]]
    cased: bool = False
    sent: bool = False  # searches what was sent; else the view, in which escapes are read
