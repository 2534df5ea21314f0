"""The blocks that are read: title, headings, paragraphs, notes, facts, numbers that lead, and text as it is."""

from __future__ import annotations

from collections.abc import Callable

from audittrail.model import human
from audittrail.report.document import Document, Facts, Figure, Figures, Heading, Meaning, Note, Paragraph, Source
from audittrail.report.pdf import ink
from audittrail.report.pdf.page import BOTTOM, INNER, LEFT, TOP, Sheet
from audittrail.report.pdf.writing import Row, Style, bounded, set_lines, short

WHOLE = "in AuditTrail"
_TEXT, _TEXT_LINES = 12_000, 300
_NOTE, _NOTE_LINES = 2_000, 24
_FACT, _FACT_LINES = 1_500, 20
_SOURCE, _SOURCE_LINES = 32_000, 400
_FOLLOWING = 62.0  # the least below a heading: some lines of text
_NAMES = 118.0  # the column of the names of facts
_ABREAST = 4  # figures


def title(sheet: Sheet, document: Document) -> None:
    """The head of the first page."""
    sheet.y -= 18
    sheet.text(short(document.title, 300, 4), ink.TITLE, INNER)
    if document.subtitle:
        sheet.y -= 2
        sheet.text(short(document.subtitle, 600, 4), ink.SUBTITLE, INNER)
    sheet.y -= 12
    made = (("Made", human.utc(document.made_us)[:-11] + " UTC"),) if document.made_us else ()
    told = {name.casefold() for name, _ in document.facts}
    more = (*made, *((("Reference", document.reference),) if document.reference else ()))
    facts(sheet, Facts((*document.facts, *(one for one in more if one[0].casefold() not in told))))


def _spaced(block: Heading) -> tuple[Style, float, float]:
    place = min(max(block.level, 1), 3) - 1
    return ink.HEADINGS[place], *((0.0, 8.0), (16.0, 5.0), (9.0, 2.0))[place]


def heading_height(block: Heading) -> float:
    """With the white space around it."""
    style, before, after = _spaced(block)
    return before + len(set_lines(short(block.text, 400, 4), style, INNER)) * style.leading + after


def heading(sheet: Sheet, block: Heading, entry: Callable[[str, int], None], following: float = 0) -> None:
    """None is left alone at the foot of a page: what follows needs this height. `entry` is told where it stands,
    before it is drawn."""
    style, before, after = _spaced(block)
    sheet.need(heading_height(block) + max(following, _FOLLOWING))
    sheet.skip(before)
    entry(block.text, block.level)
    sheet.text(short(block.text, 400, 4), style, INNER)
    sheet.y -= after


def paragraph(sheet: Sheet, block: Paragraph) -> None:
    """Running text."""
    style = ink.QUIET if block.quiet else ink.BODY
    cut = bounded(block.text, _TEXT, _TEXT_LINES)
    sheet.text(cut.text, style)
    remark(sheet, cut.remark(WHOLE))
    sheet.y -= 6


def remark(sheet: Sheet, text: str) -> None:
    """A quiet sentence below something; nothing for no text."""
    if text:
        sheet.text(text, ink.QUIET, INNER)


def sign(sheet: Sheet, x: float, y: float, meaning: Meaning, size: float = 6) -> None:
    """A shape for each meaning: nobody has to see colours to tell them apart. x and y are its lower left corner."""
    canvas = sheet.canvas
    sheet.fill(ink.INK[meaning])
    sheet.stroke(ink.INK[meaning], size / 6)
    half = size / 2
    if meaning == "ok":
        canvas.circle(x + half, y + half, half, stroke=0, fill=1)
    elif meaning == "running":
        canvas.circle(x + half, y + half, half - size / 12, stroke=1, fill=0)
    elif meaning == "plain":
        canvas.rect(x + size / 8, y + half - size / 10, size * 0.75, size / 5, stroke=0, fill=1)
    else:
        corners = {
            "warning": ((0, 0), (1, 0), (0.5, 0.95)),
            "error": ((0.5, -0.1), (1.1, 0.5), (0.5, 1.1), (-0.1, 0.5)),
            "blocked": ((0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)),
        }[meaning]
        path = canvas.beginPath()
        for place, (right, up) in enumerate(corners):
            (path.lineTo if place else path.moveTo)(x + right * size, y + up * size)
        path.close()
        canvas.drawPath(path, stroke=0, fill=1)


def note(sheet: Sheet, block: Note) -> None:
    """A box with a sign and a word, in one piece."""
    cut = bounded(block.text, _NOTE, _NOTE_LINES)
    left, inner = LEFT + 14, INNER - 28
    rows = set_lines(cut.text, ink.BODY, inner)
    if tail := cut.remark(WHOLE):
        rows += set_lines(tail, ink.BODY, inner)
    height = ink.CAPTION.leading + len(rows) * ink.BODY.leading + 16
    sheet.skip(4)
    sheet.need(min(height, TOP - BOTTOM))
    sheet.box(LEFT, sheet.y, INNER, height, ink.TINT[block.meaning])
    sheet.box(LEFT, sheet.y, 2.5, height, ink.INK[block.meaning])
    sign(sheet, left, sheet.y - 17, block.meaning, 7)
    word = set_lines(ink.WORD[block.meaning], ink.CAPTION, inner)
    sheet.column(left + 12, sheet.y - 7, inner, word, ink.CAPTION, colour=ink.INK[block.meaning])
    sheet.column(left, sheet.y - 7 - ink.CAPTION.leading, inner, rows, ink.BODY)
    sheet.y -= height + 10


def facts(sheet: Sheet, block: Facts) -> None:
    """Names at the left, values at the right, a hairline below each."""
    inner = INNER - _NAMES - 10
    for name, value in block.items:
        cut = bounded(value, _FACT, _FACT_LINES)
        names = set_lines(short(name, 200, 3), ink.NAME, _NAMES)
        rows = set_lines(cut.text, ink.VALUE, inner)
        if tail := cut.remark(WHOLE):
            rows += set_lines(tail, ink.QUIET, inner)
        height = max(len(names), len(rows)) * ink.VALUE.leading + 4
        sheet.need(min(height, TOP - BOTTOM))
        sheet.column(LEFT, sheet.y - 2, _NAMES, names, ink.NAME)
        sheet.column(LEFT + _NAMES + 10, sheet.y - 2, inner, rows, ink.VALUE)
        sheet.y -= height
        sheet.rule(sheet.y)
    sheet.y -= 8


def figures(sheet: Sheet, block: Figures) -> None:
    """Up to four abreast."""
    sheet.skip(8)
    for begin in range(0, len(block.items), _ABREAST):
        _abreast(sheet, block.items[begin : begin + _ABREAST])
    sheet.y -= 4


def _abreast(sheet: Sheet, items: tuple[Figure, ...]) -> None:
    gap = 16.0
    each = (INNER - gap * (_ABREAST - 1)) / _ABREAST
    names = [set_lines(short(one.name, 120, 2), ink.NAME, each) for one in items]
    values = [set_lines(short(one.value, 60, 2), ink.LEADING_NUMBER, each) for one in items]
    remarks = [_remark_rows(one, each) for one in items]
    heights = [
        max(map(len, found)) * style.leading
        for found, style in ((names, ink.NAME), (values, ink.LEADING_NUMBER), (remarks, ink.SMALL))
    ]
    sheet.need(sum(heights) + 14)
    for place, one in enumerate(items):
        x, y = LEFT + place * (each + gap), sheet.y
        sheet.rule(y, x, x + each, ink.INK[one.meaning] if one.meaning != "plain" else ink.EDGE, 1)
        y -= 4
        sheet.column(x, y, each, names[place], ink.NAME)
        y -= heights[0]
        sheet.column(x, y, each, values[place], ink.LEADING_NUMBER, colour=ink.TEXT)
        y -= heights[1]
        if one.meaning != "plain":
            sign(sheet, x, y - 8.3, one.meaning)
            sheet.column(x, y, each, remarks[place], ink.SMALL, colour=ink.INK[one.meaning])
        else:
            sheet.column(x, y, each, remarks[place], ink.SMALL)
    sheet.y -= sum(heights) + 14


def _remark_rows(one: Figure, width: float) -> list[Row]:
    text = short(one.remark, 240, 4)
    if one.meaning == "plain":
        return set_lines(text, ink.SMALL, width) if text else []
    # The sign stands in these spaces.
    word = ink.WORD[one.meaning]
    return set_lines("    " + (f"{word}: {text}" if text else word), ink.SMALL, width)


def source(sheet: Sheet, block: Source) -> None:
    """Line for line, on a ground of its own, over as many pages as it takes."""
    cut = bounded(block.text, _SOURCE, _SOURCE_LINES)
    pad = 6.0
    rows = set_lines(cut.text, ink.CODE, INNER - 2 * pad - 4) if cut.text else []
    sheet.skip(4)
    if block.caption:
        sheet.need(ink.CAPTION.leading + 4 * ink.CODE.leading)
        sheet.text(short(block.caption, 300, 3), ink.CAPTION, INNER)
        sheet.y -= 2
    if not rows:
        remark(sheet, "Empty.")
    while rows:
        sheet.need(min(len(rows), 2) * ink.CODE.leading + 2 * pad)
        fits = max(1, int((sheet.room - 2 * pad) / ink.CODE.leading))
        height = len(rows[:fits]) * ink.CODE.leading + 2 * pad
        sheet.box(LEFT, sheet.y, INNER, height, ink.SUNK)
        sheet.column(LEFT + pad + 2, sheet.y - pad, INNER - 2 * pad - 4, rows[:fits], ink.CODE)
        sheet.y -= height
        rows = rows[fits:]
    if cut.left_out:
        sheet.y -= 3
        remark(sheet, cut.remark(block.whole or WHOLE))
    sheet.y -= 10
