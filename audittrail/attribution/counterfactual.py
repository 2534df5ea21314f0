"""The record without some of its steps.

A span is gone when

1. it was taken away, or
2. what contains it is gone, or
3. it was called or fed by steps and every one of them is gone, or
4. it only held other spans (agent, chain, other), was itself held, and all that it held directly is gone.

What holds the whole trace stays, as an agent that did nothing. Nothing else is gone: a step that one surviving step
called or fed stays, and so does one whose makers are not in the record, since it may have worked with what came from
outside. This is the least set with these properties, so steps that made each other (clocks may disagree)
are gone only if one of them is taken. What the steps that stay would have done differently is not in the record, and is
not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from audittrail.attribution.graph import Graph
from audittrail.attribution.steps import Steps


class Game(Protocol):
    """The outcome as a number of what is left. Spans are named by their place in the trace's order."""

    scale: int  # a value is a whole number of 1/scale units, so that sums are exact
    binary: bool  # 1: the outcome stands, 0: it does not
    heavy: bool  # value() asks for more than a sum that is kept

    def lose(self, at: int) -> None:
        """The span is gone."""

    def regain(self, at: int) -> None:
        """It is back; always the one lost last."""

    def value(self) -> int:
        """Of what is left."""


class Record:
    """Takes steps away, with what only they made possible, and puts them back. A step is looked at once for each of its
    edges, however many are taken."""

    def __init__(self, steps: Steps, graph: Graph) -> None:
        count = len(steps.spans)
        place = steps.place
        self.count = count
        self.gone = bytearray(count)
        self.lost: list[int] = []  # in the order in which they went
        self._inside: list[list[int]] = [[] for _ in range(count)]
        self._made: list[list[int]] = [[] for _ in range(count)]
        self._makers = [0] * count
        self._holder = [-1] * count
        self._holds = [0] * count
        acting = [steps.acts(span) for span in steps.spans]
        pairs = dict.fromkeys((place[e.source], place[e.target]) for e in graph.edges if e.type in ("calls", "feeds"))
        for maker, made in pairs:
            self._made[maker].append(made)
            self._makers[made] += 1
        for child, parent in steps.parents.items():
            inner, outer = place[child], place[parent]
            self._inside[outer].append(inner)
            if not acting[outer] and parent in steps.parents:
                self._holder[inner] = outer
                self._holds[outer] += 1

    def take(self, places: Iterable[int], game: Game | None = None) -> int:
        """Removes the spans; gives the mark to which `restore` goes back."""
        mark = len(self.lost)
        waiting = list(places)
        while waiting:
            at = waiting.pop()
            if self.gone[at]:
                continue
            self.gone[at] = 1
            self.lost.append(at)
            if game is not None:
                game.lose(at)
            waiting += self._inside[at]
            for made in self._made[at]:
                self._makers[made] -= 1
                if not self._makers[made]:
                    waiting.append(made)
            holder = self._holder[at]
            if holder >= 0:
                self._holds[holder] -= 1
                if not self._holds[holder]:
                    waiting.append(holder)
        return mark

    def restore(self, mark: int = 0, game: Game | None = None) -> None:
        """Puts back what went since the mark."""
        while len(self.lost) > mark:
            at = self.lost.pop()
            self.gone[at] = 0
            if game is not None:
                game.regain(at)
            for made in self._made[at]:
                self._makers[made] += 1
            if self._holder[at] >= 0:
                self._holds[self._holder[at]] += 1
