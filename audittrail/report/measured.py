"""The numbers of a range as blocks: figures, series, and what agents, models and tools have part in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audittrail.model import human
from audittrail.model.analytics import Bucket, By, Group, Totals
from audittrail.model.filters import MAX_PAGE_SIZE
from audittrail.report.document import AnyBlock, Chart, Column, Figure, Figures, Line, Table
from audittrail.report.facts import PeriodFacts

MOST_GROUPS = MAX_PAGE_SIZE
_TITLES: tuple[tuple[By, str, str, str], ...] = (
    ("agent", "Agents", "Agent", "Traces"),
    ("model", "Models", "Model", "Calls"),
    ("tool", "Tools", "Tool", "Calls"),
)


def both(one: int | None, other: int | None) -> int | None:
    """Their sum; None where neither is known."""
    return None if one is None and other is None else (one or 0) + (other or 0)


def minute(us: int) -> str:
    """`2026-11-21 14:03`, in UTC."""
    return human.utc(us)[:16]


def second(us: int) -> str:
    """`2026-11-21 14:03:22`, in UTC."""
    return human.utc(us)[:19]


def range_text(from_us: int, to_us: int) -> str:
    """`2026-11-01 00:00 to 2026-12-01 00:00 UTC`."""
    return f"{minute(from_us)} to {minute(to_us)} UTC"


def figures(totals: Totals) -> Figures:
    """The numbers that the overview leads with."""
    t = totals
    tokens = both(t.input_tokens, t.output_tokens)
    unpriced = f"{human.plural(t.unpriced_calls, 'model call')} unpriced" if t.unpriced_calls else ""
    return Figures(
        (
            Figure("Traces", human.exact(t.traces), f"{human.exact(t.ended)} settled"),
            Figure(
                "Errors",
                human.exact(t.errors),
                f"{human.rate(t.error_rate)} of the settled" if t.ended else "",
                "error" if t.errors else "plain",
            ),
            Figure("Latency, p95", human.duration(t.p95_us), f"average {human.duration(t.average_us)}"),
            Figure(
                "Tokens",
                human.count(tokens),
                f"{human.exact(t.input_tokens)} in, {human.exact(t.output_tokens)} out" if tokens is not None else "",
            ),
            Figure("Cost", human.money(t.cost), unpriced),
            Figure("Violations", human.exact(t.violations), "of rules", "blocked" if t.violations else "plain"),
        )
    )


def step_words(step_us: int) -> str:
    """`by hour`, `by day`, `by 4 days`."""
    days, hours = divmod(step_us, human.DAY_US)
    if hours:
        return "by hour"
    return "by day" if days == 1 else f"by {days} days"


def charts(series: Sequence[Bucket]) -> tuple[AnyBlock, ...]:
    """Over time."""
    if not series:
        return ()
    step = series[0].until_us - series[0].from_us
    labels = tuple(
        f"{at.day} {at:%b}" if step % human.DAY_US == 0 else f"{at.day} {at:%b %H:%M}"
        for at in (human.moment(one.from_us) for one in series)
    )
    by = step_words(step)

    def line(value: Callable[[Bucket], float | None]) -> tuple[float | None, ...]:
        return tuple(value(one) for one in series)

    return (
        Chart(
            f"Traces {by}",
            "count",
            labels,
            (
                Line("errors", line(lambda one: float(one.errors)), "error"),
                Line("others", line(lambda one: float(max(0, one.traces - one.errors)))),
            ),
        ),
        Chart(
            f"Latency {by}",
            "us",
            labels,
            (
                Line("p95", line(lambda one: None if one.p95_us is None else float(one.p95_us)), "warning"),
                Line("p50", line(lambda one: None if one.p50_us is None else float(one.p50_us)), "running"),
            ),
            "lines",
        ),
        Chart(
            f"Tokens {by}",
            "count",
            labels,
            (
                Line("out", line(lambda one: float(one.output_tokens or 0)), "running"),
                Line("in", line(lambda one: float(one.input_tokens or 0))),
            ),
        ),
        Chart(f"Cost {by}", "dollars", labels, (Line("cost", line(lambda one: float(one.cost or 0)), "running"),)),
        Chart(
            f"Violations {by}",
            "count",
            labels,
            (Line("found", line(lambda one: float(one.violations)), "blocked"),),
        ),
    )


def group_table(by: By, groups: Sequence[Group], limit: int) -> Table:
    """The most used first."""
    title, head, counts = next(rest for name, *rest in _TITLES if name == by)
    shown = groups[:limit]
    rows = tuple(
        (
            one.name or "(unnamed)",
            human.exact(one.calls),
            human.rate(one.error_rate),
            human.duration(one.average_us),
            human.duration(one.p95_us),
            *(() if by == "tool" else (human.count(both(one.input_tokens, one.output_tokens)), human.money(one.cost))),
        )
        for one in shown
    )
    numbers = [counts, "Errors", "Average", "p95", *([] if by == "tool" else ["Tokens", "Cost"])]
    more = f", the {len(shown)} most used" if len(groups) > limit else ""
    return Table(
        f"{title}, most used first{more}",
        (Column(head, 3), *(Column(name, 1, "right") for name in numbers)),
        rows,
        f"No {head.lower()} was used in this time.",
    )


def facts_of(facts: PeriodFacts) -> tuple[tuple[str, str], ...]:
    """What stands under the title."""
    return (
        ("Project", facts.project),
        ("Time", range_text(facts.report.from_us, facts.report.to_us)),
        ("Asked for by", facts.report.requested_by),
        ("Made", f"{second(facts.made_us)} UTC by AuditTrail {facts.version}"),
        ("Report", facts.report.id),
    )
