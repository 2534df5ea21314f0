"""Tables by hand: ten thousand rows take seconds, because no row is laid out twice and none waits for another."""

from __future__ import annotations

from collections.abc import Callable

from audittrail.report.document import Column, Table
from audittrail.report.pdf import ink
from audittrail.report.pdf.page import INNER, LEFT, Sheet
from audittrail.report.pdf.prose import WHOLE, remark
from audittrail.report.pdf.writing import Row, Style, bounded, set_lines, short

_CELL, _CELL_LINES = 1_200, 40
_CELL_TO_WIDTH = 4  # characters for each point of width: about 35 lines
_GAP = 10.0
_NARROWEST = 12.0  # a column that holds one character of any script
_PAD = 2.5
_ABOVE = 6.0
_LEAST = 79.0  # for a table to begin: with the shortest rows, two of them
_SPLIT = 180.0  # a row higher than this may be cut by a page's end
_PART = 60.0  # where there is less room than this, such a row begins on the next page
_TOLD = 200  # rows between two words of progress

Cells = list[list[Row]]


class _Grid:
    """Where the columns stand."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        free = INNER - _GAP * (len(columns) - 1)
        spare = free - len(columns) * _NARROWEST
        if spare < 0:
            most = int((INNER + _GAP) / (_NARROWEST + _GAP))
            raise ValueError(f"{len(columns)} columns do not fit on a page; a table has at most {most}.")
        weights = [max(column.weight, 0.01) for column in columns]
        self.columns = columns
        self.widths = [free * weight / sum(weights) for weight in weights]
        if min(self.widths) < _NARROWEST:
            self.widths = [_NARROWEST + spare * weight / sum(weights) for weight in weights]
        self.lefts = [LEFT + sum(self.widths[:i]) + _GAP * i for i in range(len(columns))]
        self.styles = [ink.CODE_CELL if column.mono else ink.CELL for column in columns]

    def cells(self, texts: tuple[str, ...]) -> Cells:
        """A row's lines, cell by cell."""
        return [_cell(text, style, width) for text, style, width in zip(texts, self.styles, self.widths, strict=True)]

    def heads(self) -> Cells:
        """The head's lines."""
        return [
            set_lines(short(column.head, max(12, int(width * 2)), 3), ink.HEAD, width)
            for column, width in zip(self.columns, self.widths, strict=True)
        ]

    def draw(self, sheet: Sheet, cells: Cells, begin: int, end: int, head: bool = False) -> float:
        """These lines of each cell; returns the height they take."""
        style = ink.HEAD if head else ink.CELL
        for cell, left, width, own, column in zip(
            cells, self.lefts, self.widths, self.styles, self.columns, strict=True
        ):
            lines = cell[begin:end]
            if lines:
                sheet.column(left, sheet.y - _PAD, width, lines, ink.HEAD if head else own, align=column.align)
        return _height(end - begin, style)


def _height(lines: int, style: Style) -> float:
    return lines * style.leading + 2 * _PAD


def _cell(text: str, style: Style, width: float) -> list[Row]:
    most = max(120, min(_CELL, int(width * _CELL_TO_WIDTH)))
    if len(text) <= most and "\n" not in text:
        return set_lines(text, style, width)
    cut = bounded(text, most, _CELL_LINES)
    rows = set_lines(cut.text, style, width)
    return [*rows, *set_lines(cut.remark(WHOLE), style, width)] if cut.left_out else rows


def beginning(block: Table) -> float:
    """The height of what stands together: the caption, the head and the first row, or what is said where none is."""
    height = _ABOVE + 1  # what is added here and what is taken there may differ in the last bit
    if block.caption:
        height += len(set_lines(short(block.caption, 300, 3), ink.CAPTION, INNER)) * ink.CAPTION.leading + 2
    if not block.columns or not block.rows:
        return height + len(set_lines(block.empty, ink.QUIET, INNER)) * ink.QUIET.leading
    grid = _Grid(block.columns)
    height += _height(max(map(len, grid.heads())), ink.HEAD)
    first = _height(max(map(len, grid.cells(block.rows[0]))), ink.CELL)
    return max(height + (first if first <= _SPLIT else _PART), _LEAST)


def table(sheet: Sheet, block: Table, told: Callable[[int], None]) -> None:
    """The caption, the head on each page, and the rows. `told` hears how many rows have been drawn since."""
    sheet.need(beginning(block))
    sheet.skip(_ABOVE)
    grid = _Grid(block.columns) if block.columns else None
    if block.caption:
        sheet.text(short(block.caption, 300, 3), ink.CAPTION, INNER)
        sheet.y -= 2
    if grid is None or not block.rows:
        remark(sheet, block.empty)
        sheet.y -= 10
        return
    heads = grid.heads()
    _head(sheet, grid, heads)
    for done, texts in enumerate(block.rows, 1):
        _row(sheet, grid, heads, grid.cells(texts), block.caption)
        if done % _TOLD == 0:
            told(_TOLD)
    told(len(block.rows) % _TOLD)
    sheet.y -= 12


def _head(sheet: Sheet, grid: _Grid, heads: Cells) -> None:
    sheet.y -= grid.draw(sheet, heads, 0, max(map(len, heads)), head=True)
    sheet.rule(sheet.y, colour=ink.EDGE, width=0.75)


def _continue(sheet: Sheet, grid: _Grid, heads: Cells, caption: str) -> None:
    sheet.next_page()
    if caption:
        sheet.text(short(caption, 120, 1) + " (continued)", ink.SMALL, INNER)
    _head(sheet, grid, heads)


def _row(sheet: Sheet, grid: _Grid, heads: Cells, cells: Cells, caption: str) -> None:
    begin, end = 0, max(map(len, cells))
    height = _height(end, ink.CELL)
    if height > sheet.room and (height <= _SPLIT or sheet.room < _PART):
        _continue(sheet, grid, heads, caption)
    while begin < end:
        fits = max(1, int((sheet.room - 2 * _PAD) / ink.CELL.leading))
        upto = min(end, begin + fits)
        sheet.y -= grid.draw(sheet, cells, begin, upto)
        sheet.rule(sheet.y)
        begin = upto
        if begin < end:
            _continue(sheet, grid, heads, caption)
