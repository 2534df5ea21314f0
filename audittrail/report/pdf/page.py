"""Pages: where the next thing stands, what is on each of them, and the marks that are the same on all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import IO, Literal

import msgspec
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from audittrail.model import human
from audittrail.report.document import Document
from audittrail.report.pdf import ink
from audittrail.report.pdf.fonts import typeface
from audittrail.report.pdf.writing import Row, Style, one_line, set_lines

WIDTH, HEIGHT = map(float, A4)
LEFT, RIGHT = 51.0, WIDTH - 51.0
TOP, BOTTOM = HEIGHT - 66.0, 58.0
INNER = RIGHT - LEFT
MEASURE = 408.0  # running text: about 80 characters

_colour = cache(HexColor)


class Sheet:
    """The page that is being filled. `y` is the height of the next thing's upper edge; it sinks."""

    def __init__(self, document: Document, to: IO[bytes]) -> None:
        typeface("sans")
        self.document = document
        self.pages = 1
        self.y = TOP
        self._project = next((value for name, value in document.facts if name.casefold() == "project"), "")
        # Without a font to begin with, ReportLab names Helvetica in every file and embeds it in none.
        self.canvas = Canvas(
            to, pagesize=A4, pageCompression=1, invariant=1, lang="en", initialFontName=typeface("sans").name
        )
        # The file's identity is what it says, not when and where ReportLab wrote it. Read back once, because
        # a weight of 1 becomes 1.0 on its way to another process.
        same = msgspec.json.decode(msgspec.json.encode(document), type=Document)
        self.canvas._doc.signature = hashlib.sha256(msgspec.json.encode(same))
        self._describe()
        self._marks()

    def _describe(self) -> None:
        document, canvas = self.document, self.canvas
        canvas.setTitle(human.visible(document.title))
        canvas.setAuthor(human.visible(document.author))
        canvas.setSubject(human.visible(document.subtitle))
        canvas.setKeywords(human.visible(document.reference))
        canvas.setCreator("AuditTrail")
        canvas.setProducer("AuditTrail")
        made = human.moment(document.made_us).strftime("D:%Y%m%d%H%M%SZ")
        canvas.setDateFormatter(lambda *_: made)
        canvas.setViewerPreference("DisplayDocTitle", "true")
        canvas.showOutline()

    def _marks(self) -> None:
        """Head and foot. The foot is a form that is written when the number of pages is known."""
        y = HEIGHT - 38
        self.mark(LEFT, y - 2.5, 10)
        reference = one_line(self.document.reference, ink.SMALL, INNER / 2 - 12)
        name = one_line("AuditTrail", ink.BRANDED, INNER)
        project = one_line(self._project, ink.SMALL, INNER / 2 - name.width - 24)
        self.write(LEFT + 15, y, name, ink.BRANDED)
        self.write(LEFT + 15 + name.width + 7, y, project, ink.SMALL)
        self.write(RIGHT - reference.width, y, reference, ink.SMALL)
        self.rule(y - 8)
        self.canvas.doForm(f"foot-{self.pages}")

    def _foot(self, page: int) -> None:
        y = 32.0
        self.canvas.beginForm(f"foot-{page}")
        self.rule(y + 13)
        number = one_line(f"Page {page} of {self.pages}", ink.SMALL, INNER)
        self.write(LEFT, y, one_line(self.document.title, ink.SMALL, INNER - number.width - 24), ink.SMALL)
        self.write(RIGHT - number.width, y, number, ink.SMALL)
        self.canvas.endForm()

    def close(self) -> int:
        """Writes the file and says how many pages it has."""
        self.canvas.showPage()
        for page in range(1, self.pages + 1):
            self._foot(page)
        self.canvas.save()
        return self.pages

    def next_page(self) -> None:
        """Begins one."""
        self.canvas.showPage()
        self.pages += 1
        self.y = TOP
        self._marks()

    @property
    def room(self) -> float:
        """The height that is left on this page."""
        return self.y - BOTTOM

    @property
    def fresh(self) -> bool:
        """Whether nothing stands on this page yet."""
        return self.y >= TOP

    def need(self, height: float) -> None:
        """Goes on to the next page unless there is room for something of this height."""
        if self.room < height and not self.fresh:
            self.next_page()

    def skip(self, height: float) -> None:
        """White space, but not at the top of a page."""
        if not self.fresh:
            self.y -= height

    # What is drawn

    def write(self, x: float, y: float, row: Row, style: Style, colour: str = "") -> None:
        """One line with its baseline at y."""
        if not row.shown.strip(" "):
            return
        canvas = self.canvas
        canvas.setFillColor(_colour(colour or style.ink))
        text = canvas.beginText(x, y)
        for font, part in typeface(style.face).runs(row.shown):
            text.setFont(font, style.size)
            text.textOut(part)
        canvas.drawText(text)

    def column(
        self,
        x: float,
        y: float,
        width: float,
        rows: Iterable[Row],
        style: Style,
        *,
        align: Literal["left", "right"] = "left",
        colour: str = "",
    ) -> None:
        """Lines below each other from the upper edge y. What is written from right to left begins at the right."""
        y -= style.leading * 0.705  # of the leading, not the size: both typefaces of a row share a baseline
        for row in rows:
            right = align == "right" or not row.rightward
            self.write(x + width - row.width if right else x, y, row, style, colour)
            y -= style.leading

    def text(self, text: str, style: Style, width: float = MEASURE, *, together: int = 2, colour: str = "") -> None:
        """Running text, over as many pages as it takes; never fewer than `together` lines of it at a page's end."""
        rows = set_lines(text, style, width)
        while rows:
            self.need(min(len(rows), together) * style.leading)
            fits = max(1, int(self.room / style.leading))
            self.column(LEFT, self.y, width, rows[:fits], style, colour=colour)
            self.y -= len(rows[:fits]) * style.leading
            rows = rows[fits:]

    def rule(
        self, y: float, left: float = LEFT, right: float = RIGHT, colour: str = ink.LINE, width: float = 0.5
    ) -> None:
        """A hairline."""
        self.canvas.setStrokeColor(_colour(colour))
        self.canvas.setLineWidth(width)
        self.canvas.line(left, y, right, y)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle below y."""
        self.canvas.setFillColor(_colour(colour))
        self.canvas.rect(x, y - height, width, height, stroke=0, fill=1)

    def stroke(self, colour: str, width: float = 1, dash: tuple[float, ...] = ()) -> None:
        """How the next lines are drawn."""
        self.canvas.setStrokeColor(_colour(colour))
        self.canvas.setLineWidth(width)
        self.canvas.setDash(list(dash))

    def fill(self, colour: str) -> None:
        """How the next shapes are filled."""
        self.canvas.setFillColor(_colour(colour))

    def mark(self, x: float, y: float, size: float) -> None:
        """AuditTrail's sign with its lower left corner there."""
        canvas, unit = self.canvas, size / 24
        self.fill(ink.BRAND)
        canvas.roundRect(x, y, size, size, 6 * unit, stroke=0, fill=1)
        self.stroke("#ffffff", 2.4 * unit)
        canvas.setLineCap(1)
        for left, right, height in ((5, 14, 17), (5, 19, 12), (10, 19, 7)):
            canvas.line(x + left * unit, y + height * unit, x + right * unit, y + height * unit)
        canvas.setLineCap(0)
