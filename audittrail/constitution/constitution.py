"""The rules in force: the last good set, and what is wrong with the files since."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from audittrail.constitution.engine import decide
from audittrail.constitution.faults import RuleError
from audittrail.constitution.loading import load
from audittrail.constitution.ruleset import EMPTY, RuleSet
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.verdict import Action, Decision, Verdict

# Closed, as long as nobody knows what the rules would say.
_CLOSED = Decision(
    decision="deny",
    reasons=(
        Verdict(
            rule_id="audittrail",
            version="",
            title="The rules could not be loaded",
            severity="critical",
            mode="enforce",
            effect="deny",
            outcome="error",
            message="No rules could be loaded since the start, so nothing is allowed; the page Constitution says why.",
        ),
    ),
)


class Constitution:
    """Holds one RuleSet. Whoever judges takes `rules` once, and so judges by one set whatever is loaded meanwhile."""

    def __init__(self, rules: RuleSet = EMPTY) -> None:
        self._state: tuple[RuleSet, tuple[RuleError, ...]] = (rules, ())
        self._loading = threading.Lock()
        self.loaded = False  # whether any set of files was ever good

    @property
    def rules(self) -> RuleSet:
        """The last good set."""
        return self._state[0]

    @property
    def errors(self) -> tuple[RuleError, ...]:
        """Why the files as they are now are not in force; empty where they are."""
        return self._state[1]

    def decide(self, action: Action, trace: TraceRow | None = None, spans: Sequence[SpanRow] = ()) -> Decision:
        """May it be done, by the rules in force? Where no set was ever good, no."""
        return decide(action, trace, self.rules, spans) if self.loaded else _CLOSED

    def update(self, files: Mapping[str, str | bytes]) -> list[RuleError]:
        """Takes the files as the new set, or keeps the last good one and remembers what is wrong."""
        with self._loading:
            found = load(files)
            if isinstance(found, RuleSet):
                self._state = (found, ())
                self.loaded = True
                return []
            self._state = (self._state[0], tuple(found))
            return found

    def failed(self, error: RuleError) -> None:
        """Remembers that the files could not even be read."""
        with self._loading:
            self._state = (self._state[0], (error,))
