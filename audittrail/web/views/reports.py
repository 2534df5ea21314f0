"""Views of reports: the list with its form, and one report as a page shows it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Any

import msgspec

from audittrail.model import human
from audittrail.model.errors import Invalid
from audittrail.model.human import DAY_US, EPOCH
from audittrail.model.report import MAX_TITLE, Report, ReportKind
from audittrail.report import document as d
from audittrail.report.measured import range_text
from audittrail.web.views.charts import Chart, Shown, drawn
from audittrail.web.views.links import query

RANGES: tuple[tuple[str, str], ...] = (
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("dates", "From and to a day"),
)
_DAYS = {"24h": 1, "7d": 7, "30d": 30}
KINDS: tuple[tuple[ReportKind, str, str], ...] = (
    ("audit", "Audit", "everything: verdicts, approvals, redactions, who did what"),
    ("period", "Period", "a few pages: figures, charts, agents, cost"),
)
KIND_WORDS: dict[ReportKind, str] = {"audit": "Audit", "period": "Period", "trace": "Trace"}
_STYLES: dict[d.Meaning, str] = {
    "plain": "v-plain",
    "ok": "v-accent",
    "running": "v-accent",
    "warning": "v-strong",
    "error": "v-error",
    "blocked": "v-error",
}


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it was sent, or as it is offered."""

    kind: str = "audit"
    range: str = "30d"
    first: str = ""  # days, in UTC: 2026-11-01
    last: str = ""  # included
    title: str = ""
    today_us: int

    def parse(self) -> tuple[ReportKind, int, int]:
        """(kind, from, to). Raises Invalid with what is to be filled in."""
        kind = next((kind for kind, _, _ in KINDS if kind == self.kind), None)
        if kind is None:
            raise Invalid("Choose what kind of report it shall be.")
        if len(self.title) > MAX_TITLE:
            raise Invalid(f"The title is longer than {MAX_TITLE} characters.")
        if self.range in _DAYS:
            return kind, self.today_us - _DAYS[self.range] * DAY_US, self.today_us
        if self.range != "dates":
            raise Invalid("Choose a time.")
        try:
            first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
        except ValueError:
            raise Invalid("Fill in the first and the last day, like 2026-11-01.") from None
        try:
            return kind, _midnight(first), _midnight(last + timedelta(days=1))
        except OverflowError:
            raise Invalid("The range has to lie between the years 1970 and 9999.") from None


def _midnight(day: date) -> int:
    return (day - EPOCH.date()).days * DAY_US


class ReportsView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/reports.html (GET /reports). Blocks: made (the list), more (older rows)."""

    reports: tuple[Report, ...]
    next: str | None
    reviews: bool  # sees and orders audits
    order: Order
    error: str = ""
    trace_id: str = ""

    @property
    def older(self) -> str:
        """The next page; "" at the end."""
        return "/reports" + query(after=self.next, trace=self.trace_id) if self.next else ""

    @property
    def ranges(self) -> tuple[tuple[str, str], ...]:
        """To choose from."""
        return RANGES

    @property
    def kinds(self) -> tuple[tuple[ReportKind, str, str], ...]:
        """To choose from: value, word, what is in it."""
        return tuple(one for one in KINDS if self.reviews or one[0] != "audit")

    def about(self, one: Report) -> str:
        """Its kind and time."""
        return f"{KIND_WORDS[one.kind]} · {range_text(one.from_us, one.to_us) if one.kind != 'trace' else one.trace_id}"


class ReportView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Template: pages/report.html (GET /reports/{id}). Block: report (all but the title)."""

    report: Report
    document: d.Document | None  # as a page shows it; None: it is not made, or its file is gone
    can_delete: bool = False

    @property
    def path(self) -> str:
        """Of this report."""
        return f"/reports/{self.report.id}"

    @property
    def kind(self) -> str:
        """In a word."""
        return KIND_WORDS[self.report.kind]

    @property
    def chapter(self) -> int:
        """The highest level of heading that the document has."""
        blocks = self.document.blocks if self.document else ()
        return min((block.level for block in blocks if isinstance(block, d.Heading)), default=1)

    @cached_property
    def blocks(self) -> tuple[tuple[str, Any], ...]:
        """(which, block) of the document; a chart as it is drawn."""
        if self.document is None:
            return ()
        found = []
        for number, block in enumerate(self.document.blocks):
            which = block.__struct_config__.tag
            found.append((str(which), _drawn(number, block) if isinstance(block, d.Chart) else block))
        return tuple(found)


def _drawn(number: int, chart: d.Chart) -> Chart | None:
    """None where it has no step."""
    if not chart.labels or not chart.lines:
        return None
    shown = [Shown(line.name, _STYLES[line.meaning], line.values) for line in chart.lines]
    stacked = chart.shape == "bars"
    missing = human.NONE if not stacked else "$0" if chart.unit == "dollars" else "0"
    return drawn(
        f"block-{number}", chart.caption, chart.labels, shown, unit=chart.unit, stacked=stacked, missing=missing
    )
