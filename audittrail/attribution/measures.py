"""Measures of what is left of a record, kept up to date as steps go and come back. All are whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

from audittrail.attribution.steps import Steps
from audittrail.model.errors import Invalid
from audittrail.model.summary import SpanRow

# Steps times the moments at which something beside them began or ended. Only a trace made to be slow has more.
MAX_OVERLAPS = 3_000_000
# The finest price is a fraction of a picodollar.
COST_DIGITS = 15


class Standing:
    """1 while one of some spans is there: those that break a rule, or those that failed."""

    scale = 1
    binary = True
    heavy = False

    def __init__(self, places: Iterable[int], count: int) -> None:
        self._counts = bytearray(count)
        for at in places:
            self._counts[at] = 1
        self._left = sum(self._counts)

    def lose(self, at: int) -> None:
        """One less, if it counts."""
        self._left -= self._counts[at]

    def regain(self, at: int) -> None:
        """One more, if it counts."""
        self._left += self._counts[at]

    def value(self) -> int:
        """Whether one is left."""
        return 1 if self._left else 0


class Usage:
    """A sum over the model and embedding calls that contain no other such call that is left, as a trace's summary has
    it: a call that two instrumentations wrote counts once."""

    binary = False
    heavy = False

    def __init__(self, steps: Steps, amounts: Sequence[int | None], scale: int = 1) -> None:
        self.scale = scale
        self._amounts = amounts
        self._uses = [span.kind in ("llm", "embedding") for span in steps.spans]
        self._outer = [-1] * len(amounts)
        self._inner = [0] * len(amounts)
        self._gone = bytearray(len(amounts))
        outer_of: dict[str, int] = {}
        for span in steps.downward():
            parent = steps.parents.get(span)
            above = -1 if parent is None else steps.place[parent]
            outer = above if above < 0 or self._uses[above] else outer_of[parent or ""]
            outer_of[span] = outer
            at = steps.place[span]
            self._outer[at] = outer
            if self._uses[at] and outer >= 0:
                self._inner[outer] += 1
        leaves = [a for at, a in enumerate(amounts) if self._uses[at] and not self._inner[at]]
        self.known = sum(a is not None for a in leaves)
        self.reported = any(a is not None for a in amounts)
        self._sum = sum(a or 0 for a in leaves)

    def lose(self, at: int) -> None:
        """Its amount goes; the call around it, if nothing else is inside, counts now."""
        self.turn(at, -1)

    def regain(self, at: int) -> None:
        """Its amount is back."""
        self.turn(at, 1)

    def turn(self, at: int, sign: int) -> None:
        """Both of them, by a sign."""
        if not self._uses[at]:
            return
        self._gone[at] = sign < 0
        if not self._inner[at]:
            self._count(at, sign)
        outer = self._outer[at]
        if outer >= 0:
            before = self._inner[outer]
            self._inner[outer] += sign
            if (before == 0) != (self._inner[outer] == 0) and not self._gone[outer]:
                self._count(outer, -sign)

    def _count(self, at: int, sign: int) -> None:
        amount = self._amounts[at]
        if amount is not None:
            self.known += sign
            self._sum += sign * amount

    def value(self) -> int:
        """The sum."""
        return self._sum


def cost_of(steps: Steps) -> Usage:
    """US dollars."""
    scale = Decimal(10) ** COST_DIGITS
    rows = [SpanRow.of(span) for span in steps.spans]
    return Usage(steps, [None if r.cost is None else round(r.cost * scale) for r in rows], 10**COST_DIGITS)


def tokens_of(steps: Steps) -> Usage:
    """Input and output together; caches are part of the input and reasoning of the output."""
    rows = [SpanRow.of(span) for span in steps.spans]
    unknown = [row.input_tokens is None and row.output_tokens is None for row in rows]
    sums = [(row.input_tokens or 0) + (row.output_tokens or 0) for row in rows]
    return Usage(steps, [None if no else total for no, total in zip(unknown, sums, strict=True)])


class Time:
    """Microseconds in which something that is left was at work. A moment belongs to the innermost spans that ran in
    it, and is gone when all of these are; a moment in which none ran is gone with the last span."""

    scale = 1_000_000
    binary = False
    heavy = False

    def __init__(self, steps: Steps) -> None:
        spans = steps.spans
        last = max(max(s.started_us, s.ended_us or 0) for s in spans)
        ends = [max(s.started_us, last if s.ended_us is None else s.ended_us) for s in spans]
        cuts = sorted({s.started_us for s in spans} | set(ends))
        index = {moment: at for at, moment in enumerate(cuts)}
        self._lengths = [after - before for before, after in pairwise(cuts)]
        if sum(index[end] - index[s.started_us] for s, end in zip(spans, ends, strict=True)) > MAX_OVERLAPS:
            raise Invalid("Too many steps of this trace ran beside each other to say whose time it was.")
        covered: list[dict[int, None]] = [{} for _ in spans]  # the moments in which a child ran
        self._pieces: list[list[int]] = [[] for _ in spans]
        self._at_work = [0] * len(self._lengths)
        for span_id in reversed(steps.downward()):
            at = steps.place[span_id]
            inside = covered[at]
            own = range(index[spans[at].started_us], index[ends[at]])
            for piece in own:
                if piece not in inside:
                    self._pieces[at].append(piece)
                    self._at_work[piece] += 1
            parent = steps.parents.get(span_id)
            if parent is not None:
                covered[steps.place[parent]].update(dict.fromkeys(own))
            covered[at] = {}
        self._idle = sum(length for length, n in zip(self._lengths, self._at_work, strict=True) if not n)
        self._sum = sum(self._lengths)
        self._left = len(spans)

    def lose(self, at: int) -> None:
        """The moments in which it was the last at work go."""
        for piece in self._pieces[at]:
            self._at_work[piece] -= 1
            if not self._at_work[piece]:
                self._sum -= self._lengths[piece]
        self._left -= 1
        if not self._left:
            self._sum -= self._idle

    def regain(self, at: int) -> None:
        """Its moments are back."""
        for piece in self._pieces[at]:
            if not self._at_work[piece]:
                self._sum += self._lengths[piece]
            self._at_work[piece] += 1
        if not self._left:
            self._sum += self._idle
        self._left += 1

    def value(self) -> int:
        """Microseconds."""
        return self._sum
