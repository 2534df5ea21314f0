"""A PDF as it is seen: Poppler draws it, and the drawing is measured."""

from __future__ import annotations

import pytest

from audittrail.report.document import Chart, Column, Heading, Line, Note, Paragraph, Source, Table
from tests.report import hostile
from tests.report.read_pdf import drawn, of, pictures
from tests.report.sample import audit

pytestmark = pytest.mark.usefixtures("poppler")

RED, TEAL = (0xBA, 0x1E, 0x23), (0x00, 0x66, 0x67)
# Shares of the page that nothing may be drawn in: left and right of the text, above the head and below the foot.
MARGINS = ((0, 0, 0.08, 1), (0.92, 0, 1, 1), (0, 0, 1, 0.035), (0, 0.97, 1, 1))


@pytest.mark.parametrize("make", [audit, hostile.document], ids=["audit", "hostile"])
def test_no_page_is_blank_and_nothing_reaches_into_the_margins(make, tmp_path):
    found = pictures(drawn(make()), tmp_path)
    assert len(found) >= 8
    for number, page in enumerate(found, 1):
        assert abs(page.height / page.width - 2**0.5) < 0.02
        for margin in MARGINS:
            assert page.inked(*margin) == 0, (number, margin)
        # Between the head's line and the foot's.
        assert page.inked(0.08, 0.065, 0.92, 0.94) > 100, number


@pytest.mark.parametrize(
    "block",
    [
        Paragraph("word " * 3_000),
        Source("line\n" * 300),
        Table("t", (Column("a"),), (("cell",),) * 300),
        Table("t", (Column("a"), Column("b", 4)), (("x" * 9_000, "y\n" * 99),) * 9),
        Note("word " * 390),
    ],
    ids=lambda block: type(block).__name__,
)
def test_what_does_not_fit_goes_on_above_the_foot(block, tmp_path):
    for page in pictures(drawn(of(*(block,) * 2)), tmp_path):
        # White between the last line that may be written and the line above the foot.
        assert page.inked(0.05, 0.937, 0.95, 0.942, below=200) == 0


def _bars(*values: float | None) -> Chart:
    return Chart("c", "count", tuple("abcdef"[: len(values)]), (Line("x", values, "error"),))


def test_bars_are_as_high_as_their_numbers(tmp_path):
    (page,) = pictures(drawn(of(_bars(4, None, 2, 1))), tmp_path, dots=72)
    red = page.places(RED)
    # Of the bars, not of the swatch beside the name, which is at the right.
    bars = {x: sum(place[0] == x for place in red) for x, _ in red if x < page.width * 0.82}
    heights = sorted({height for height in bars.values() if list(bars.values()).count(height) > 10}, reverse=True)
    assert len(heights) == 3
    assert heights[0] / heights[2] == pytest.approx(4, rel=0.05) and heights[0] / heights[1] == pytest.approx(
        2, rel=0.05
    )
    bottoms = {max(y for x, y in red if x == column) for column in bars}
    assert len(bottoms) == 1, "every bar stands on zero"
    assert any(x > page.width * 0.82 for x, _ in red), "the name at the end has its colour beside it"


def test_a_line_rises_with_its_numbers_and_breaks_where_nothing_is_known(tmp_path):
    chart = Chart("c", "count", tuple("abcde"), (Line("x", (0, 1, None, 3, 4)),), "lines")
    (page,) = pictures(drawn(of(chart)), tmp_path, dots=72)
    line = {(x, y) for x, y in page.places(TEAL) if x < page.width * 0.85 and y > page.height * 0.08}
    left = {(x, y) for x, y in line if x < page.width * 0.4}
    right = line - left
    assert left and right
    gap = range(max(x for x, _ in left) + 1, min(x for x, _ in right))
    assert len(gap) > page.width * 0.15
    for part in (left, right):
        begin, end = min(part), max(part)
        assert begin[1] > end[1] + 10


def test_a_chart_without_numbers_has_no_ink_of_a_chart(tmp_path):
    (page,) = pictures(drawn(of(_bars(None, None))), tmp_path)
    assert not page.places(RED)


def test_meanings_have_shapes_of_their_own(tmp_path):
    """In grey, no two notes look alike beside their words."""
    seen = set()
    for meaning in ("plain", "ok", "running", "warning", "error", "blocked"):
        (page,) = pictures(drawn(of(Heading("h", 2), Note("same", meaning))), tmp_path, dots=150)
        dark = {(x, y) for x, y in _dark(page) if 0.105 * page.width < x < 0.125 * page.width}
        top = min(y for _, y in dark)
        left = min(x for x, _ in dark)
        seen.add(frozenset((x - left, y - top) for x, y in dark))
    assert len(seen) == 6


def _dark(page):
    for at in range(page.width * page.height):
        x, y = at % page.width, at // page.width
        if 0.12 < y / page.height < 0.5 and page.points[at * 3 + 1] < 150:
            yield x, y
