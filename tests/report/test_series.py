"""Charts are drawn from numbers alone, the same way every time, and show what there is."""

from __future__ import annotations

import itertools
import math
import random
import re

import pytest

from audittrail.report.series import (
    Frame,
    Point,
    Scale,
    Unit,
    apart,
    area_path,
    bars,
    columns,
    label_places,
    line_path,
    points,
    runs,
    scale_of,
    share_width,
    spark,
)

FRAME = Frame(600, 160, 40, 10, 60, 20)
S = 1_000_000.0


@pytest.mark.parametrize(
    ("most", "unit", "ticks"),
    [
        (1, "count", (0, 1)),
        (2, "count", (0, 1, 2)),
        (3, "count", (0, 1, 2, 3)),
        (4, "count", (0, 1, 2, 3, 4)),
        (5, "count", (0, 2, 4, 6)),
        (20, "count", (0, 5, 10, 15, 20)),
        (21, "count", (0, 10, 20, 30)),
        (100, "count", (0, 50, 100)),
        (12_345, "count", (0, 5_000, 10_000, 15_000)),
        (4e15, "count", (0, 1e15, 2e15, 3e15, 4e15)),
        (700, "us", (0, 200, 400, 600, 800)),
        (1.9 * S, "us", (0, 0.5 * S, 1 * S, 1.5 * S, 2 * S)),
        (7 * S, "us", (0, 2 * S, 4 * S, 6 * S, 8 * S)),
        (50 * S, "us", (0, 15 * S, 30 * S, 45 * S, 60 * S)),
        (200 * S, "us", (0, 60 * S, 120 * S, 180 * S, 240 * S)),
        (3_600 * S, "us", (0, 900 * S, 1_800 * S, 2_700 * S, 3_600 * S)),
        (86_400 * S * 30, "us", (0, 86_400 * S * 10, 86_400 * S * 20, 86_400 * S * 30)),
        (0.03, "ratio", (0, 0.01, 0.02, 0.03)),
        (0.7, "ratio", (0, 0.25, 0.5, 0.75, 1)),
        (1, "ratio", (0, 0.25, 0.5, 0.75, 1)),
        (0.0043, "dollars", (0, 0.002, 0.004, 0.006)),
        (1.2, "dollars", (0, 0.5, 1, 1.5)),
    ],
)
def test_ticks_are_round_and_reach_the_largest_value(most: float, unit: Unit, ticks: tuple[float, ...]) -> None:
    scale = scale_of([0, None, most, most / 3], unit)
    assert scale.ticks == pytest.approx(ticks)
    assert scale.top == scale.ticks[-1]


@pytest.mark.parametrize("unit", ["count", "us", "ratio", "dollars"])
def test_a_scale_has_few_equal_steps_from_zero_whatever_the_values(unit: Unit) -> None:
    dice = random.Random(unit)
    for _ in range(2_000):
        most = dice.random() if unit == "ratio" else 10 ** dice.uniform(-6 if unit == "dollars" else 0, 15)
        scale = scale_of([most], unit)
        assert scale.ticks[0] == 0 and 2 <= len(scale.ticks) <= 6, (most, scale)
        assert scale.top >= most * (1 - 1e-8), (most, scale)
        steps = [b - a for a, b in itertools.pairwise(scale.ticks)]
        assert max(steps) == pytest.approx(min(steps)), scale


@pytest.mark.parametrize("unit", ["count", "us", "ratio", "dollars"])
@pytest.mark.parametrize("values", [[], [None], [0, 0], [None, 0], [math.nan], [-3]])
def test_without_values_there_is_a_scale_all_the_same(values: list[float | None], unit: Unit) -> None:
    scale = scale_of(values, unit)
    assert scale.top > 0
    assert [tick.y for tick in scale.grid(FRAME)] == [FRAME.base, FRAME.top]


def test_zero_stands_on_the_base_and_the_top_at_the_edge() -> None:
    scale = Scale(10, (0, 5, 10))
    assert [(tick.value, tick.y) for tick in scale.grid(FRAME)] == [(0, 140), (5, 75), (10, 10)]
    assert (scale.y(-1, FRAME), scale.y(1e9, FRAME)) == (140, 10)


@pytest.mark.parametrize("count", [1, 2, 13, 31, 500])
def test_columns_fill_the_frame_side_by_side(count: int) -> None:
    found = columns(count, FRAME)
    assert len(found) == count
    assert found[0].x == FRAME.left
    assert found[-1].x + found[-1].width == pytest.approx(FRAME.width - FRAME.right, abs=count * 0.01)
    for a, b in itertools.pairwise(found):
        assert a.x + a.width == pytest.approx(b.x, abs=0.02)


def test_no_columns_of_nothing() -> None:
    assert columns(0, FRAME) == ()
    assert bars([], scale_of([]), FRAME) == ()
    assert points([], scale_of([]), FRAME) == ()


def test_bars_stand_on_zero_in_proportion() -> None:
    scale = Scale(10, (0, 10))
    found = bars([10, 5, 0, None, 1], scale, FRAME)
    assert [box.place for box in found] == [0, 1, 4]
    assert [box.height for box in found] == [130, 65, 13]
    assert all(box.y + box.height == FRAME.base for box in found)
    assert all(box.width == 75 for box in found)  # three quarters of a column of 100
    assert found[0].x == 52.5


def test_bars_stand_on_what_is_under_them() -> None:
    scale = Scale(10, (0, 10))
    (over,) = bars([4], scale, FRAME, under=[6])
    assert (over.y, over.y + over.height) == (scale.y(10, FRAME), scale.y(6, FRAME))


def test_beside_a_huge_outlier_the_small_can_still_be_seen() -> None:
    values = [1, 1_000_000, 2]
    found = bars(values, scale_of(values), FRAME)
    assert [round(box.height) for box in found] == [1, 130, 1]
    assert all(box.y >= FRAME.top for box in found)


def test_a_line_breaks_where_a_value_is_missing() -> None:
    scale = Scale(10, (0, 10))
    frame = Frame(100, 10)
    found = points([0, 10, None, 5, None, None, 10, 10, 0, 0], scale, frame)
    assert [[p.place for p in run] for run in runs(found)] == [[0, 1], [3], [6, 7, 8, 9]]
    assert line_path(found) == "M5 10L15 0M35 5L35 5M65 0L75 0L85 10L95 10"
    assert area_path(found, 10) == "M5 10L5 10L15 0L15 10ZM65 10L65 0L75 0L85 10L95 10L95 10Z"


def test_nothing_and_one_point() -> None:
    assert (line_path(()), area_path((), 1), runs(())) == ("", "", ())
    only = (Point(3, 1.5, 2.25),)
    assert (line_path(only), area_path(only, 9)) == ("M1.5 2.25L1.5 2.25", "")


@pytest.mark.parametrize("count", range(70))
@pytest.mark.parametrize("most", [1, 2, 5, 7])
def test_labels_are_few_equally_far_apart_and_name_the_last(count: int, most: int) -> None:
    found = label_places(count, most)
    assert len(found) <= most
    if count:
        assert found[-1] == count - 1
        assert len({b - a for a, b in itertools.pairwise(found)}) <= 1
        assert found[0] >= 0
    else:
        assert found == ()
    assert label_places(count, 0) == ()


def test_labels_keep_apart_in_their_order_within_the_frame() -> None:
    dice = random.Random(4)
    for _ in range(2_000):
        ys = [dice.uniform(0, 100) for _ in range(dice.randrange(1, 6))]
        found = apart(ys, 14, 5, 95)
        ranked = sorted(range(len(ys)), key=lambda i: ys[i])
        for a, b in itertools.pairwise(ranked):
            assert found[b] - found[a] >= 13.9
        assert all(4.99 <= y <= 95.01 for y in found)
    assert apart([10, 50], 14, 0, 100) == (10, 50)
    assert apart([50, 50], 14, 0, 100) == (50, 64)
    assert apart([99, 100], 14, 0, 100) == (86, 100)
    assert apart([], 14, 0, 100) == ()
    assert apart([1] * 5, 14, 0, 20) == (0, 5, 10, 15, 20)


@pytest.mark.parametrize("values", [[], [None, None], [0], [0, 0, 0], [5], [1, None, 1], [1, 1e12, 1]])
def test_a_spark_stays_within_its_box(values: list[float | None]) -> None:
    found = spark(values, 96, 24)
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", found.path)]
    assert all(0 <= x <= 96 for x in numbers[::2]) and all(0 <= y <= 24 for y in numbers[1::2])
    assert (found.last is None) == (found.path == "")
    assert bool(found.path) == any(value is not None for value in values)


def test_a_bar_beside_a_number() -> None:
    assert [share_width(v, 10) for v in (0, 0.001, 5, 10, 20)] == [0, 1, 50, 100, 100]
    assert (share_width(1, 0), share_width(-1, 3)) == (0, 0)


def test_the_same_numbers_give_the_same_text() -> None:
    dice = random.Random(9)
    values = [dice.choice((None, dice.random() * 1e7)) for _ in range(200)]
    scale = scale_of(values, "us")
    path = line_path(points(values, scale, FRAME))
    assert path == line_path(points(list(values), scale_of(values, "us"), FRAME))
    assert not re.search(r"-0(?!\.\d)|nan|inf|\d\.\d{3}", path)
