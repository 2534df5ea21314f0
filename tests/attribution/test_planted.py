"""The ablation names exactly the causes that were put into a trace."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from audittrail.attribution import Ablation, ablate, parse
from audittrail.attribution.ablation import Method
from tests.attribution.planted import CAUSES, MEASURED, Planted

SEEDS = range(25)


def run(planted: Planted, method: Method = "shapley", **more: object) -> Ablation:
    return ablate(
        planted.trace,
        planted.spans,
        parse(planted.outcome),
        judge_span=planted.judge_span,
        judge_trace=planted.judge_trace,
        method=method,
        **{"samples": 2_000, **more},
    )


@pytest.mark.parametrize("plant", CAUSES, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_causes_that_were_planted_are_found_and_no_others(plant: Callable[[int], Planted], seed: int) -> None:
    planted = plant(seed)
    found = run(planted, "minimal")
    assert {frozenset(one.span_ids): frozenset(one.upstream) for one in found.sets} == planted.sets, found.finding
    assert found.complete


@pytest.mark.parametrize("plant", CAUSES, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("seed", (1, 2, 3))
def test_only_what_was_planted_has_a_value(plant: Callable[[int], Planted], seed: int) -> None:
    planted = plant(seed)
    found = run(planted)
    total = math.fsum(part.value or 0 for part in found.parts)
    assert math.isclose(total, found.with_all - found.with_none, abs_tol=1e-9)
    due = frozenset().union(*planted.sets, *planted.sets.values())
    valued = {part.span_id for part in found.parts if part.value}
    if plant.__name__ == "harm_either":  # with the askers, who each led to one half
        assert next(iter(planted.sets)) <= valued and len(valued) == 4
    elif plant.__name__ == "harm_two_ways_in":  # with the two sources, who together led to it
        assert due <= valued and len(valued) == 3
    elif found.with_none == found.with_all or due:
        assert valued == due
    for part in found.parts:
        assert (part.name in found.finding) or part.span_id not in due


@pytest.mark.parametrize("plant", MEASURED, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_each_step_is_due_what_it_used(plant: Callable[[int], Planted], seed: int) -> None:
    planted = plant(seed)
    found = run(planted)
    assert planted.parts is not None
    shown = {part.span_id: part.value for part in found.parts if part.value}
    assert shown == pytest.approx(planted.parts, abs=1e-9)
    assert math.isclose(math.fsum(shown.values()), found.with_all - found.with_none, abs_tol=1e-9)
    assert found.sets == ()
