"""What an ablation found, in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

from audittrail.attribution.outcome import Outcome
from audittrail.model.human import duration, line, listed, plural, visible

MAX_NAMED = 3


def named(name: str, span_id: str) -> str:
    """A step as a sentence names it. Names come from traces: one line, nothing hidden in it."""
    return f"{line(visible(name), 60)} (span {span_id})"


def gone(outcome: Outcome) -> tuple[str, str]:
    """What can be said of the outcome once it is gone, and of the outcome that stays."""
    if outcome.rule is not None:
        rule = line(visible(outcome.rule), 80)
        where = f" by span {outcome.span}" if outcome.span else ""
        return f"the rule {rule} is not violated{where}", f"the rule {rule} is still violated{where}"
    if outcome.error is True:
        return "the trace does not end in its error", "the trace still ends in its error"
    return f"the failure of span {outcome.error} does not happen", f"span {outcome.error} still fails"


def of_sets(
    outcome: Outcome,
    sets: Sequence[Sequence[str]],
    upstream: Sequence[Sequence[str]],
    *,
    all_alone: bool,
    more: bool,
    ends: bool,
) -> str:
    """Of a rule or an error. `sets` and `upstream` are steps as `named` gives them; `all_alone`: each was tried."""
    without, stays = gone(outcome)
    singles = [(one[0], led) for one, led in zip(sets, upstream, strict=True) if len(one) == 1]
    several = [one for one in sets if len(one) > 1]
    parts: list[str] = []
    for name, led in singles[:MAX_NAMED]:
        parts.append(f"Without {name} {without}.")
        if led:
            parts.append(f"The same holds without {_some(led, 'or')}, without which that step would not have come.")
    if len(singles) > MAX_NAMED:
        parts.append(f"The same holds without any one of {plural(len(singles) - MAX_NAMED, 'other step')}.")
    if singles:
        parts.append(
            "No other single step changes that." if all_alone and not more else "Not every step was tried alone."
        )
    elif ends and not any(upstream) and not all_alone:
        parts.append(f"No step that was tried alone is the cause: without any one of these, {stays}.")
        parts.append("Not every step was tried alone.")
    elif ends and not any(upstream):
        parts.append(f"No single step is the cause: without any one of them, {stays}.")
    elif not ends:
        parts.append(f"No step of the record is the cause: even without all of them, {stays}.")
    if several:
        also = " also" if singles else ""
        shown = [listed(one) if len(one) <= 6 else f"{_some(one)}" for one in several[:MAX_NAMED]]
        parts.append(f"Without {', or without '.join(shown)} together, {without}{also}.")
        led = [] if singles else list(dict.fromkeys(name for names in upstream for name in names))
        if led:
            parts.append(f"The same holds without {_some(led, 'or')} alone, without which those would not have come.")
        if len(several) > MAX_NAMED or more:
            parts.append("There are more such sets.")
    return " ".join(parts)


def _some(names: Sequence[str], last: str = "and") -> str:
    if len(names) <= MAX_NAMED:
        return listed(names, last)
    return f"{', '.join(names[:MAX_NAMED])} {last} {plural(len(names) - MAX_NAMED, 'other step')}"


def amount(outcome: Outcome, value: float) -> str:
    """A measure's value with its unit."""
    if outcome.measure == "duration":
        return duration(round(value * 1_000_000))
    if outcome.measure == "tokens":
        return plural(round(value), "token")
    return f"${value:.6f}".rstrip("0").rstrip(".")


def of_measure(outcome: Outcome, whole: float, parts: Sequence[tuple[str, float]], word: str) -> str:
    """Of a cost, duration or number of tokens; `parts` with the largest first."""
    total = amount(outcome, whole)
    shown = [f"{name} {amount(outcome, value)} ({value / whole:.0%})" for name, value in parts[:MAX_NAMED] if value > 0]
    if not shown or whole <= 0:
        return f"No step accounts for the {total}."
    return f"Of {total}, {word}: {listed(shown)}."
