"""Shapley's axioms, exact and sampled, and delta debugging, on games drawn at random."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audittrail.attribution import minimal
from audittrail.attribution.shapley import Sampled, exact, flips, orders


@st.composite
def games(draw: st.DrawFn, least: int = 1, most: int = 6) -> list[int]:
    """A value for each set of players, nothing being known of how they work together."""
    count = draw(st.integers(least, most))
    return draw(st.lists(st.integers(-(10**15), 10**15), min_size=1 << count, max_size=1 << count))


def by_orders(table: list[int]) -> list[Fraction]:
    """The definition: the mean over all orders of what a player adds."""
    count = len(table).bit_length() - 1
    sums = [0] * count
    for order in itertools.permutations(range(count)):
        group = 0
        for player in order:
            sums[player] += table[group | 1 << player] - table[group]
            group |= 1 << player
    return [Fraction(total, math.factorial(count)) for total in sums]


@given(games(most=5))
def test_it_is_the_mean_over_all_orders(table: list[int]) -> None:
    assert exact(table) == by_orders(table)


@given(games())
def test_the_values_add_up_to_what_all_have_over_none(table: list[int]) -> None:
    assert sum(exact(table)) == table[-1] - table[0]
    shown = [float(value / 10**15) for value in exact(table)]
    assert math.isclose(math.fsum(shown), (table[-1] - table[0]) / 10**15, abs_tol=1e-9)


@given(games(least=2), st.data())
def test_players_who_change_places_change_values(table: list[int], data: st.DataObject) -> None:
    count = len(table).bit_length() - 1
    order = data.draw(st.permutations(range(count)))
    moved = [table[sum(1 << order[at] for at in range(count) if group >> at & 1)] for group in range(1 << count)]
    assert exact(moved) == [exact(table)[player] for player in order]


@given(games(least=2))
def test_who_is_alike_is_due_the_same(table: list[int]) -> None:
    alike = [table[group & ~3 | (1 if group & 3 else 0) + (2 if group & 3 == 3 else 0)] for group in range(len(table))]
    values = exact(alike)
    assert values[0] == values[1]


@given(games(most=5))
def test_who_never_makes_a_difference_is_due_nothing(table: list[int]) -> None:
    assert exact(table + table) == [*exact(table), 0]


@given(
    st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.lists(st.integers(-99, 99), min_size=2**n, max_size=2**n)] * 2))
)
def test_the_values_of_a_sum_are_the_sums_of_the_values(pair: tuple[list[int], list[int]]) -> None:
    both = [one + other for one, other in zip(*pair, strict=True)]
    assert exact(both) == [one + other for one, other in zip(exact(pair[0]), exact(pair[1]), strict=True)]


def sampled(table: list[int], seed: int, pairs: int) -> Sampled:
    count = len(table).bit_length() - 1

    def parts(order: list[int]) -> list[int]:
        found, group = [0] * count, (1 << count) - 1
        for player in order:
            found[player] = table[group] - table[group & ~(1 << player)]
            group &= ~(1 << player)
        return found

    found = Sampled(count)
    for order in orders(count, seed, pairs):
        found.add(parts(order), parts(order[::-1]))
    return found


@settings(max_examples=30)
@given(games(most=5), st.integers(0, 9))
def test_sampled_values_add_up_exactly_and_depend_on_the_seed_alone(table: list[int], seed: int) -> None:
    count = len(table).bit_length() - 1
    one, other = sampled(table, seed, 20), sampled(table, seed, 20)
    assert [one.value(at) for at in range(count)] == [other.value(at) for at in range(count)]
    assert sum(one.value(at) for at in range(count)) == table[-1] - table[0]


def test_intervals_hold_the_true_value_about_as_often_as_they_say() -> None:
    held = tried = 0
    for seed in range(60):
        draw = random.Random(seed)
        table = [draw.randint(0, 1_000) for _ in range(1 << 6)]
        found, true = sampled(table, seed, 60), exact(table)
        for at in range(6):
            held += abs(found.value(at) - true[at]) <= found.spread(at, binary=False)
            tried += 1
    assert 0.92 <= held / tried <= 0.98


@given(st.lists(st.integers(0, 1), min_size=1, max_size=60).map(lambda values: sorted(values, reverse=True)))
def test_halving_finds_the_one_change_of_a_line_that_only_falls(line: list[int]) -> None:
    changes = list(flips(line.__getitem__, 0, len(line) - 1, line[0], line[-1]))
    assert changes == [(at, line[at + 1] - line[at]) for at in range(len(line) - 1) if line[at] != line[at + 1]]


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.sets(st.integers(0, n - 1), min_size=1), min_size=1, max_size=4))
    )
)
def test_delta_debugging_finds_what_looking_at_every_set_finds(drawn: tuple[int, list[set[int]]]) -> None:
    """The outcome stands while one of some groups is whole: taking it away means to break each group."""
    count, whole = drawn

    def gone(taken: frozenset[int]) -> bool:
        return all(taken & group for group in whole)

    table = [int(not gone(frozenset(at for at in range(count) if not left >> at & 1))) for left in range(1 << count)]
    every = minimal.of_table(table, count)
    assert all(gone(one) and not any(gone(one - {member}) for member in one) for one in every)
    singles = [at for at in range(count) if gone(frozenset((at,)))]
    found, ended = minimal.search(range(count), singles, gone)
    assert set(found) <= set(every) and (not ended or set(found) == set(every))


def test_a_search_for_too_many_sets_says_that_it_did_not_end() -> None:
    pairs = [{2 * at, 2 * at + 1} for at in range(8)]  # 256 ways to break each of them
    found, ended = minimal.search(range(16), [], lambda taken: all(taken & pair for pair in pairs))
    assert not ended and 1 < len(found) <= minimal.MAX_SETS
    assert all(len(one) == 8 for one in found)


@pytest.mark.parametrize("size", (1, 2, 3, 7, 40))
def test_reduced_keeps_what_is_needed(size: int) -> None:
    draw = random.Random(size)
    needed = set(draw.sample(range(40), size))
    asked = 0

    def gone(taken: frozenset[int]) -> bool:
        nonlocal asked
        asked += 1
        return needed <= taken

    assert set(minimal.reduced(list(range(40)), gone)) == needed
    assert asked <= 40 * 40
