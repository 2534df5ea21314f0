"""Charts from the geometry of report/series.py, which draws the dashboard too; names stand at the ends."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from audittrail.model import human
from audittrail.report import series
from audittrail.report.document import Chart, Meaning
from audittrail.report.pdf import ink
from audittrail.report.pdf.page import INNER, LEFT, Sheet
from audittrail.report.pdf.prose import remark
from audittrail.report.pdf.writing import Row, one_line, set_lines, short
from audittrail.report.series import Frame, Scale, Unit

Values = Sequence[float | None]

_HEIGHT, _HIGHEST = 150.0, 560.0
_ABOVE = 6.0
_APART = 11.0
_SWATCH = 16.0
_WIDEST = 40.0  # bar
_NAME = 118.0  # the most that a name at the end may take
_FILLS: dict[Meaning, str] = {**ink.INK, "plain": "#b4bcc6"}
_GROUNDS: dict[Meaning, str] = {**ink.TINT, "ok": "#cfe8d7"}
# Where colours repeat or are not seen: the second line of a kind is dashed, the third dotted.
_DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2.5), (1.5, 2.2), (7, 2, 1.5, 2))
_LINES = (ink.ACCENT, ink.TEXT, ink.EDGE)


def _ticked(unit: Unit, value: float) -> str:
    if not value:
        return "0"
    match unit:
        case "us":
            return re.sub(r"\.0+(?= )", "", human.duration(round(value)))
        case "ratio":
            return f"{value * 100:.4g} %"
        case "dollars":
            return human.money(Decimal(repr(value)))
        case _:
            return human.count(round(value))


def _told(unit: Unit, value: float) -> str:
    return (
        f"{value:,.10g}"
        if unit == "count"
        else human.duration(0)
        if not value and unit == "us"
        else _ticked(unit, value)
    )


class _Shown(msgspec.Struct, frozen=True):
    """A line of the chart with what tells it from the others."""

    name: str
    values: tuple[float | None, ...]
    meaning: Meaning
    colour: str
    dash: tuple[float, ...]


def _shown(block: Chart) -> list[_Shown]:
    found: list[_Shown] = []
    count = len(block.labels)
    for line in block.lines:
        values = tuple(v if v is not None and math.isfinite(v) else None for v in line.values[:count])
        values += (None,) * (count - len(values))
        alike = sum(one.meaning == line.meaning for one in found)
        bars = block.shape == "bars"
        colour = _FILLS[line.meaning] if bars or line.meaning != "plain" else _LINES[alike % len(_LINES)]
        found.append(_Shown(line.name, values, line.meaning, colour, _DASHES[alike % len(_DASHES)]))
    return found


def whole(block: Chart) -> float:
    """The height of what stands together: the caption, the drawing and the first of its sentence."""
    shown = _shown(block)
    return _ABOVE + (_drawn(shown) + 40 if _known(shown) else 67) + len(_caption(block)) * ink.CAPTION.leading


def _caption(block: Chart) -> list[Row]:
    return set_lines(short(block.caption, 300, 3), ink.CAPTION, INNER)


def _known(shown: Sequence[_Shown]) -> bool:
    return any(value is not None for one in shown for value in one.values)


def _drawn(shown: Sequence[_Shown]) -> float:
    return min(_HIGHEST, max(_HEIGHT, len(shown) * _APART + 34))


def chart(sheet: Sheet, block: Chart) -> None:
    """The drawing, and a sentence that says the same in words."""
    shown = _shown(block)
    caption = _caption(block)
    sheet.need(whole(block))
    if not _known(shown):
        sheet.column(LEFT, sheet.y, INNER, caption, ink.CAPTION)
        sheet.y -= len(caption) * ink.CAPTION.leading
        remark(sheet, "Nothing is known for this range.")
        sheet.y -= 10
        return
    height = _drawn(shown)
    sheet.skip(_ABOVE)
    sheet.column(LEFT, sheet.y, INNER, caption, ink.CAPTION)
    sheet.y -= len(caption) * ink.CAPTION.leading
    scale = series.scale_of(_tops(block, shown), block.unit)
    _Drawing(sheet, block, shown, scale, height).draw()
    sheet.y -= height + 3
    remark(sheet, short(_in_words(block, shown), 1_200, 12))
    sheet.y -= 10


def _tops(block: Chart, shown: Sequence[_Shown]) -> list[float | None]:
    if block.shape == "lines":
        return [value for one in shown for value in one.values]
    return [sum(max(one.values[i] or 0, 0) for one in shown) for i in range(len(block.labels))]


def _in_words(block: Chart, shown: Sequence[_Shown]) -> str:
    """`errors: 31 in all, most 12 (21 Nov)`."""
    parts = []
    for one in shown:
        known = [(value, -place) for place, value in enumerate(one.values) if value is not None]
        name = human.line(one.name, 80)
        if not known:
            parts.append(f"{name}: nothing known")
            continue
        most, place = max(known)
        all_of = (
            f"{_told(block.unit, sum(value for value, _ in known))} in all, "
            if block.unit in ("count", "dollars")
            else ""
        )
        parts.append(f"{name}: {all_of}most {_told(block.unit, most)} ({human.line(block.labels[-place], 60)})")
    return "; ".join(parts) + "."


class _Drawing:
    """One chart on a sheet, its upper edge where the sheet stands."""

    def __init__(self, sheet: Sheet, block: Chart, shown: list[_Shown], scale: Scale, height: float) -> None:
        self.sheet, self.block, self.shown, self.scale = sheet, block, shown, scale
        self.names = [one_line(one.name, ink.SMALL, _NAME) for one in shown]
        self.ticks = [one_line(_ticked(block.unit, value), ink.SMALL, 70) for value in scale.ticks]
        self.frame = Frame(
            width=INNER,
            height=height,
            left=max(row.width for row in self.ticks) + 7,
            top=8,
            right=max(row.width for row in self.names) + _SWATCH + 12,
            bottom=18,
        )
        self.top = sheet.y

    def y(self, down: float) -> float:
        """On the page, where heights grow upward."""
        return self.top - down

    def draw(self) -> None:
        """Grid, then what is shown, then its names."""
        self._grid()
        ends = self._bars() if self.block.shape == "bars" else self._lines()
        self._names(ends)
        self._labels()

    def _grid(self) -> None:
        frame, sheet = self.frame, self.sheet
        for tick, row in zip(self.scale.grid(frame), self.ticks, strict=True):
            y = self.y(tick.y)
            base = tick.value == 0
            sheet.rule(
                y,
                LEFT + frame.left,
                LEFT + frame.width - frame.right,
                ink.EDGE if base else ink.LINE,
                0.75 if base else 0.5,
            )
            sheet.write(LEFT + frame.left - 7 - row.width, y - 2.6, row, ink.SMALL)

    def _bars(self) -> list[float]:
        under: list[float] = [0.0] * len(self.block.labels)
        gap = max(0.25, 1 - _WIDEST * len(under) / self.frame.inner_width)
        ends = []
        for one in self.shown:
            values = [max(value, 0) if value is not None else None for value in one.values]
            for box in series.bars(values, self.scale, self.frame, under, gap):
                self._swatch(one, LEFT + box.x, self.y(box.y + box.height), box.width, box.height)
            under = [low + (value or 0) for low, value in zip(under, values, strict=True)]
            ends.append(self.scale.y(under[-1] - (values[-1] or 0) / 2, self.frame))
        return ends

    def _swatch(self, one: _Shown, x: float, y: float, width: float, height: float) -> None:
        """A bar: plain and ok are light, error is full, and the others are ruled, each in its own direction."""
        sheet, canvas = self.sheet, self.sheet.canvas
        sheet.fill(one.colour)
        if one.meaning in ("plain", "error") and not one.dash:
            canvas.rect(x, y, width, height, stroke=0, fill=1)
            return
        canvas.saveState()
        sheet.fill(_GROUNDS[one.meaning])
        path = canvas.beginPath()
        path.rect(x, y, width, height)
        canvas.clipPath(path, stroke=0, fill=1)
        sheet.stroke(one.colour, 1)
        for slope in _SLOPES[one.meaning]:
            step = 2.6 + len(one.dash)
            at = x - height
            while at < x + width + height:
                canvas.line(at, y, at + slope * height, y + height)
                at += step
        canvas.restoreState()
        sheet.stroke(one.colour, 0.6)
        canvas.rect(x, y, width, height, stroke=1, fill=0)

    def _lines(self) -> list[float]:
        canvas = self.sheet.canvas
        ends = []
        for one in self.shown:
            found = series.points(one.values, self.scale, self.frame)
            self.sheet.stroke(one.colour, 1.25, one.dash)
            canvas.setLineJoin(1)
            for run in series.runs(found):
                path = canvas.beginPath()
                for place, point in enumerate(run):
                    (path.lineTo if place else path.moveTo)(LEFT + point.x, self.y(point.y))
                canvas.drawPath(path, stroke=1, fill=0)
                if len(run) == 1:
                    self.sheet.fill(one.colour)
                    canvas.circle(LEFT + run[0].x, self.y(run[0].y), 1.6, stroke=0, fill=1)
            ends.append(found[-1].y if found else self.frame.base)
        self.sheet.stroke(ink.LINE)
        return ends

    def _names(self, ends: Sequence[float]) -> None:
        frame, sheet = self.frame, self.sheet
        x = LEFT + frame.width - frame.right + 6
        for one, row, down in zip(
            self.shown, self.names, series.apart(ends, _APART, frame.top, frame.base), strict=True
        ):
            y = self.y(down)
            if self.block.shape == "bars":
                self._swatch(one, x + 2, y - 3, 9, 6)
            else:
                sheet.stroke(one.colour, 1.25, one.dash)
                sheet.canvas.line(x, y, x + 12, y)
                sheet.stroke(ink.LINE)
            sheet.write(x + _SWATCH, y - 2.6, row, ink.SMALL, ink.TEXT)

    def _labels(self) -> None:
        frame, labels = self.frame, self.block.labels
        rows: list[Row] = [one_line(text, ink.SMALL, 90) for text in labels]
        most = int(frame.inner_width / (max(row.width for row in rows) + 14))
        columns = series.columns(len(labels), frame)
        high = LEFT + frame.width
        for place in series.label_places(len(labels), max(1, min(most, 9))):
            row = rows[place]
            x = LEFT + columns[place].middle - row.width / 2
            self.sheet.write(min(max(x, LEFT), high - row.width), self.y(frame.height - 4), row, ink.SMALL)


_SLOPES: dict[Meaning, tuple[int, ...]] = {
    "plain": (1,),
    "error": (-1,),
    "ok": (),
    "running": (-1,),
    "warning": (1,),
    "blocked": (1, -1),
}
