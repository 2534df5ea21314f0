"""View of the overview: the numbers of a range, their series, breakdowns, and what came last."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from audittrail.model import human
from audittrail.model.analytics import Bucket, By, Group, Summary
from audittrail.model.approval import ApprovalRequest
from audittrail.model.filters import RANGES
from audittrail.model.summary import TraceRow
from audittrail.model.usage import Sums, quantile
from audittrail.model.violation import Violation
from audittrail.report.series import Spark, share_width, spark
from audittrail.web.views.charts import Chart, cost_chart, latency_chart, tokens_chart, traces_chart
from audittrail.web.views.links import query
from audittrail.web.views.listing import RANGE_WORDS, Chip
from audittrail.web.views.traces import took_us

GROUPS = 8  # of each breakdown
LATEST = 6  # traces and verdicts


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One of the numbers, with the list that it counts."""

    id: str
    title: str
    text: str
    exact: str
    href: str
    note: str = ""  # in words, beside it
    change: str = ""  # against as long a time before: `+12 %`
    was: str = ""  # then, in words
    spark: Spark | None = None
    style: str = ""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A breakdown."""

    by: By
    title: str
    counts: str  # what the first number counts
    groups: tuple[Group, ...]
    more: bool  # there are others, used less

    def width(self, one: Group) -> float:
        """Of the bar beside the count, in percent."""
        return share_width(one.calls, max(group.calls for group in self.groups))


def change_text(now: float | Decimal | None, then: float | Decimal | None) -> str:
    """`+12 %`; empty where there is nothing to compare with."""
    if now is None or not then:
        return ""
    share = (float(now) - float(then)) / float(then)
    if abs(share) < 0.005:
        return "±0 %"
    return f"{share * 100:+.0f} %".replace("-", "−") if abs(share) < 9.995 else f"×{float(now) / float(then):,.0f}"


class OverviewView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Template: pages/overview.html (GET /). Blocks: overview (all of it), and in it numbers, charts, breakdowns,
    latest."""

    range: str
    now_us: int
    base_url: str = ""
    error: str = ""
    empty_project: bool = False
    summary: Summary | None = None  # None: an error, or an empty project
    before: Sums = msgspec.field(default_factory=Sums)
    violations_before: int = 0
    series: tuple[Bucket, ...] = ()
    groups: dict[By, tuple[Group, ...]] = {}  # one more than are shown, where there are more
    traces: tuple[TraceRow, ...] = ()
    verdicts: tuple[Violation, ...] = ()
    waiting: tuple[ApprovalRequest, ...] = ()

    @property
    def ranges(self) -> tuple[Chip, ...]:
        """The time ranges to choose from."""
        return tuple(Chip(r, r, "/" + query(range=r)) for r in RANGES)

    @property
    def range_words(self) -> str:
        """`the last 24 hours`."""
        return RANGE_WORDS[self.range]

    def list_url(self, **filters: object) -> str:
        """Traces of the range, with these filters."""
        return "/traces" + query(**filters, range=self.range)

    def took_us(self, row: TraceRow, now_us: int) -> int:
        """Of one of the traces."""
        return took_us(row, now_us)

    def left_us(self, request: ApprovalRequest) -> int:
        """Until it expires."""
        return max(0, request.expires_us - self.now_us)

    def rate(self, rate: float | None) -> str:
        """In percent."""
        return human.rate(rate)

    def _spark(self, value: Callable[[Bucket], Any]) -> Spark:
        values = [value(one) for one in self.series]
        return spark([None if v is None else float(v) for v in values])

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """In the order of how much they matter."""
        now, then = self.summary, self.before
        if now is None:
            return ()
        tokens, tokens_then = _both(now.input_tokens, now.output_tokens), _both(*then.tokens)
        p95_then = quantile(then.bins, 0.95)
        rate_then = then.errors / then.timed if then.timed else None
        return (
            Number(
                id="traces",
                title="Traces",
                text=human.count(now.traces),
                exact=human.plural(now.traces, "trace"),
                href=self.list_url(),
                change=change_text(now.traces, then.count),
                was=human.plural(then.count, "trace"),
                spark=self._spark(lambda one: one.traces),
            ),
            Number(
                id="errors",
                title="Errors",
                text=human.count(now.errors),
                exact=f"{human.plural(now.errors, 'trace')} of {human.exact(now.ended)} that have settled",
                href=self.list_url(status="error"),
                note=human.rate(now.error_rate) if now.ended else "",
                change=change_text(now.error_rate, rate_then),
                was=f"{human.rate(rate_then)} of the traces",
                spark=self._spark(lambda one: one.errors),
                style="bad" if now.errors else "",
            ),
            Number(
                id="latency",
                title="Latency, p95",
                text=human.duration(now.p95_us),
                exact=human.duration_exact(now.p95_us) + ", to 3 %",
                href=self.list_url(),
                note=f"average {human.duration(now.average_us)}" if now.ended else "",
                change=change_text(now.p95_us, p95_then),
                was=f"p95 of {human.duration(p95_then)}, average {human.duration(then.average_us)}",
                spark=self._spark(lambda one: one.p95_us),
            ),
            Number(
                id="tokens",
                title="Tokens",
                text=human.count(tokens),
                exact=f"{human.exact(now.input_tokens)} in, {human.exact(now.output_tokens)} out",
                href=self.list_url(),
                note=f"{human.count(now.input_tokens)} in, {human.count(now.output_tokens)} out" if tokens else "",
                change=change_text(tokens, tokens_then),
                was=human.count(tokens_then),
                spark=self._spark(lambda one: _both(one.input_tokens, one.output_tokens) or 0),
            ),
            Number(
                id="cost",
                title="Cost",
                text=human.money(now.cost),
                exact=human.money_exact(now.cost),
                href=self.list_url(),
                note=f"{human.count(now.unpriced_calls)} unpriced" if now.unpriced_calls else "",
                change=change_text(now.cost, then.spent),
                was=human.money(then.spent),
                spark=self._spark(lambda one: one.cost or 0),
            ),
            Number(
                id="violations",
                title="Violations",
                text=human.count(now.violations),
                exact=human.plural(now.violations, "violation"),
                href="/violations" + query(outcome="violation", range=self.range),
                change=change_text(now.violations, self.violations_before),
                was=human.plural(self.violations_before, "violation"),
                spark=self._spark(lambda one: one.violations),
                style="bad" if now.violations else "",
            ),
            Number(
                id="approvals",
                title="Waiting for approval",
                text=str(now.pending_approvals) if now.pending_approvals < 100 else "99+",
                exact="now, whenever they were asked for",
                href="/approvals",
            ),
        )

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """Of the series."""
        made = (traces_chart, latency_chart, tokens_chart, cost_chart)
        return tuple(chart(self.series) for chart in made) if self.series else ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The breakdowns."""
        titles: tuple[tuple[By, str, str], ...] = (
            ("agent", "Agents", "Traces"),
            ("model", "Models", "Calls"),
            ("tool", "Tools", "Calls"),
        )
        found = []
        for by, title, counts in titles:
            groups = self.groups.get(by, ())
            found.append(Table(by=by, title=title, counts=counts, groups=groups[:GROUPS], more=len(groups) > GROUPS))
        return tuple(found)


def _both(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
