"""What is wrong with a rule file, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec


class RuleError(msgspec.Struct, frozen=True, gc=False):
    """One mistake in a rule file, as a person repairs it. Lines and columns count from 1; 0 is the whole file."""

    file: str
    line: int
    column: int
    message: str
    rule: str = ""

    @property
    def place(self) -> str:
        """File, line and column."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f'{self.place}  rule "{self.rule}": {self.message}' if self.rule else f"{self.place}  {self.message}"


class Fault(Exception):
    """Stops the reading of a file at once."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message = line, column, message


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where something known is near, else nothing."""
    found = difflib.get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f'; did you mean "{found[0]}"?' if found else ""


def quoted(text: str, limit: int = 60) -> str:
    """The text on one line, for a message."""
    short = " ".join(text[: limit * 4].split())
    return short if len(short) <= limit else short[: limit - 1] + "…"
