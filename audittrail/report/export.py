"""Traces and spans as lines of a file, NDJSON or CSV, closed by a manifest: a file without one was cut."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from audittrail.model.human import iso
from audittrail.model.span import Span, SpanError, Tokens, Tool
from audittrail.model.summary import TraceRow

Format = Literal["ndjson", "csv"]
Level = Literal["traces", "spans"]
FORMATS: tuple[Format, ...] = get_args(Format)
LEVELS: tuple[Level, ...] = get_args(Level)
MEDIA_TYPES: dict[Format, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present"}

# A spreadsheet takes such a cell for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_encode = msgspec.json.Encoder().encode

_TRACE = TraceRow.__struct_fields__
# A span's columns: (name, field, field of that field).
_SPAN: list[tuple[str, str, str]] = [
    column
    for field in Span.__struct_fields__
    for column in {
        "tokens": [(f"{part}_tokens", field, part) for part in Tokens.__struct_fields__],
        "tool": [(f"tool_{part}", field, part) for part in Tool.__struct_fields__],
        "error": [(f"error_{part}", field, part) for part in SpanError.__struct_fields__],
    }.get(field, [(field, field, "")])
]
_LEADING = ("type", "project", "started", "ended")
COLUMNS: dict[Level, tuple[str, ...]] = {
    "traces": (*_LEADING, *_TRACE),
    "spans": (*_LEADING, *(name for name, *_ in _SPAN)),
}


def cell(value: Any) -> str:
    """A value as a cell holds it: text that no spreadsheet computes, numbers as numbers, all else as JSON text."""
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        text = _encode(value).decode()
    else:
        return str(value)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = "'" + text
    return text.replace("\0", r"\u0000") if "\0" in text else text


def row(cells: Sequence[Any]) -> bytes:
    """A line of RFC 4180."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(value) for value in cells])
    # A lone surrogate is no character: its escape is written in its place, as in a record.
    return out.getvalue().encode("utf-8", "backslashreplace")


def _value(span: Span, field: str, part: str) -> Any:
    found = getattr(span, field)
    return getattr(found, part) if part and found is not None else found


class Export:
    """The parts of one file, in the order they are written: `opening`, then traces or spans, then `closing`.

    It counts what it has made and hashes it, so each part is made once.
    """

    def __init__(self, form: Format, level: Level, project: str) -> None:
        self.traces = self.spans = 0
        self._csv, self._level, self._project = form == "csv", level, project
        self._head = b'{"project":' + _encode(project)
        self._hash = hashlib.sha256()
        self._trace = ""  # of the latest span

    def opening(self) -> bytes:
        """What stands before the first line; of CSV the names of the columns.

        With a byte order mark: without it Excel reads UTF-8 as the code page of the machine, and other readers of CSV
        know it.
        """
        return self._kept(b"\xef\xbb\xbf" + row(COLUMNS[self._level]) if self._csv else b"")

    def trace(self, trace: TraceRow) -> bytes:
        """A line of a trace."""
        self.traces += 1
        values = (getattr(trace, name) for name in _TRACE) if self._csv else ()
        return self._line("trace", trace, trace.started_us, trace.ended_us, values)

    def span(self, span: Span) -> bytes:
        """A line of a span. The spans of a trace come one after the other."""
        self.spans += 1
        self.traces += span.trace_id != self._trace
        self._trace = span.trace_id
        values = (_value(span, field, part) for _, field, part in _SPAN) if self._csv else ()
        return self._line("span", span, span.started_us, span.ended_us, values)

    def _line(self, kind: str, what: Any, started_us: int, ended_us: int | None, values: Any) -> bytes:
        started, ended = iso(started_us), None if ended_us is None else iso(ended_us)
        if self._csv:
            return self._kept(row((kind, self._project, started, ended, *values)))
        times = b',"started":' + _encode(started) + b',"ended":' + _encode(ended) + b","
        return self._kept(self._head + times + _encode(what)[1:] + b"\n")

    def closing(self) -> bytes:
        """The last line, which says that nothing is missing. Written only where that is so."""
        counts = {"traces": self.traces, "spans": self.spans, "sha256": self._hash.hexdigest(), "complete": True}
        text = _encode({"manifest": counts})
        if not self._csv:
            return text + b"\n"
        return row(("manifest", text.decode(), *[""] * (len(COLUMNS[self._level]) - 2)))

    def _kept(self, part: bytes) -> bytes:
        self._hash.update(part)
        return part
