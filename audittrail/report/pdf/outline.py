"""Where the headings are: the bookmarks beside a PDF, and the contents on its first page."""

from __future__ import annotations

from audittrail.model import human
from audittrail.report.document import Document, Heading
from audittrail.report.pdf import ink
from audittrail.report.pdf.page import INNER, LEFT, RIGHT, Sheet
from audittrail.report.pdf.writing import one_line

_CONTENTS = 24  # chapters; more are found in the bookmarks


class Outline:
    """Counts the headings as they are drawn."""

    def __init__(self, sheet: Sheet, document: Document) -> None:
        self._sheet = sheet
        self._drawn = 0
        self._depth = -1
        self._waiting = _chapters(document)
        self._stands: dict[int, float] = {}
        self._found: dict[int, int] = {}

    def contents(self) -> None:
        """The chapters with their pages, where there are several: once, before the first of them. `close` fills in the
        numbers."""
        waiting, self._waiting = self._waiting, {}
        if not 1 < len(waiting) <= _CONTENTS:
            return
        sheet = self._sheet
        sheet.skip(18)
        sheet.text("Contents", ink.HEADINGS[1])
        sheet.y -= 4
        for place, title in waiting.items():
            sheet.need(18)
            row = one_line(title, ink.VALUE, INNER - 60)
            sheet.column(LEFT, sheet.y - 3, INNER - 60, [row], ink.VALUE)
            sheet.canvas.doForm(f"page-of-{place}")
            self._stands[place] = sheet.y - 3
            sheet.canvas.linkRect("", f"heading-{place}", (LEFT, sheet.y - 17, RIGHT, sheet.y), thickness=0)
            sheet.y -= 17
            sheet.rule(sheet.y)

    def entry(self, text: str, level: int) -> None:
        """The next heading stands here."""
        sheet, canvas = self._sheet, self._sheet.canvas
        key = f"heading-{self._drawn}"
        # Viewers, and ReportLab, know no level without the one above it.
        self._depth = max(0, min(level - 1, self._depth + 1))
        canvas.bookmarkPage(key, fit="XYZ", left=0, top=min(sheet.y + 12, 842), zoom=0)
        canvas.addOutlineEntry(human.visible(human.line(text, 200)) or "—", key, self._depth, closed=self._depth > 0)
        self._found[self._drawn] = sheet.pages
        self._drawn += 1

    def close(self) -> None:
        """Writes the page numbers into the contents."""
        for place, y in self._stands.items():
            self._sheet.canvas.beginForm(f"page-of-{place}")
            number = one_line(str(self._found[place]), ink.VALUE, 60)
            self._sheet.column(RIGHT - 60, y, 60, [number], ink.VALUE, align="right")
            self._sheet.canvas.endForm()


def _chapters(document: Document) -> dict[int, str]:
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    return {place: heading.text for place, heading in enumerate(headings) if heading.level <= 1}
