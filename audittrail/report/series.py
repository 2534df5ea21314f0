"""Geometry of series: scales with round ticks, bars from zero, lines with gaps, sparklines.

Numbers in, coordinates out: no markup, no colours, no fonts. y grows downward, as in SVG; a PDF turns it over.
Everything is rounded to a hundredth of a unit, so that the same numbers always give the same text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

# What the axis counts decides which steps are round.
Unit = Literal["count", "us", "ratio", "dollars"]

_DECIMAL = (1.0, 2.0, 5.0, 10.0)
# Microseconds: below a second decimal; then seconds, minutes, hours and days in steps a clock has.
_TIMES_US = tuple(
    round(step * 1e6)
    for step in (
        *(1, 2, 5, 10, 15, 30),
        *(60, 120, 300, 600, 900, 1_800),
        *(3_600, 7_200, 10_800, 21_600, 43_200, 86_400),
    )
)


class Frame(msgspec.Struct, frozen=True):
    """The drawing's size, and the rectangle inside it that the numbers fill."""

    width: float
    height: float
    left: float = 0
    top: float = 0
    right: float = 0  # margins
    bottom: float = 0

    @property
    def inner_width(self) -> float:
        """Of the rectangle."""
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> float:
        """Of the rectangle."""
        return self.height - self.top - self.bottom

    @property
    def base(self) -> float:
        """y of zero."""
        return _tidy(self.height - self.bottom)


class Tick(msgspec.Struct, frozen=True):
    """A line of the grid."""

    value: float
    y: float


class Scale(msgspec.Struct, frozen=True):
    """From 0 to the top, linear."""

    top: float
    ticks: tuple[float, ...]  # from 0 to the top, in equal steps

    def y(self, value: float, frame: Frame) -> float:
        """Where a value stands; beyond the top it stands at the edge."""
        share = min(1.0, max(0.0, value / self.top))
        return _tidy(frame.base - share * frame.inner_height)

    def grid(self, frame: Frame) -> tuple[Tick, ...]:
        """The lines, from zero upward."""
        return tuple(Tick(value, self.y(value, frame)) for value in self.ticks)


class Box(msgspec.Struct, frozen=True):
    """A rectangle: a bar, or what is hit to read a value. `place` is its number in the series."""

    place: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """x of its middle."""
        return _tidy(self.x + self.width / 2)


class Point(msgspec.Struct, frozen=True):
    """A value of a line."""

    place: int
    x: float
    y: float


def _tidy(value: float) -> float:
    found = round(value, 2)
    return found + 0.0 if found else 0.0  # never -0.0


def step_of(most: float, unit: Unit, ticks: int) -> float:
    """The smallest round step with which so many steps reach the largest value."""
    least = most / ticks
    if unit == "us" and least > 500_000:
        for length in _TIMES_US:
            if length >= least:
                return float(length)
        days = math.ceil(least / 86_400e6)
        return step_of(float(days), "count", 1) * 86_400e6
    if unit in ("count", "us") and least <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    for factor in _DECIMAL:
        # A value that is round already must not be pushed up by the last bit of a division.
        if factor * power >= least * (1 - 1e-9):
            step = factor * power
            return float(round(step)) if unit in ("count", "us") else float(f"{step:.6g}")
    raise AssertionError  # ten times the power is always enough


def scale_of(values: Sequence[float | None], unit: Unit = "count", ticks: int = 4) -> Scale:
    """From zero to a round number that is no less than the largest value; without values or with zeros alone, to 1
    (a second for durations, a cent for dollars)."""
    most = max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
    if unit == "ratio" and most > 0.5:
        return Scale(1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
    if most <= 0:
        top = {"count": 1.0, "us": 1e6, "ratio": 0.1, "dollars": 0.01}[unit]
        return Scale(top, (0.0, top))
    step = step_of(float(most), unit, ticks)
    many = max(1, math.ceil(most / step * (1 - 1e-9)))
    places = tuple(float(f"{step * i:.10g}") for i in range(many + 1))
    return Scale(places[-1], places)


def columns(count: int, frame: Frame) -> tuple[Box, ...]:
    """The frame's rectangle cut into equal columns: what is hit to read each step, and where labels stand."""
    each = frame.inner_width / count if count else 0
    return tuple(
        Box(i, _tidy(frame.left + i * each), _tidy(frame.top), _tidy(each), _tidy(frame.inner_height))
        for i in range(count)
    )


def bars(
    values: Sequence[float | None], scale: Scale, frame: Frame, under: Sequence[float | None] = (), gap: float = 0.25
) -> tuple[Box, ...]:
    """A bar from zero for each value that is more than 0, or from the top of what it stands on (`under`).

    `gap` is the share of a column that stays free. A value that is not 0 is at least one unit high: it must be seen.
    """
    found = []
    for column in columns(len(values), frame):
        value = values[column.place] or 0
        below = (under[column.place] or 0) if under else 0
        if value <= 0:
            continue
        low = scale.y(below, frame)
        high = min(scale.y(below + value, frame), low - 1)
        wide = max(1.0, column.width * (1 - gap))
        x = column.x + (column.width - wide) / 2
        found.append(Box(column.place, _tidy(x), _tidy(high), _tidy(wide), _tidy(low - high)))
    return tuple(found)


def points(values: Sequence[float | None], scale: Scale, frame: Frame) -> tuple[Point, ...]:
    """The values that there are, each in the middle of its column."""
    return tuple(
        Point(column.place, column.middle, scale.y(value, frame))
        for column, value in zip(columns(len(values), frame), values, strict=True)
        if value is not None
    )


def runs(found: Sequence[Point]) -> tuple[tuple[Point, ...], ...]:
    """The points in runs without a gap."""
    parts: list[list[Point]] = []
    for point in found:
        if parts and parts[-1][-1].place == point.place - 1:
            parts[-1].append(point)
        else:
            parts.append([point])
    return tuple(map(tuple, parts))


def line_path(found: Sequence[Point]) -> str:
    """The path through the points, broken where a value is missing. A point alone is a dot: a line of no length, which
    round caps make visible."""
    parts = []
    for run in runs(found):
        first, *rest = run
        ends = [f"{point.x:g} {point.y:g}" for point in rest] or [f"{first.x:g} {first.y:g}"]
        parts.append(f"M{first.x:g} {first.y:g}L" + "L".join(ends))
    return "".join(parts)


def area_path(found: Sequence[Point], base: float) -> str:
    """What lies between the line and the base; points alone have no area."""
    parts = []
    for run in runs(found):
        if len(run) > 1:
            along = "".join(f"L{point.x:g} {point.y:g}" for point in run)
            parts.append(f"M{run[0].x:g} {base:g}{along}L{run[-1].x:g} {base:g}Z")
    return "".join(parts)


def label_places(count: int, most: int) -> tuple[int, ...]:
    """Which of the columns are labelled: at most so many, equally far apart, the last always."""
    if count <= 0 or most <= 0:
        return ()
    step = max(1, math.ceil(count / most))
    return tuple(range((count - 1) % step, count, step))


def apart(ys: Sequence[float], least: float, low: float, high: float) -> tuple[float, ...]:
    """Labels at these heights, moved as little as is needed for `least` between them, within low and high. Their order
    is kept; where there is not room for all, they share what there is."""
    order = sorted(range(len(ys)), key=lambda i: (ys[i], i))
    room = min(least, (high - low) / (len(ys) - 1)) if len(ys) > 1 else least
    placed = [0.0] * len(ys)
    at: float = low
    for i in order:
        placed[i] = at = max(at, ys[i])
        at += room
    at = high
    for i in reversed(order):
        placed[i] = min(placed[i], at)
        at = placed[i] - room
    return tuple(_tidy(y) for y in placed)


class Spark(msgspec.Struct, frozen=True):
    """A small line without axes; `path` and `area` are empty where there is nothing to draw."""

    width: float
    height: float
    path: str
    area: str
    last: Point | None


def spark(values: Sequence[float | None], width: float = 96, height: float = 24) -> Spark:
    """From zero to the largest value. Nothing but zeros is a line along the bottom."""
    frame = Frame(width, height, 1.5, 2, 1.5, 2)
    most = max((value for value in values if value is not None), default=0) or 1
    found = points(values, Scale(float(most), (0.0, float(most))), frame)
    return Spark(width, height, line_path(found), area_path(found, frame.base), found[-1] if found else None)


def share_width(value: float, most: float, width: float = 100) -> float:
    """How long a bar beside a number is; what is not 0 can be seen."""
    if value <= 0 or most <= 0:
        return 0.0
    return _tidy(max(width / 100, min(1.0, value / most) * width))
