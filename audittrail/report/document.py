"""A report as blocks, before it is drawn: the same document becomes a PDF and a page.

Every text in it may be hostile: whoever draws it takes it as text and as nothing else. Numbers are written out already,
in words that a person reads; series keep theirs, to be drawn.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from audittrail.report.series import Unit

Align = Literal["left", "right"]
# What a colour means: never the only sign of it.
Meaning = Literal["plain", "ok", "running", "warning", "error", "blocked"]


class Block(msgspec.Struct, frozen=True, tag_field="block"):
    """Something that stands below what is before it."""


class Heading(Block, frozen=True, tag="heading"):
    """Level 1 begins a chapter on its own page, 2 a section, 3 a paragraph or an item."""

    text: str
    level: int = 2


class Paragraph(Block, frozen=True, tag="paragraph"):
    """Running text."""

    text: str
    quiet: bool = False  # a remark


class Note(Block, frozen=True, tag="note"):
    """What must not be overlooked."""

    text: str
    meaning: Meaning = "plain"


class Facts(Block, frozen=True, tag="facts"):
    """Names and values."""

    items: tuple[tuple[str, str], ...]


class Figure(msgspec.Struct, frozen=True):
    """A number that leads, and what is to be known with it."""

    name: str
    value: str
    remark: str = ""
    meaning: Meaning = "plain"


class Figures(Block, frozen=True, tag="figures"):
    """Some numbers beside each other."""

    items: tuple[Figure, ...]


class Column(msgspec.Struct, frozen=True):
    """`weight`: its share of the width. `mono`: ids and code."""

    head: str
    weight: float = 1
    align: Align = "left"
    mono: bool = False


class Table(Block, frozen=True, tag="table"):
    """Each row has a text for each column. There may be ten thousand; `empty` is said where there is none."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "None."


class Line(msgspec.Struct, frozen=True):
    """One series of a chart: a value for each label; None where nothing is known."""

    name: str
    values: tuple[float | None, ...]
    meaning: Meaning = "plain"


class Chart(Block, frozen=True, tag="chart"):
    """Bars stand on each other; lines stand beside each other."""

    caption: str
    unit: Unit
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    shape: Literal["bars", "lines"] = "bars"


class Source(Block, frozen=True, tag="source"):
    """Text as it is, line for line, in the mono typeface: an input, an output, JSON."""

    text: str
    caption: str = ""
    whole: str = ""  # where all of it is if a page cannot hold it, as in "in trace 0af7…": the end of a sentence


class PageBreak(Block, frozen=True, tag="page-break"):
    """What follows begins a page."""


AnyBlock = Heading | Paragraph | Note | Facts | Figures | Table | Chart | Source | PageBreak


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. `facts` stand under the title: project, range, who asked for it."""

    title: str
    subtitle: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    blocks: tuple[AnyBlock, ...] = ()
    author: str = ""
    made_us: int = 0
    reference: str = ""  # the report's id, on each page
