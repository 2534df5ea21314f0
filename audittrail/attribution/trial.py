"""Asking the record again and again what would be left of the outcome without some players, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from audittrail.attribution.counterfactual import Game, Record
from audittrail.attribution.minimal import MAX_SETS, Exhausted, search
from audittrail.attribution.players import Player
from audittrail.attribution.shapley import Sampled, flips, orders
from audittrail.model.errors import AuditTrailError

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
# Steps removed or summed up while trying players one by one; about a microsecond each. A conversation of 10,000 turns,
# of which each removes all later ones, would be 50 million.
MAX_WORK = 5_000_000
# The same while looking for sets.
MAX_SEARCH = 1_000_000
# A rule about whole traces is asked for single steps up to this many players; above, changes are found by halving.
HALVING_FROM = 200
TICK = 64
# Steps that are tried in the place of one that made them possible, the latest first.
MAX_TRIED = 50


class Stopped(AuditTrailError):
    """The ablation was asked to stop before it had an answer. Nothing of it is kept."""


class Trial:
    """One run. Every answer is counted; `progress` hears of it and `stop` is asked at least every 64 answers."""

    def __init__(self, record: Record, game: Game, players: Sequence[Player], progress: Progress, stop: Stop) -> None:
        self.record = record
        self.game = game
        self.players = players
        self.asked = 0
        self.total = 0
        self._progress = progress
        self._stop = stop
        self._done = 0

    def tick(self, steps: int = 1) -> None:
        """Counts steps of work, tells of them, and raises Stopped when asked to stop."""
        before, self._done = self._done, self._done + steps
        if before // TICK != self._done // TICK or not before or not steps:
            if self._stop():
                raise Stopped("The ablation was stopped before it was finished.")
            self._progress(min(self._done, self.total), self.total)

    def value(self) -> int:
        """Of what is left just now."""
        self.asked += 1
        return self.game.value()

    def without(self, players: Iterable[int]) -> int:
        """The value without these players; the record is whole again afterwards."""
        mark = self.record.take((at for player in players for at in self.players[player].places), self.game)
        value = self.value()
        self.record.restore(mark, self.game)
        self.tick()
        return value

    def sets(self, singles: Iterable[int]) -> tuple[list[frozenset[int]], bool]:
        """Sets of players without whom the outcome is gone, and whether all were found."""
        left = MAX_SEARCH
        dear = 2 * self.record.count if self.game.heavy else 1

        def gone(taken: frozenset[int]) -> bool:
            nonlocal left
            left -= dear + len(taken)
            if left < 0:
                raise Exhausted
            return not self.without(taken)

        return search(range(len(self.players)), singles, gone)

    def table(self) -> list[int]:
        """The value of every set of players that are left, bit i for player i. Each differs from the one before it by
        the removal of one player more, so it costs what that one takes with it."""
        count = len(self.players)
        found = [0] * (1 << count)

        def fill(player: int, left: int) -> None:
            if player == count:
                found[left] = self.value()
                self.tick()
                return
            fill(player + 1, left | 1 << player)
            mark = self.record.take(self.players[player].places, self.game)
            fill(player + 1, left)
            self.record.restore(mark, self.game)

        fill(0, 0)
        return found

    def one_by_one(self, alone: Callable[[int, int], None]) -> int:
        """Removes each player alone, the latest first, and calls `alone(player, value)` while it is gone. Gives how
        many were not tried, the earliest, because it had become too much work."""
        work = 0
        dear = 2 * self.record.count if self.game.heavy else 1
        for player in range(len(self.players) - 1, -1, -1):
            if work > MAX_WORK:
                return player + 1
            mark = self.record.take(self.players[player].places, self.game)
            work += len(self.record.lost) - mark + dear
            alone(player, self.value())
            self.record.restore(mark, self.game)
            self.tick()
        return 0

    def sample(self, seed: int, pairs: int, whole: int, none: int) -> Sampled:
        """Shapley values from `pairs` orders and their reverses."""
        sampled = Sampled(len(self.players))
        for order in orders(len(self.players), seed, pairs):
            sampled.add(self._parts(order, whole, none), self._parts(order[::-1], whole, none))
        return sampled

    def _parts(self, order: list[int], whole: int, none: int) -> list[int]:
        """What each player takes with it, removed in this order."""
        parts = [0] * len(order)
        if self.game.heavy and len(order) > HALVING_FROM:
            marks = [0]  # by how many are gone: where the record stood before the next

            def first(count: int) -> int:
                """The value without the first `count`, from where the record stands just now."""
                if count < len(marks) - 1:
                    self.record.restore(marks[count], self.game)
                    del marks[count + 1 :]
                for player in order[len(marks) - 1 : count]:
                    self.record.take(self.players[player].places, self.game)
                    marks.append(len(self.record.lost))
                self.tick(0)
                return self.value()

            for at, change in flips(first, 0, len(order), whole, none):
                parts[order[at]] = -change
            self.record.restore(0, self.game)
            self.tick(len(order))
            return parts
        before = whole
        for player in order:
            self.record.take(self.players[player].places, self.game)
            after = self.value()
            parts[player] = before - after
            before = after
            self.tick()
        self.record.restore(0, self.game)
        return parts


class Nearest:
    """Of sets whose removal removes the outcome, those that are nearest to it: a set that takes another such set with
    it led to it, and is named as that."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.sets: dict[frozenset[int], list[frozenset[int]]] = {}  # with what led to each
        self.more = False

    def add(self, found: frozenset[int]) -> None:
        """Called while the set is gone from the record; later sets first."""
        gone, players = self._trial.record.gone, self._trial.players
        for nearer, led in self.sets.items():
            if all(gone[at] for player in nearer for at in players[player].places):
                led.append(found)
                return
        if len(self.sets) >= MAX_SETS:
            self.more = True
            return
        self.sets[found] = []

    def take(self, found: frozenset[int]) -> None:
        """Adds a set that is not gone just now, and looks which of those known it is nearer than."""
        trial = self._trial
        mark = trial.record.take((at for one in found for at in trial.players[one].places), trial.game)
        self.add(found)
        trial.record.restore(mark, trial.game)

    def settle(self) -> None:
        """Looks once more, in case a nearer set was found after one that led to it."""
        known, self.sets = self.sets, {}
        for found, led in reversed(known.items()):
            self.take(found)
            home = next(near for near in self.sets if near == found or found in self.sets[near])
            self.sets[home] += led

    def nearer(self, found: frozenset[int]) -> frozenset[int]:
        """The set with each member replaced by one that only it made possible, as long as the outcome stays gone."""
        trial = self._trial
        for member in sorted(found) if len(found) <= MAX_SETS else ():
            mark = trial.record.take(trial.players[member].places, trial.game)
            lost = [at for at, one in enumerate(trial.players) if all(trial.record.gone[p] for p in one.places)]
            trial.record.restore(mark, trial.game)
            for other in [one for one in reversed(lost) if one not in found][:MAX_TRIED]:
                replaced = found - {member} | {other}
                if not trial.without(replaced):
                    found = replaced
                    break
        return found
