"""Rules made ready to judge: compiled, sorted by what they apply to, their parameters laid out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import translate
from typing import Any

from audittrail.constitution.condition import Activation, Condition, Language, full_name
from audittrail.constitution.message import names
from audittrail.constitution.rule import SCOPES, Match, Rule, Scope, set_hash
from audittrail.constitution.vocabulary import BY_SCOPE, Variable
from audittrail.model.span import KINDS
from audittrail.model.verdict import STAGES, Stage, Verdict

# What a fact, or the conversion of a value for CEL, stumbles over when it meets what nobody foresaw. The rule that
# asked then says `error`; recording goes on.
STUMBLES = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError)
_MOST_PLANS = 512


class Ready:
    """A rule with its compiled condition."""

    def __init__(self, rule: Rule, condition: Condition, index: int) -> None:
        self.rule = rule
        self.condition = condition
        self.bit = 1 << index
        known = BY_SCOPE[rule.scope]
        self.params = {full_name(index, name): _given(value) for name, value in rule.params.items()}
        self.needs = tuple(known[name] for name in condition.names if name in known)
        shown = dict.fromkeys((*condition.names, *names(rule.message)))
        self.shown = tuple(known[name] for name in shown if name in known)
        self.shown_params = {
            f"params.{name}": value for name, value in rule.params.items() if f"params.{name}" in shown
        }
        self.matches = matcher(rule.match, rule.scope)
        self.passed = self.verdict(outcome="pass")

    def verdict(self, **said: Any) -> Verdict:
        """A verdict of this rule."""
        rule = self.rule
        return Verdict(
            rule_id=rule.id,
            version=rule.version,
            title=rule.title,
            severity=rule.severity,
            mode=rule.mode,
            effect=rule.effect,
            controls=rule.controls,
            **said,
        )


class RuleSet:
    """Rules in the order of their files. Immutable once made, so any number of threads may judge by it."""

    def __init__(self, ready: Iterable[Ready] = ()) -> None:
        self.ready = tuple(ready)
        self.rules: tuple[Rule, ...] = tuple(one.rule for one in self.ready)
        self.ids = frozenset(rule.id for rule in self.rules)
        self.hash = set_hash(self.rules)
        self._of: dict[tuple[Scope, Stage, str], tuple[Ready, ...]] = {}
        self._environments: dict[Scope, Any] = {}
        self._plans: dict[tuple[Scope, int], tuple[tuple[Variable, ...], dict[str, Any]]] = {}
        for scope in SCOPES:
            mine = [one for one in self.ready if one.rule.scope == scope]
            params = {name: value for one in mine for name, value in one.params.items()}
            self._environments[scope] = Language(scope).environment(params)
            for stage in STAGES:
                at = [one for one in mine if stage in one.rule.stages]
                for kind in KINDS if scope == "span" else ("",):
                    fit = tuple(one for one in at if not kind or not one.rule.match.kind or kind in one.rule.match.kind)
                    if fit:
                        self._of[scope, stage, kind] = fit

    def __len__(self) -> int:
        return len(self.rules)

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def candidates(self, scope: Scope, stage: Stage, kind: str = "") -> tuple[Ready, ...]:
        """The rules that may apply; what else their match asks for is still to be tested."""
        return self._of.get((scope, stage, kind), ())

    def activation(self, scope: Scope, rules: list[Ready], facts: Any) -> Activation:
        """One activation for all of these rules: only the variables that one of them reads are worked out."""
        bits = 0
        for one in rules:
            bits |= one.bit
        plan = self._plans.get((scope, bits))
        if plan is None:
            plan = self._plan(scope, rules, bits)
        values = dict(plan[1])
        for variable in plan[0]:
            try:
                values[variable.name] = variable.get(facts)
            except STUMBLES:
                continue  # absent, which CEL tells the rules that read it, and them alone
        return self._environments[scope].Activation(values)

    def _plan(self, scope: Scope, rules: list[Ready], bits: int) -> tuple[tuple[Variable, ...], dict[str, Any]]:
        variables = tuple({variable.name: variable for one in rules for variable in one.needs}.values())
        plan = (variables, {name: value for one in rules for name, value in one.params.items()})
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[scope, bits] = plan
        return plan


EMPTY = RuleSet()


def matcher(match: Match, scope: Scope) -> Callable[[Any], bool] | None:
    """The test of what `match` asks beside the kind; None where it asks nothing. Takes a Span or a TraceRow."""
    tests: list[Callable[[Any], bool]] = []
    if match.status:
        statuses = frozenset(match.status)
        tests.append(lambda subject: subject.status in statuses)
    if match.tool:
        tool = _globs(match.tool)
        tests.append(lambda subject: subject.tool is not None and tool(subject.tool.name))
    tests += [
        _field(name, getattr(match, name)) for name in ("name", "agent", "model", "provider") if getattr(match, name)
    ]
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda subject: all(test(subject) for test in tests)


def _field(name: str, patterns: tuple[str, ...]) -> Callable[[Any], bool]:
    test = _globs(patterns)
    return lambda subject: test(getattr(subject, name))


def _globs(patterns: tuple[str, ...]) -> Callable[[str | None], bool]:
    # fnmatch's translation keeps each star from trying again what an earlier one gave up, so a name cannot stall it.
    found = re.compile("|".join(translate(pattern.lower()) for pattern in patterns))
    return lambda text: text is not None and found.match(text[:300].lower()) is not None


def _given(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def params_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """A rule's parameters with lists made unchangeable."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
