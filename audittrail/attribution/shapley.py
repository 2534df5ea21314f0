"""Shapley values: what each player contributes on average over all orders in which they could have joined."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

# 2 ** 12 sets are all looked at; of more players, orders are drawn.
EXACT_PLAYERS = 12
Z = 1.96  # standard errors to each side of a mean that hold 95 % of it


def exact(table: Sequence[int]) -> list[Fraction]:
    """The values of n players from the value of each of the 2**n sets of them, bit i standing for player i."""
    count = len(table).bit_length() - 1
    factorial = [math.factorial(number) for number in range(count + 1)]
    weight = [factorial[size] * factorial[count - 1 - size] for size in range(count)]
    sums = [0] * count
    for group, value in enumerate(table):
        size = group.bit_count()
        gain = value * weight[size - 1] if size else 0
        loss = value * weight[size] if size < count else 0
        for player in range(count):
            sums[player] += gain if group >> player & 1 else -loss
    return [Fraction(total, factorial[count]) for total in sums]


class Sampled:
    """Means over drawn orders, in pairs of an order and its reverse, whose errors partly cancel. The parts of each
    order add up to the whole, so their means do too."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pairs = 0
        self._sums = [0] * count
        self._squares = [0] * count

    def add(self, one: Sequence[int], other: Sequence[int]) -> None:
        """What each player contributed in an order and in its reverse."""
        self.pairs += 1
        for player in range(self.count):
            both = one[player] + other[player]
            if both:
                self._sums[player] += both
                self._squares[player] += both * both

    def value(self, player: int) -> Fraction:
        """The mean."""
        return Fraction(self._sums[player], 2 * self.pairs)

    def spread(self, player: int, binary: bool) -> float:
        """Half of the 95 % interval. Of an outcome that is there or not, a player that never made a difference may
        still make one in up to 3 of as many orders as were drawn (the rule of three)."""
        pairs, total = self.pairs, self._sums[player]
        if pairs < 2:
            return math.inf
        variance = Fraction(self._squares[player] * pairs - total * total, 4 * pairs * (pairs - 1))
        half = Z * math.sqrt(variance / pairs)
        return half if half or not binary else 3 / (2 * pairs)


def orders(count: int, seed: int, pairs: int) -> Iterator[list[int]]:
    """Orders of the players, drawn by the seed."""
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    order = list(range(count))
    for _ in range(pairs):
        draw.shuffle(order)
        yield order


def pairs_for(count: int, samples: int) -> int:
    """How many pairs of orders to draw: about `samples` single steps, at least 16 and at most 1,000 pairs."""
    return max(16, min(1_000, samples // (2 * max(1, count))))


def flips(values: Callable[[int], int], low: int, high: int, before: int, after: int) -> Iterator[tuple[int, int]]:
    """Where a value changes along a line of removals, by halving: (step, change) for steps above `low` up to `high`.
    Between two equal values no change is looked for."""
    stack = [(low, high, before, after)]
    while stack:
        start, end, first, last = stack.pop()
        if first == last:
            continue
        if end - start == 1:
            yield start, last - first
            continue
        middle = (start + end) // 2
        value = values(middle)
        stack += [(middle, end, value, last), (start, middle, first, value)]
