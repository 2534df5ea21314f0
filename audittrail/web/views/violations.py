"""Views of what the rules found: the inbox, and one violation."""

from __future__ import annotations

from typing import Any

import msgspec

from audittrail.model.filters import Page
from audittrail.model.verdict import SEVERITIES
from audittrail.model.violation import NAMES, STANDINGS, Violation, ViolationFilter
from audittrail.web.views.links import query
from audittrail.web.views.listing import Chip, ListView
from audittrail.web.views.outline import compact

OUTCOME_WORDS = {"violation": "Violation", "warning": "Warning", "error": "Rule error", "pass": "Corrected"}
STANDING_WORDS = {"open": "Open", "acknowledged": "Acknowledged", "resolved": "Resolved"}
# What a person can make of one, by the form field `action`.
ACTIONS = {"acknowledge": "acknowledged", "resolve": "resolved", "reopen": "open"}


def step_href(one: Violation) -> str:
    """The step that a violation is about; of a trace's, the step that weighs most."""
    span = one.span_id or next(iter(one.evidence), "")
    return f"/traces/{one.trace_id}" + query(span=span, tab="verdicts" if span else "")


class ViolationsView(ListView, frozen=True, kw_only=True):
    """The inbox. Template: pages/violations.html (GET /violations). Blocks: results (filters, list), more (older rows).

    The form around the rows posts to /violations: `id` (may be repeated), `action` (a key of ACTIONS), `note`, `back`.
    """

    PATH = "/violations"
    NAMED = tuple(name for name in NAMES if name != "range")
    CHOSEN = ("status",)

    want: ViolationFilter
    found: Page[Violation]
    rules: tuple[tuple[str, str], ...] = ()  # (id, title) of the rules in force, to choose from
    can_change: bool = False
    nothing_yet: bool = False  # no rule ever found anything in this project
    saved: int = 0  # how many were just changed

    @property
    def standings(self) -> tuple[Chip, ...]:
        """The statuses to choose from; an empty value is any."""
        return tuple(Chip(STANDING_WORDS.get(s, "All"), s, self.url(status=s)) for s in (*STANDINGS, ""))

    @property
    def severities(self) -> tuple[str, ...]:
        """The gravest first."""
        return SEVERITIES[::-1]

    def step(self, one: Violation) -> str:
        """Where the step is."""
        return step_href(one)


class Seen(msgspec.Struct, frozen=True):
    """A value that the rule saw."""

    name: str
    text: str


class ViolationView(msgspec.Struct, frozen=True, kw_only=True):
    """One violation. Template: pages/violation.html (GET /violations/{id}). Block: panel (all of it but the title).

    Its form posts to /violations/{id}: `action` (a key of ACTIONS), `note`.
    """

    one: Violation
    trace_name: str
    description: str  # of the rule, where it is in force still
    in_force: bool  # whether the rule that found it is in force in the same version
    can_change: bool
    saved: bool = False

    @property
    def path(self) -> str:
        """Its own address."""
        return f"/violations/{self.one.id}"

    @property
    def step(self) -> str:
        """Where the step is."""
        return step_href(self.one)

    @property
    def outcome(self) -> str:
        """What is asked to have it explained, as JSON."""
        where = {"span": self.one.span_id} if self.one.span_id else {}
        return msgspec.json.encode({"rule": self.one.rule_id} | where).decode()

    @property
    def evidence(self) -> tuple[Chip, ...]:
        """The spans that are its evidence, each with its place."""
        where = f"/traces/{self.one.trace_id}"
        return tuple(Chip("span", span, where + query(span=span, tab="verdicts")) for span in self.one.evidence)

    @property
    def seen(self) -> tuple[Seen, ...]:
        """What the rule saw."""
        return seen(self.one.values)


def seen(values: dict[str, Any]) -> tuple[Seen, ...]:
    """A verdict's values as text."""
    return tuple(Seen(name, compact(value)) for name, value in values.items())
