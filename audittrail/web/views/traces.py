"""View of the list of traces."""

from __future__ import annotations

from audittrail.model.filters import Page, TraceFilter
from audittrail.model.span import KINDS, STATUSES
from audittrail.model.summary import TraceRow
from audittrail.web.views.links import query
from audittrail.web.views.listing import ListView


def took_us(row: TraceRow, now_us: int) -> int:
    """How long a trace took, or has taken so far while its root has no end."""
    return max(0, (now_us if row.ended_us is None else row.ended_us) - row.started_us)


class TracesView(ListView, frozen=True, kw_only=True):
    """Traces. Template: pages/traces.html (GET /traces). Blocks: results (filters, list), more (older rows)."""

    PATH = "/traces"
    NAMED = tuple(name for name in TraceFilter.NAMES if name != "range")

    want: TraceFilter
    found: Page[TraceRow]
    agents: tuple[str, ...] = ()  # suggestions
    empty_project: bool = False  # nothing was ever received: shows how to send
    base_url: str = ""

    def took_us(self, row: TraceRow, now_us: int) -> int:
        """Of one of the traces."""
        return took_us(row, now_us)

    def export(self, level: str, form: str, project: str) -> str:
        """What the filters show, all of it, as a file."""
        params = {"q": self.text} | {name: getattr(self.want, name) for name in ("range", *self.NAMED)}
        return "/api/v1/traces/export" + query(**params, level=level, format=form, project=project)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The filters that the form has no field of its own for."""
        return tuple(name for name in TraceFilter.NAMES if name not in ("status", "agent") and getattr(self.want, name))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of steps."""
        return KINDS

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses to choose from."""
        return STATUSES
