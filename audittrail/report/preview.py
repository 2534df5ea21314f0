"""A document cut to what a page shows of it: the PDF has all."""

from __future__ import annotations

from msgspec.structs import replace

from audittrail.report.document import AnyBlock, Document, Paragraph, Source, Table

ROWS = 100
CHARACTERS = 8_000


def preview(document: Document) -> Document:
    """The same, with the first rows of long tables and the beginning of long texts, each followed by a sentence."""
    blocks: list[AnyBlock] = []
    for block in document.blocks:
        if isinstance(block, Table) and len(block.rows) > ROWS:
            blocks.append(replace(block, rows=block.rows[:ROWS]))
            blocks.append(Paragraph(f"The first {ROWS} rows; the PDF has all {len(block.rows):,}.", quiet=True))
        elif isinstance(block, Source) and len(block.text) > CHARACTERS:
            blocks.append(replace(block, text=block.text[:CHARACTERS]))
            more = f"The first {CHARACTERS:,} characters; the PDF has {len(block.text):,}."
            blocks.append(Paragraph(more, quiet=True))
        else:
            blocks.append(block)
    return replace(document, blocks=tuple(blocks))
