"""What the overview says of a time: its numbers, a series, and what each agent, model and tool has part in."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from audittrail.model.filters import RANGES, one_of
from audittrail.model.usage import SLOTS_US, Sums, quantile

By = Literal["agent", "model", "tool"]
BYS: tuple[By, ...] = get_args(By)
DEFAULT_RANGE = "24h"
# The steps of a series, each a whole number of slots: about thirty to a range.
BUCKETS_US = {"1h": 300_000_000, "24h": 3_600_000_000, "7d": 21_600_000_000, "30d": 86_400_000_000}
MAX_GROUPS = 500


def parse_range(text: str) -> str:
    """A key of RANGES, DEFAULT_RANGE where it is empty. Raises Invalid, naming what is allowed."""
    return one_of("range", text, RANGES) or DEFAULT_RANGE


def since(range_: str, now_us: int) -> int:
    """When a range begins."""
    return now_us - RANGES[range_] * 1_000_000


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What traces or calls add up to. Durations are in microseconds; quantiles are told to 3 %."""

    ended: int  # traces that have settled, calls that have ended
    errors: int  # of those
    error_rate: float | None  # errors among what has ended, from 0 to 1; None: nothing has
    average_us: int | None
    p50_us: int | None
    p95_us: int | None
    input_tokens: int | None  # None: no call reported any
    output_tokens: int | None
    cost: Decimal | None  # US dollars over the calls with a price; None: there is none
    unpriced_calls: int  # model calls that ended and whose price is not known: not in `cost`


class Totals(Measures, frozen=True, kw_only=True):
    """A project's numbers over a time."""

    from_us: int
    until_us: int
    traces: int
    violations: int


class Summary(Totals, frozen=True, kw_only=True):
    """A project's numbers over a range, until now."""

    range: str
    pending_approvals: int  # now; counted no further than 100


class Bucket(Measures, frozen=True, kw_only=True):
    """A step of a series: from a whole multiple of its length in UTC; the first begins with the range, the last is not
    over yet."""

    from_us: int
    until_us: int  # not included
    traces: int
    violations: int


class Group(Measures, frozen=True, kw_only=True):
    """An agent's traces, or a model's or a tool's calls, in traces that began in the range."""

    name: str | None  # None: without a name
    calls: int


def measures(sums: Sums) -> dict[str, Any]:
    """The fields of Measures."""
    given, came = sums.tokens
    return {
        "ended": sums.timed,
        "errors": sums.errors,
        "error_rate": min(1.0, sums.errors / sums.timed) if sums.timed else None,
        "average_us": sums.average_us,
        "p50_us": quantile(sums.bins, 0.5),
        "p95_us": quantile(sums.bins, 0.95),
        "input_tokens": given,
        "output_tokens": came,
        "cost": sums.spent,
        "unpriced_calls": sums.unpriced,
    }


def starts(range_: str, now_us: int) -> range:
    """When the buckets of a series begin."""
    size, first = BUCKETS_US[range_], since(range_, now_us)
    return range(first - first % size, now_us + 1, size)


def days(from_us: int, to_us: int, now_us: int) -> range:
    """When the buckets of a time's series begin: hours of up to two days, days of up to a hundred, else so many days
    that they are about a hundred. None begins after now, where anything of the time is over by then."""
    day, hour = SLOTS_US[-1], SLOTS_US[-2]
    length = to_us - from_us
    size = hour if length <= 2 * day else day * max(1, -(-length // (100 * day)))
    first = from_us - from_us % min(size, day)
    return range(first, max(first + 1, min(to_us, now_us + 1)), size)


def buckets(
    places: range, sums: Iterable[tuple[int, Sums]], violations: Iterable[tuple[int, int]]
) -> tuple[Bucket, ...]:
    """The series of (time, sums) and (time, count) in buckets that begin at these times. None is left out; what a wrong
    clock dates later is in the last."""
    size, last = places.step, len(places) - 1
    added = [Sums() for _ in places]
    for at, one in sums:
        added[min(last, (at - places[0]) // size)].add(one)
    found = [0] * len(places)
    for at, count in violations:
        found[min(last, (at - places[0]) // size)] += count
    return tuple(
        Bucket(from_us=at, until_us=at + size, traces=one.count, violations=many, **measures(one))
        for at, one, many in zip(places, added, found, strict=True)
    )
