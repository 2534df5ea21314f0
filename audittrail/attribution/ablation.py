"""Which steps an outcome came from: it is worked out again on the record without them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from audittrail.attribution import finding, minimal
from audittrail.attribution.counterfactual import Game, Record
from audittrail.attribution.graph import graph_of
from audittrail.attribution.outcome import JudgeSpan, Outcome, Question
from audittrail.attribution.players import Player, players_of
from audittrail.attribution.remainder import JudgeTrace
from audittrail.attribution.shapley import EXACT_PLAYERS, exact, pairs_for
from audittrail.attribution.steps import Steps
from audittrail.attribution.trial import Nearest, Progress, Stop, Trial
from audittrail.model.ablation import METHODS, PLAYERS, Method, Players
from audittrail.model.errors import Invalid
from audittrail.model.human import listed
from audittrail.model.span import Kind, Span
from audittrail.model.summary import TraceRow

# Single removals while drawing orders. 200,000 are a few seconds.
SAMPLES = 200_000
# A rule about whole traces is asked for each removal: this many removals, or a few orders of very many steps.
HEAVY = 20_000
FEWEST_PAIRS = 8


class Part(msgspec.Struct, frozen=True):
    """A player's part in the outcome, in the result's unit. `low` and `high` hold the true Shapley value in 95 of 100
    draws; None where it is exact. `alone` is what its removal alone takes away; None where that was not tried."""

    span_id: str
    name: str
    kind: Kind
    value: float | None  # Shapley's, or of leave_one_out the same as `alone`; None where only sets were asked for
    low: float | None = None
    high: float | None = None
    alone: float | None = None
    span_ids: tuple[str, ...] = ()  # all steps of the player
    takes: int = 0  # other spans that go with it, because only it made them possible


class CauseSet(msgspec.Struct, frozen=True):
    """Players without whom together the outcome is gone, and with any one of whom it stays. `upstream`: players each of
    whom has the same effect only by making these possible."""

    span_ids: tuple[str, ...]
    upstream: tuple[str, ...] = ()


class Ablation(msgspec.Struct, frozen=True):
    """The answer. `with_all` is the outcome on the record as it is, `with_none` without any player, both in `unit`; the
    Shapley values add up to their difference."""

    outcome: Outcome
    method: Method
    by: Players
    unit: str  # violation, error (1: it is there, 0: not), US dollars, seconds or tokens
    with_all: float
    with_none: float
    parts: tuple[Part, ...]  # by start
    sets: tuple[CauseSet, ...]  # none for a measure
    complete: bool  # whether every player was tried alone and every set found
    exact: bool  # false: Shapley values are estimates
    samples: int  # orders drawn; 0 where exact
    seed: int
    asked: int  # how often the outcome was worked out
    finding: str
    level: Literal["proved"] = "proved"


def ablate(
    trace: TraceRow,
    spans: Sequence[Span],
    outcome: Outcome,
    *,
    judge_span: JudgeSpan,
    judge_trace: JudgeTrace,
    method: Method = "shapley",
    players: Players = "spans",
    seed: int = 0,
    samples: int = SAMPLES,
    progress: Progress = lambda done, total: None,
    stop: Stop = lambda: False,
) -> Ablation:
    """Works the outcome out again without each player, without sets of them, and in Shapley's way.

    The same arguments give the same answer, whatever order the spans come in. Raises Invalid where the trace does not
    have the outcome, and Stopped as soon as `stop()` says so; `progress(done, total)` counts trials.
    """
    if method not in METHODS or players not in PLAYERS:
        raise Invalid(f"The method is {listed(METHODS, 'or')}, and players are {listed(PLAYERS, 'or')}.")
    if not spans:
        raise Invalid("This trace has no spans.")
    steps = Steps(spans)
    game = Question(trace, steps, judge_span, judge_trace).game(outcome)
    chosen = players_of(steps, players)
    trial = Trial(Record(steps, graph_of(spans)), game, chosen, progress, stop)
    return _Run(steps, outcome, method, players, seed, samples, trial).answer()


class _Run:
    def __init__(
        self, steps: Steps, outcome: Outcome, method: Method, by: Players, seed: int, samples: int, trial: Trial
    ) -> None:
        self.steps = steps
        self.outcome = outcome
        self.method = method
        self.by = by
        self.seed = seed
        self.trial = trial
        self.players: Sequence[Player] = trial.players
        self.game: Game = trial.game
        count = len(self.players)
        self.small = count <= EXACT_PLAYERS
        self.pairs = pairs_for(count, samples) if method == "shapley" and not self.small else 0
        if self.pairs and self.game.heavy:
            self.pairs = max(FEWEST_PAIRS, min(self.pairs, HEAVY // count))
        trial.total = 2 + count + ((1 << count) if self.small else 2 * self.pairs * count)

    def answer(self) -> Ablation:
        trial, count = self.trial, len(self.players)
        self.whole = trial.value()
        self.none = trial.without(range(count))
        self.alone: list[int | None] = [None] * count
        self.takes = [0] * count
        nearest = Nearest(trial)
        singles: list[int] = []

        def alone(player: int, value: int) -> None:
            self.alone[player] = self.whole - value
            self.takes[player] = len(trial.record.lost) - len(self.players[player].places)
            if self.game.binary and value == 0:
                singles.append(player)
                nearest.add(frozenset((player,)))

        untried = trial.one_by_one(alone)
        table = trial.table() if self.small and self.method != "leave_one_out" else None
        complete = not untried
        if self.game.binary and self.method != "leave_one_out" and self.whole:
            complete &= self._sets(nearest, singles, table)
        nearest.settle()
        values, spreads = self._shapley(table)
        return Ablation(
            outcome=self.outcome,
            method=self.method,
            by=self.by,
            unit=self.outcome.unit,
            with_all=self._unit(self.whole),
            with_none=self._unit(self.none),
            parts=tuple(self._part(at, values, spreads) for at in range(count)),
            sets=self._cause_sets(nearest),
            complete=complete and not nearest.more,
            exact=not self.pairs,
            samples=2 * self.pairs,
            seed=self.seed,
            asked=trial.asked,
            finding=self._finding(nearest, values, not untried),
        )

    def _sets(self, nearest: Nearest, singles: list[int], table: list[int] | None) -> bool:
        """Adds sets of two and more; whether all were found."""
        if table is not None:
            found, ended = minimal.of_table(table, len(self.players)), True
        elif self.none:
            return True
        else:
            found, ended = self.trial.sets(singles)
            found += [near for group in found if len(group) > 1 and (near := nearest.nearer(group)) not in found]
        for group in sorted(found, key=lambda group: (len(group), [-at for at in sorted(group, reverse=True)])):
            if len(group) > 1:
                nearest.take(group)
        return ended

    def _shapley(self, table: list[int] | None) -> tuple[list[Fraction] | None, list[float] | None]:
        if self.method != "shapley":
            return None, None
        if table is not None:
            return exact(table), None
        sampled = self.trial.sample(self.seed, self.pairs, self.whole, self.none)
        everyone = range(len(self.players))
        return [sampled.value(at) for at in everyone], [sampled.spread(at, self.game.binary) for at in everyone]

    def _unit(self, value: int | Fraction) -> float:
        return float(Fraction(value) / self.game.scale)

    def _part(self, at: int, values: list[Fraction] | None, spreads: list[float] | None) -> Part:
        player, alone = self.players[at], self.alone[at]
        value = alone if self.method == "leave_one_out" else values[at] if values is not None else None
        shown = None if value is None else self._unit(value)
        half = None if spreads is None else spreads[at] / self.game.scale
        return Part(
            span_id=player.span_id,
            name=player.name,
            kind=player.kind,
            value=shown,
            low=None if half is None or shown is None else shown - half,
            high=None if half is None or shown is None else shown + half,
            alone=None if alone is None else self._unit(alone),
            span_ids=tuple(self.steps.spans[place].span_id for place in player.places),
            takes=self.takes[at],
        )

    def _cause_sets(self, nearest: Nearest) -> tuple[CauseSet, ...]:
        return tuple(
            CauseSet(self._ids(group), self._ids({one for other in led if len(other) == 1 for one in other}))
            for group, led in self._ordered(nearest)
        )

    def _ordered(self, nearest: Nearest) -> list[tuple[frozenset[int], list[frozenset[int]]]]:
        return sorted(nearest.sets.items(), key=lambda item: (len(item[0]), sorted(item[0])))

    def _ids(self, group: frozenset[int] | set[int]) -> tuple[str, ...]:
        return tuple(self.players[at].span_id for at in sorted(group))

    def _finding(self, nearest: Nearest, values: list[Fraction] | None, all_alone: bool) -> str:
        def name(at: int) -> str:
            return finding.named(self.players[at].name, self.players[at].span_id)

        if self.game.binary:
            ordered = self._ordered(nearest)
            return finding.of_sets(
                self.outcome,
                [[name(at) for at in sorted(group)] for group, _ in ordered],
                [[name(at) for at in sorted({a for g in led if len(g) == 1 for a in g})] for _, led in ordered],
                all_alone=all_alone,
                more=nearest.more,
                ends=not self.none,
            )
        shares = values or [Fraction(value or 0) for value in self.alone]
        order = sorted(range(len(shares)), key=lambda at: (-shares[at], at))
        word = "what goes when the step alone is taken away"
        if values:
            word = "by estimated Shapley value" if self.pairs else "by Shapley value"
        return finding.of_measure(
            self.outcome, self._unit(self.whole), [(name(at), self._unit(shares[at])) for at in order[:3]], word
        )
