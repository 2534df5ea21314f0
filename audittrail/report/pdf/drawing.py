"""A whole document, block after block."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from audittrail.report.document import (
    AnyBlock,
    Chart,
    Document,
    Facts,
    Figures,
    Heading,
    Note,
    PageBreak,
    Paragraph,
    Source,
    Table,
)
from audittrail.report.pdf import charts, prose, tables
from audittrail.report.pdf.outline import Outline
from audittrail.report.pdf.page import Sheet

Progress = Callable[[int, int], None]
_DEEP = 3  # headings that follow each other are kept together, so many and what is below them


def draw(document: Document, to: Path | BinaryIO, progress: Progress | None = None) -> int:
    """Writes the document as a PDF and returns how many pages it has. The same document gives the same bytes.

    A path is written beside itself first and appears when it is whole. `progress` hears how much of all is done, in
    blocks and rows of tables.
    """
    if not isinstance(to, Path):
        return _draw(document, to, progress or _silent)
    with tempfile.NamedTemporaryFile(dir=to.parent, prefix=".", suffix=".pdf", delete=False) as beside:
        here = Path(beside.name)
        try:
            pages = _draw(document, beside.file, progress or _silent)
            beside.flush()
            here.replace(to)
        except BaseException:
            here.unlink(missing_ok=True)
            raise
    return pages


def _silent(_done: int, _total: int) -> None:
    """Nobody listens."""


def _draw(document: Document, to: IO[bytes], progress: Progress) -> int:
    total = sum(1 + (len(block.rows) if isinstance(block, Table) else 0) for block in document.blocks)
    done = 0

    def more(units: int) -> None:
        nonlocal done
        if units:
            done += units
            progress(done, total)

    sheet = Sheet(document, to)
    outline = Outline(sheet, document)
    prose.title(sheet, document)
    for place, block in enumerate(document.blocks):
        if isinstance(block, Heading):
            if block.level <= 1:
                outline.contents()
                if not sheet.fresh:
                    sheet.next_page()
            prose.heading(sheet, block, outline.entry, _beginning(document.blocks[place + 1 : place + 1 + _DEEP]))
        else:
            _block(sheet, block, more)
        more(1)
    outline.close()
    return sheet.close()


def _beginning(blocks: Sequence[AnyBlock]) -> float:
    """The height that the first of these needs where it stands; 0 for what may begin anywhere."""
    match blocks:
        case [Heading(level=level) as heading, *rest] if level > 1:
            return prose.heading_height(heading) + _beginning(rest)
        case [Table() as table, *_]:
            return tables.beginning(table)
        case [Chart() as chart, *_]:
            return charts.whole(chart)
        case _:
            return 0


def _block(sheet: Sheet, block: AnyBlock, more: Callable[[int], None]) -> None:
    match block:
        case Paragraph():
            prose.paragraph(sheet, block)
        case Note():
            prose.note(sheet, block)
        case Facts():
            prose.facts(sheet, block)
        case Figures():
            prose.figures(sheet, block)
        case Table():
            tables.table(sheet, block, more)
        case Chart():
            charts.chart(sheet, block)
        case Source():
            prose.source(sheet, block)
        case PageBreak():
            if not sheet.fresh:
                sheet.next_page()
