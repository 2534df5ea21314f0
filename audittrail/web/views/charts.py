"""Views of charts: the geometry of report/series.py with words on it, and the table behind each.

A chart is as wide as its place: x is in percent of the width, y in pixels, so that letters keep their size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from audittrail.model import human
from audittrail.model.analytics import BUCKETS_US, Bucket
from audittrail.report.series import (
    Box,
    Frame,
    Scale,
    Unit,
    apart,
    area_path,
    bars,
    columns,
    label_places,
    line_path,
    points,
    scale_of,
)

FRAME = Frame(width=100, height=176, top=30, bottom=20)
LABELS = 6  # along the time
_APART = 15  # pixels between labels at the end


class Line(msgspec.Struct, frozen=True):
    """A line of the grid."""

    y: float
    text: str


class Column(msgspec.Struct, frozen=True):
    """What is hit to read a step, and what it says."""

    x: float
    width: float
    says: str


class Label(msgspec.Struct, frozen=True):
    """Along the time, at a percentage; `spare`: left out where there is little room."""

    x: float
    text: str
    spare: bool


class Layer(msgspec.Struct, frozen=True):
    """One of the things shown, with its name at its end."""

    name: str
    style: str  # a class of the stylesheet
    boxes: tuple[Box, ...] = ()
    line: str = ""
    area: str = ""
    end_y: float = 0


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Macro: charts.series."""

    id: str
    title: str
    frame: Frame
    grid: tuple[Line, ...]
    columns: tuple[Column, ...]
    labels: tuple[Label, ...]
    layers: tuple[Layer, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: bool  # nothing but zeros


class Shown(msgspec.Struct, frozen=True):
    """A row of values to be drawn: its name, its class, and one for each step."""

    name: str
    style: str
    values: tuple[float | None, ...]


def step_text(us: int, size_us: int) -> str:
    """When a step begins, in UTC: `14:05`, `21 Nov`, `21 Nov 06:00`."""
    at = human.moment(us)
    day = f"{at.day} {at:%b}"
    return (
        day
        if size_us % BUCKETS_US["30d"] == 0
        else f"{at:%H:%M}"
        if size_us <= BUCKETS_US["24h"]
        else f"{day} {at:%H:%M}"
    )


def drawn(
    id_: str,
    title: str,
    names: Sequence[str],
    shown: Sequence[Shown],
    *,
    unit: Unit,
    stacked: bool,
    missing: str,
) -> Chart:
    """Of the values at these steps; `missing` is said where there is none."""
    steps, text = range(len(names)), TEXTS[unit]
    sums = [sum(one.values[i] or 0 for one in shown) for i in steps]
    every = sums if stacked else [value for one in shown for value in one.values]
    scale = scale_of(every, unit)
    layers = _bars(shown, scale) if stacked else _lines(shown, scale)
    ends = apart([layer.end_y for layer in layers], _APART, FRAME.top + 4, FRAME.base)
    cells = [[missing if v is None else text(v) for v in one.values] for one in shown]
    places = label_places(len(steps), LABELS)
    areas = columns(len(steps), FRAME)
    return Chart(
        id=id_,
        title=title,
        frame=FRAME,
        grid=tuple(Line(tick.y, text(tick.value)) for tick in scale.grid(FRAME)),
        columns=tuple(
            Column(
                area.x,
                area.width,
                f"{name}: " + ", ".join(f"{one.name} {cell[i]}" for one, cell in zip(shown, cells, strict=True)),
            )
            for i, (area, name) in enumerate(zip(areas, names, strict=True))
        ),
        labels=tuple(Label(areas[i].middle, names[i], n % 2 != len(places) % 2) for n, i in enumerate(places)),
        layers=tuple(msgspec.structs.replace(layer, end_y=y) for layer, y in zip(layers, ends, strict=True)),
        head=("From (UTC)", *(one.name.capitalize() for one in shown)),
        rows=tuple((name, *(cell[i] for cell in cells)) for i, name in enumerate(names)),
        empty=not any(every),
    )


def _chart(id_: str, title: str, steps: Sequence[Bucket], shown: Sequence[Shown], **how: Any) -> Chart:
    size = steps[0].until_us - steps[0].from_us
    return drawn(id_, title, [step_text(one.from_us, size) for one in steps], shown, **how)


TEXTS: dict[Unit, Callable[[float], str]] = {
    "count": lambda value: human.count(round(value)),
    "us": lambda value: human.duration(round(value)),
    "dollars": lambda value: human.money(Decimal(f"{value:.9f}")),
    "ratio": human.rate,
}


def _bars(shown: Sequence[Shown], scale: Scale) -> list[Layer]:
    under: list[float] = [0.0] * len(shown[0].values)
    found = []
    for one in shown:
        boxes = bars(one.values, scale, FRAME, under)
        under = [low + (value or 0) for low, value in zip(under, one.values, strict=True)]
        end = scale.y(under[-1] - (one.values[-1] or 0) / 2, FRAME)
        found.append(Layer(one.name, one.style, boxes, end_y=end))
    return found


def _lines(shown: Sequence[Shown], scale: Scale) -> list[Layer]:
    found = []
    for one in shown:
        at = points(one.values, scale, FRAME)
        end = at[-1].y if at else FRAME.base
        found.append(Layer(one.name, one.style, line=line_path(at), area=area_path(at, FRAME.base), end_y=end))
    return found


def traces_chart(steps: Sequence[Bucket]) -> Chart:
    """How many, and how many of them failed."""
    shown = (
        Shown("errors", "v-error", tuple(float(one.errors) for one in steps)),
        Shown("others", "v-plain", tuple(float(max(0, one.traces - one.errors)) for one in steps)),
    )
    return _chart("traces", "Traces", steps, shown, unit="count", stacked=True, missing="0")


def latency_chart(steps: Sequence[Bucket]) -> Chart:
    """How long half of them took, and all but one in twenty."""
    shown = (
        Shown("p95", "v-strong", tuple(_known(one.p95_us) for one in steps)),
        Shown("p50", "v-accent", tuple(_known(one.p50_us) for one in steps)),
    )
    return _chart(
        "latency",
        "Latency",
        steps,
        shown,
        unit="us",
        stacked=False,
        missing=human.NONE,
    )


def tokens_chart(steps: Sequence[Bucket]) -> Chart:
    """In and out."""
    shown = (
        Shown("out", "v-accent", tuple(float(one.output_tokens or 0) for one in steps)),
        Shown("in", "v-plain", tuple(float(one.input_tokens or 0) for one in steps)),
    )
    return _chart("tokens", "Tokens", steps, shown, unit="count", stacked=True, missing="0")


def cost_chart(steps: Sequence[Bucket]) -> Chart:
    """Of what was priced."""
    shown = (Shown("cost", "v-accent", tuple(float(one.cost or 0) for one in steps)),)
    return _chart("cost", "Cost", steps, shown, unit="dollars", stacked=True, missing="$0")


def _known(us: int | None) -> float | None:
    return None if us is None else float(us)
