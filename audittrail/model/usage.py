"""What runs and calls add up to, so that a page over a month need not read a month of spans.

Sums are kept for each project, agent, model and tool in slots of five minutes, an hour and a day, by when the trace
began. A trace's part in them is a pure function of its spans: when it changes, the old part goes and the new one comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from audittrail.model.summary import SpanRow, TraceRow, usage_leaves

# Whose sums: the project's traces, an agent's traces, a model's calls, a tool's calls.
Whose = Literal["all", "agent", "model", "tool"]
SLOTS_US = (300_000_000, 3_600_000_000, 86_400_000_000)  # each a multiple of the one before

# Durations are counted in 32 bins to each doubling, so that quantiles of sums can be told: a bin is 3 % wide.
_FINE = 32


def bin_of(us: int) -> int:
    """The bin that a duration falls into; below 32 microseconds each has its own."""
    if us < _FINE:
        return us
    shift = us.bit_length() - _FINE.bit_length()
    return (shift + 1) * _FINE + (us >> shift) - _FINE


def bin_bounds(number: int) -> tuple[int, int]:
    """The durations of a bin: from, and up to but not including."""
    if number < _FINE:
        return number, number + 1
    shift, place = divmod(number, _FINE)
    return (_FINE + place) << (shift - 1), (_FINE + place + 1) << (shift - 1)


def quantile(bins: Mapping[int, int], share: float) -> int | None:
    """The duration that this share of all does not exceed (nearest rank), to the width of a bin; None for no bins."""
    total = sum(bins.values())
    if total <= 0:
        return None
    rank = max(1, -int(-share * total // 1))
    for number in sorted(bins):
        if rank <= bins[number]:
            low, high = bin_bounds(number)
            return low + int((high - low) * (rank - 0.5) / bins[number])
        rank -= bins[number]
    raise AssertionError  # a rank is never beyond the total


class Sums(msgspec.Struct, gc=False):
    """Added up over traces or calls. Negative while a trace's old part is being taken away."""

    count: int = 0  # traces of a project or an agent; calls of a model or a tool
    errors: int = 0
    timed: int = 0  # those that have ended
    duration_us: int = 0  # of those
    metered: int = 0  # model calls that reported tokens
    input_tokens: int = 0
    output_tokens: int = 0
    priced: int = 0  # model calls with a cost
    unpriced: int = 0  # model calls that ended without one
    cost: Decimal = Decimal(0)
    bins: dict[int, int] = {}

    def add(self, other: Sums, times: int = 1) -> None:
        """Adds the other so many times; -1 takes it away."""
        self.count += times * other.count
        self.errors += times * other.errors
        self.metered += times * other.metered
        self.input_tokens += times * other.input_tokens
        self.output_tokens += times * other.output_tokens
        self.priced += times * other.priced
        self.unpriced += times * other.unpriced
        self.cost += times * other.cost
        self.timed += times * other.timed
        self.duration_us += times * other.duration_us
        mine = self.bins
        for number, count in other.bins.items():
            left = mine.get(number, 0) + times * count
            if left:
                mine[number] = left
            else:
                mine.pop(number, None)

    @property
    def nothing(self) -> bool:
        """Whether adding it would change nothing."""
        return self == _NOTHING

    def took(self, us: int) -> None:
        """Adds one duration."""
        self.timed += 1
        self.duration_us += us
        number = bin_of(us)
        self.bins[number] = self.bins.get(number, 0) + 1

    @property
    def average_us(self) -> int | None:
        """Mean duration of those that have ended."""
        return self.duration_us // self.timed if self.timed else None

    @property
    def tokens(self) -> tuple[int | None, int | None]:
        """(input, output); None where no call reported any."""
        return (self.input_tokens, self.output_tokens) if self.metered else (None, None)

    @property
    def spent(self) -> Decimal | None:
        """The cost; None where no call was priced, which is not 0."""
        return self.cost if self.priced else None


_NOTHING = Sums()
Part = dict[tuple[Whose, str], Sums]


def timing(trace: TraceRow) -> Sums:
    """Of a trace whose root has ended: what counts only once it has settled."""
    found = Sums()
    if trace.ended_us is not None:
        found.errors = int(trace.status == "error")
        found.took(max(0, trace.ended_us - trace.started_us))
    return found


def part_of(trace: TraceRow, spans: Sequence[SpanRow]) -> Part:
    """What a trace adds to the sums: once to its project and its agent, and each counted call to its model or tool.

    Model calls are the llm and embedding leaves, as in the trace's own sums. No name is the empty name. The trace's
    status is what it is once settled.
    """
    run = timing(trace)
    run.count = 1
    found: Part = {}
    for span in usage_leaves(spans):
        call = _of_call(found, "model", span.model, span)
        for sums in (call, run):
            if span.input_tokens is not None or span.output_tokens is not None:
                sums.metered += 1
                sums.input_tokens += span.input_tokens or 0
                sums.output_tokens += span.output_tokens or 0
            if span.cost is not None:
                sums.priced += 1
                sums.cost += round(span.cost, 12)  # as it is stored, so that what is added can be taken away again
            elif span.ended_us is not None:
                sums.unpriced += 1
    for span in spans:
        if span.kind == "tool":
            _of_call(found, "tool", span.tool, span)
    return found | {("all", ""): run, ("agent", trace.agent or ""): run}


def _of_call(found: Part, whose: Whose, name: str | None, span: SpanRow) -> Sums:
    sums = found.setdefault((whose, name or ""), Sums())
    sums.count += 1
    sums.errors += span.status == "error"
    if span.ended_us is not None:
        sums.took(max(0, span.ended_us - span.started_us))
    return sums


class Slot(msgspec.Struct, frozen=True, order=True):
    """A row of the sums."""

    whose: Whose
    size_us: int
    from_us: int
    name: str


class Shift:
    """Changes of one project's sums, by slot."""

    def __init__(self) -> None:
        self.slots: dict[Slot, Sums] = {}

    def add(self, started_us: int, part: Part, times: int = 1) -> None:
        """A trace's part comes, or goes with -1."""
        for (whose, name), sums in part.items():
            for size in SLOTS_US:
                slot = Slot(whose, size, started_us - started_us % size, name)
                self.slots.setdefault(slot, Sums()).add(sums, times)

    def changed(self) -> list[tuple[Slot, Sums]]:
        """What is to be added, in one order for every process."""
        return sorted((slot, sums) for slot, sums in self.slots.items() if not sums.nothing)


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of time that is read from slots of one size; size 0: from the traces themselves."""

    size_us: int
    from_us: int
    until_us: int | None  # not included; None: open


def cover(from_us: int, until_us: int | None, sizes: Sequence[int] = SLOTS_US) -> list[Stretch]:
    """The time from then until then in as few slots as there are, and what no slot fits at either end."""
    if not sizes:
        return [Stretch(0, from_us, until_us)] if until_us is None or from_us < until_us else []
    size, smaller = sizes[-1], sizes[:-1]
    first = -(-from_us // size) * size
    if until_us is None:
        return [*cover(from_us, first, smaller), Stretch(size, first, None)]
    last = until_us // size * size
    if first >= last:
        return cover(from_us, until_us, smaller)
    return [*cover(from_us, first, smaller), Stretch(size, first, last), *cover(last, until_us, smaller)]


def total(parts: Iterable[Sums]) -> Sums:
    """All of them added up."""
    found = Sums()
    for one in parts:
        found.add(one)
    return found
