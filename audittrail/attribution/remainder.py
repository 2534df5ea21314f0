"""The summary of what is left of a trace, so that rules about a whole trace can be asked about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, overload

from msgspec.structs import replace

from audittrail.attribution.failures import FAILED, Failures
from audittrail.attribution.measures import Time, Usage
from audittrail.attribution.steps import Steps
from audittrail.model.summary import ORPHAN_QUIET_US, QUIET_US, SpanRow, Summary, TraceRow
from audittrail.model.verdict import Verdict

JudgeTrace = Callable[[TraceRow, Sequence[SpanRow]], Sequence[Verdict]]
# Answers that are remembered; each is a bit for each span and a bool.
MAX_REMEMBERED = 20_000
_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost")


class Rows(Sequence[SpanRow]):
    """The rows that are left, put together when somebody looks."""

    def __init__(self, make: Callable[[], list[SpanRow]]) -> None:
        self._make: Callable[[], list[SpanRow]] | None = make
        self._rows: list[SpanRow] = []

    def _all(self) -> list[SpanRow]:
        if self._make is not None:
            self._rows, self._make = self._make(), None
        return self._rows

    @overload
    def __getitem__(self, at: int) -> SpanRow: ...
    @overload
    def __getitem__(self, at: slice) -> list[SpanRow]: ...
    def __getitem__(self, at: Any) -> Any:
        return self._all()[at]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[SpanRow]:
        return iter(self._all())


class Remainder:
    """A trace's row kept up to date as steps go and come back: what `summarise` would make of the rows that are left,
    but that a failure whose causes are gone has not happened, and that the time of what is gone is not counted."""

    def __init__(self, steps: Steps, received_us: int) -> None:
        self.rows = [SpanRow.of(span) for span in steps.spans]
        self._received_us = received_us
        self._steps = steps
        self._gone = bytearray(len(self.rows))
        self.mask = 0
        self._bits = [1 << at for at in range(len(self.rows))]
        self._left = len(self.rows)
        self._tools = sum(row.kind == "tool" for row in self.rows)
        self._llms = Usage(steps, [1 if row.kind == "llm" else None for row in self.rows])
        self._sums = {name: Usage(steps, [self._whole(getattr(r, name)) for r in self.rows]) for name in _COUNTS}
        self._time = Time(steps)
        ended = [row.ended_us for row in self.rows if row.ended_us is not None]
        # What a summary calls the trace's time, less what Time finds: where an inner span never ended, they differ.
        self._spare = max(ended, default=0) - self.rows[0].started_us - self._time.value()
        self._pii: Counter[str] = Counter()
        for row in self.rows:
            self._pii.update(row.pii)
        top = [at for at, row in enumerate(self.rows) if row.span_id not in steps.parents]
        self._tops = top
        self._said = {
            name: [at for at, row in enumerate(self.rows) if getattr(row, name)]
            for name in ("agent", "session_id", "end_user")
        }
        self._roots = [at for at in top if self.rows[at].parent_id is None]
        self._explained: list[list[int]] = [[] for _ in self.rows]  # by cause: the failed spans it explains
        self._causes = [0] * len(self.rows)
        for span_id, sources in Failures(steps).sources.items():
            at = steps.place[span_id]
            self._causes[at] = len(sources)
            for source in sources:
                self._explained[steps.place[source]].append(at)
        self._errors = sum(row.status == "error" for row in self.rows)
        self._failed = [at for at, row in enumerate(self.rows) if row.status in FAILED]
        # What no call reports stays unknown, and need not be kept.
        self._usage = [self._llms, *(part for part in self._sums.values() if part.reported)]
        self._uses = [row.kind in ("llm", "embedding") for row in self.rows]

    @staticmethod
    def _whole(amount: Any) -> int | None:
        return round(amount * 10**15) if isinstance(amount, Decimal) else amount

    def _fails(self, at: int) -> bool:
        return self.rows[at].status == "error" and not self._gone[at] and self._causes[at] > 0

    def lose(self, at: int) -> None:
        """The span is gone."""
        self._turn(at, -1)

    def regain(self, at: int) -> None:
        """The span is back."""
        self._turn(at, 1)

    def _turn(self, at: int, sign: int) -> None:
        row = self.rows[at]
        if row.status in FAILED or self._explained[at]:
            touched = {at, *self._explained[at]}
            self._errors -= sum(map(self._fails, touched))
            self._gone[at] = sign < 0
            for one in self._explained[at]:
                self._causes[one] += sign
            self._errors += sum(map(self._fails, touched))
        self._gone[at] = sign < 0
        self.mask ^= self._bits[at]
        self._left += sign
        self._tools += sign * (row.kind == "tool")
        for name, number in row.pii.items():
            self._pii[name] += sign * number
        if sign < 0:
            self._time.lose(at)
        else:
            self._time.regain(at)
        if self._uses[at]:
            for part in self._usage:
                part.turn(at, sign)

    def left(self) -> list[SpanRow]:
        """The rows, in order; one whose failure has lost its causes went well."""
        return [self._row(at) for at in range(len(self.rows)) if not self._gone[at]]

    def _row(self, at: int) -> SpanRow:
        row = self.rows[at]
        return row if row.status not in FAILED or self._causes[at] else replace(row, status="ok", error=None)

    def _first(self, places: Sequence[int], get: Callable[[SpanRow], Any]) -> Any:
        return next((value for at in places if not self._gone[at] and (value := get(self._row(at)))), None)

    def trace(self) -> TraceRow | None:
        """The trace's row; None when nothing is left."""
        if not self._left:
            return None
        gone, rows = self._gone, self.rows
        true_root = next((at for at in self._roots if not gone[at]), None)
        root = self._row(next(at for at in self._tops if not gone[at]) if true_root is None else true_root)
        running = any(rows[at].ended_us is None for at in self._tops if not gone[at])
        first = gone.index(0)
        settles = self._received_us + (ORPHAN_QUIET_US if true_root is None else QUIET_US)
        sums = {name: part.value() if part.known else None for name, part in self._sums.items()}
        cost = sums.pop("cost")
        status = root.status if root.status != "running" else "ok"
        row = TraceRow(
            trace_id=root.trace_id,
            name=root.name,
            status="error" if true_root is None and self._errors else status,
            started_us=rows[first].started_us,
            ended_us=None if running else rows[first].started_us + max(0, self._spare + self._time.value()),
            agent=root.agent or self._first(self._said["agent"], lambda r: r.agent),
            session_id=root.session_id or self._first(self._said["session_id"], lambda r: r.session_id),
            end_user=root.end_user or self._first(self._said["end_user"], lambda r: r.end_user),
            span_count=self._left,
            error_count=self._errors,
            llm_calls=self._llms.value(),
            tool_calls=self._tools,
            cost=None if cost is None else Decimal(cost).scaleb(-15).normalize(),
            error=root.error or self._first(self._failed, lambda r: r.error if r.status == "error" else None),
            received_us=self._received_us,
            pii={name: number for name, number in sorted(self._pii.items()) if number},
            **sums,
        )
        return Summary(row, None if running else settles, "").now


class TraceRule(Remainder):
    """1 while a rule about whole traces finds what is left at fault."""

    scale = 1
    binary = True
    heavy = True

    def __init__(self, steps: Steps, received_us: int, judge: JudgeTrace, rule: str) -> None:
        super().__init__(steps, received_us)
        self._judge = judge
        self._rule = rule
        self._known: dict[int, int] = {}

    def value(self) -> int:
        """What the rule says, asked once for each set that is left."""
        answer = self._known.get(self.mask)
        if answer is None:
            row = self.trace()
            found = self._judge(row, Rows(self.left)) if row is not None else ()
            answer = int(any(v.rule_id == self._rule and v.outcome in ("warning", "violation") for v in found))
            if len(self._known) < MAX_REMEMBERED:
                self._known[self.mask] = answer
        return answer
