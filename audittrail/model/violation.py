"""What a rule found in what was recorded, and what people made of it."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import msgspec

from audittrail.model.filters import PAGE_SIZE, RANGES, Cursor, check_size, one_of, parse_query
from audittrail.model.verdict import MODES, OUTCOMES, SEVERITIES, Effect, Mode, Outcome, Severity

Standing = Literal["open", "acknowledged", "resolved"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
MAX_NOTE = 2_000  # characters
OPEN_LIMIT = 100  # the navigation counts no further: 99+


class Violation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A verdict that was not a pass when it was found."""

    id: str
    trace_id: str
    span_id: str | None  # None: of the whole trace
    rule_id: str
    version: str  # of the rule
    title: str
    severity: Severity
    mode: Mode
    effect: Effect
    outcome: Outcome  # pass: a late span corrected it
    message: str
    values: dict[str, Any] = {}
    evidence: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    agent: str | None
    found_us: int
    status: Standing
    note: str = ""
    changed_us: int | None = None
    changed_by: str | None = None


class RuleCount(msgspec.Struct, frozen=True):
    """How often a rule was judged in a project, by outcome."""

    rule_id: str
    passed: int = 0
    warned: int = 0
    violated: int = 0
    erred: int = 0

    @property
    def judged(self) -> int:
        """All of them."""
        return self.passed + self.warned + self.violated + self.erred


class ViolationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A list of violations as it was asked for. Empty fields do not filter."""

    q: str = ""
    range: str = ""
    status: Standing | None = None
    outcome: Outcome | None = None
    severity: Severity | None = None
    mode: Mode | None = None
    rule: str = ""
    agent: str = ""
    trace: str = ""
    text: tuple[str, ...] = ()  # each must be found in the message or the title
    from_us: int | None = None  # found then or later; no parameter of a URL
    until_us: int | None = None  # found before
    after: Cursor | None = None
    size: int = PAGE_SIZE

    @classmethod
    def parse(cls, *, q: str = "", after: str = "", size: int = PAGE_SIZE, **asked: str) -> Self:
        """From a URL's parameters: range, status, outcome, severity, mode, rule, agent, trace. The query line wins.

        Raises Invalid, naming what is allowed.
        """
        named, text = parse_query(q, {name: asked.get(name, "") for name in NAMES} | {"after": after})
        check_size(size)
        return cls(
            q=q,
            range=one_of("time range", named["range"], RANGES) or "",
            status=one_of("status", named["status"], STANDINGS),
            outcome=one_of("outcome", named["outcome"], OUTCOMES),
            severity=one_of("severity", named["severity"], SEVERITIES),
            mode=one_of("mode", named["mode"], MODES),
            rule=named["rule"],
            agent=named["agent"],
            trace=named["trace"],
            text=text,
            after=Cursor.parse(named["after"]) if named["after"] else None,
            size=size,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything filters at all."""
        return bool(self.text or any(getattr(self, name) for name in NAMES))


NAMES = ("range", "status", "outcome", "severity", "mode", "rule", "agent", "trace")
