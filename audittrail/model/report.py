"""A report that was asked for: how far it is, and what its file is like."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from audittrail.model.errors import Invalid
from audittrail.model.human import LAST_US

ReportKind = Literal["audit", "period", "trace"]
REPORT_KINDS: tuple[ReportKind, ...] = get_args(ReportKind)
ReportStatus = Literal["queued", "running", "done", "failed"]
REPORT_STATUSES: tuple[ReportStatus, ...] = get_args(ReportStatus)
OPEN: frozenset[ReportStatus] = frozenset({"queued", "running"})
ID = re.compile(r"rep_[0-9a-f]{32}")
MAX_TITLE = 200  # characters
MAX_RANGE_US = 3_660 * 86_400_000_000
# What a program may ask to wait for, in seconds.
MAX_WAIT = 300


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One report. Of a trace: `trace_id`, and the range is the trace's own; else it is "" and about the range."""

    id: str
    kind: ReportKind
    title: str
    trace_id: str = ""
    from_us: int
    to_us: int  # not included
    status: ReportStatus = "queued"
    done: int = 0  # steps of its making so far
    total: int = 0  # of so many; 0 while that is not known
    pages: int = 0
    size: int = 0  # of the PDF, in bytes
    sha256: str = ""  # of the PDF
    error: str = ""  # why it failed, for a person
    requested_us: int
    requested_by: str  # an e-mail address, or pk-at-…
    started_us: int | None = None
    finished_us: int | None = None

    @property
    def open(self) -> bool:
        """Whether it may still come to something."""
        return self.status in OPEN

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100, self.done * 100 // self.total) if self.total else 0


def check_range(from_us: int, to_us: int) -> None:
    """Raises Invalid for a range that no report can be about."""
    if not from_us < to_us:
        raise Invalid("The range ends before it begins: `from` has to be earlier than `to`.")
    if from_us < 0 or to_us > LAST_US:
        raise Invalid("The range has to lie between the years 1970 and 9999.")
    if to_us - from_us > MAX_RANGE_US:
        raise Invalid("The range is longer than ten years; ask for a shorter one.")
