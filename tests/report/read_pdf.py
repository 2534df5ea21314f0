"""What a reader that is not ours finds in a PDF."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import msgspec
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from audittrail.report.document import (
    AnyBlock,
    Chart,
    Document,
    Facts,
    Figures,
    Heading,
    Note,
    Paragraph,
    Source,
    Table,
)
from audittrail.report.pdf import draw


def drawn(document: Document) -> bytes:
    """The PDF; `draw` must count its pages right."""
    to = io.BytesIO()
    pages = draw(document, to)
    assert pages == len(PdfReader(io.BytesIO(to.getvalue())).pages)
    return to.getvalue()


def read(document: Document) -> PdfReader:
    """The PDF, opened."""
    return PdfReader(io.BytesIO(drawn(document)))


def of(*blocks: AnyBlock) -> Document:
    """A document of these blocks."""
    return Document(title="T", blocks=blocks)


def flat(text: str) -> str:
    """Without white space: where lines end is the drawing's business."""
    return "".join(text.split())


def text_of(reader: PdfReader) -> str:
    """Of all pages, flat."""
    return flat("".join(page.extract_text() for page in reader.pages))


def said(block: AnyBlock) -> list[str]:
    """What a block says, in reading order."""
    match block:
        case Heading(text=text) | Paragraph(text=text) | Note(text=text):
            return [text]
        case Source(text=text, caption=caption):
            return [caption, text]
        case Facts(items=items):
            return [text for item in items for text in item]
        case Figures(items=items):
            return [text for one in items for text in (one.name, one.value, one.remark)]
        case Table(caption=caption, columns=columns, rows=rows, empty=empty):
            heads = [column.head for column in columns] if rows else [empty]
            return [caption, *heads, *(cell for row in rows for cell in row)]
        case Chart(caption=caption):
            return [caption]
        case _:
            return []


def pdftotext(pdf: bytes, *options: str) -> str:
    """Poppler's reading."""
    return subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


class Picture(msgspec.Struct, frozen=True):
    """A page as it is seen: three bytes for each point, row after row."""

    width: int
    height: int
    points: bytes

    def inked(self, left: float, top: float, right: float, bottom: float, below: int = 250) -> int:
        """How many points of this part (in shares of the page) are not white."""
        x, x2 = round(left * self.width), round(right * self.width)
        rows = range(round(top * self.height), round(bottom * self.height))
        parts = (self.points[(y * self.width + x) * 3 : (y * self.width + x2) * 3] for y in rows)
        return sum(value < below for part in parts for value in part[1::3])

    def places(self, colour: tuple[int, int, int], apart: int = 24) -> set[tuple[int, int]]:
        """x and y of the points that have nearly this colour."""
        found = set()
        for at in range(self.width * self.height):
            point = self.points[at * 3 : at * 3 + 3]
            if all(abs(a - b) <= apart for a, b in zip(point, colour, strict=True)):
                found.add((at % self.width, at // self.width))
        return found


def pictures(pdf: bytes, folder: Path, dots: int = 40) -> list[Picture]:
    """Each page, drawn by Poppler."""
    (folder / "it.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", str(dots), folder / "it.pdf", folder / "page"], check=True)
    found = []
    for path in sorted(folder.glob("page-*.ppm")):
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", path.read_bytes())
        assert head
        found.append(Picture(int(head[1]), int(head[2]), path.read_bytes()[head.end() :]))
        path.unlink()
    return found


def fonts_not_embedded(reader: PdfReader) -> tuple[int, list[str]]:
    """How many fonts there are, and the names of those that a reader would have to have."""
    fonts = []
    for number in range(1, len(reader.xref_objStm) + sum(map(len, reader.xref.values())) + 1):
        thing = reader.get_object(IndirectObject(number, 0, reader))
        if isinstance(thing, dict) and thing.get("/Type") == "/Font":
            fonts.append(thing)
    return len(fonts), [
        str(font.get("/BaseFont"))
        for font in fonts
        if "/FontFile2" not in (font.get("/FontDescriptor") or {})  # TrueType
    ]
