"""Flows: sums are kept, thickness is true to the value, and what is drawn differently says so."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.report.sankey import MIN, OTHER, Flow, Node, sankey


def three(values):
    """One node, one for each value, and one again: what flows from the first to the last."""
    nodes = [Node("in", "in", 0), *(Node(f"m{i}", f"m{i}", 1) for i in range(len(values))), Node("out", "out", 2)]
    flows = [f for i, v in enumerate(values) for f in (Flow("in", f"m{i}", v), Flow(f"m{i}", "out", v))]
    return nodes, flows


VALUES = st.lists(st.integers(0, 10**9) | st.decimals(0, 1000, places=6), min_size=1, max_size=60)


@given(VALUES, st.integers(2, 20))
def test_sums_are_kept_and_nothing_overlaps(values, per_column):
    values = [Decimal(v) for v in values]
    drawing = sankey(*three(values), 900, 400, per_column=per_column)
    whole = sum(values)
    for column in range(3):
        bars = [b for b in drawing.bars if b.node.column == column]
        assert sum(b.value for b in bars) == whole
        assert len(bars) <= max(per_column, 1)
        assert all(a.y + a.height <= b.y for a, b in pairwise(bars))
        assert all(b.y >= 0 and b.y + b.height <= drawing.height for b in bars)
    for bar in drawing.bars:
        assert bar.thin == (float(bar.value) * drawing.scale < MIN)
        assert bar.height == pytest.approx(max(MIN, float(bar.value) * drawing.scale))
    for ribbon in drawing.ribbons:
        assert ribbon.thin == (float(ribbon.value) * drawing.scale < MIN)
        assert ribbon.thickness == pytest.approx(max(MIN, float(ribbon.value) * drawing.scale))
    assert sum(r.value for r in drawing.ribbons if r.source == "in") == whole


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(values, shuffle):
    nodes, flows = three(values)
    drawing = sankey(nodes, flows, 900, 400)
    shuffle.shuffle(nodes)
    shuffle.shuffle(flows)
    assert sankey(nodes, flows, 900, 400) == drawing


def test_thickness_is_proportional():
    drawing = sankey(*three([10, 30, 60]), 900, 400)
    thick = {r.target: r.thickness for r in drawing.ribbons if r.source == "in"}
    assert thick["m2"] == pytest.approx(2 * thick["m1"]) == pytest.approx(6 * thick["m0"])
    assert [b.node.id for b in drawing.bars if b.node.column == 1] == ["m2", "m1", "m0"]


def test_the_smallest_of_many_become_other():
    drawing = sankey(*three(list(range(1, 31))), 900, 400, per_column=10)
    other = next(b for b in drawing.bars if b.folded)
    assert (other.node.label, other.folded, other.value) == ("other (21)", 21, sum(range(1, 22)))
    assert other.node.id.startswith(OTHER) and drawing.bars[-2] == other, "it stands last in its column"
    assert sum(b.value for b in drawing.bars if b.node.column == 1) == sum(range(1, 31))


def test_zero_is_left_out_and_counted():
    drawing = sankey(*three([5, 0, 0]), 900, 400)
    assert {b.node.id for b in drawing.bars} == {"in", "m0", "out"}
    assert drawing.left_out == 4
    nothing = sankey(*three([0]), 900, 400)
    assert (nothing.bars, nothing.ribbons, nothing.height) == ((), (), 0)
    assert sankey([], [], 900, 400).bars == ()


def test_what_is_tiny_is_drawn_and_marked():
    drawing = sankey(*three([10**9, 1]), 900, 400)
    tiny = [r for r in drawing.ribbons if r.thin]
    assert [(r.value, r.thickness) for r in tiny] == [(1, MIN), (1, MIN)]
    assert [b.node.id for b in drawing.bars if b.thin] == ["m1"]


def test_what_cannot_be_drawn_is_refused():
    nodes = [Node("a", "a", 0), Node("b", "b", 1)]
    with pytest.raises(ValueError, match="below 0"):
        sankey(nodes, [Flow("a", "b", -1)], 900, 400)
    with pytest.raises(ValueError, match="later column"):
        sankey(nodes, [Flow("b", "a", 1)], 900, 400)


def test_flows_may_pass_a_column_and_need_not_balance():
    nodes = [Node("a", "a", 0), Node("b", "b", 1), Node("c", "c", 2)]
    drawing = sankey(nodes, [Flow("a", "b", 3), Flow("a", "c", 2), Flow("b", "c", 1)], 900, 400)
    assert {b.node.id: b.value for b in drawing.bars} == {"a": 5, "b": 3, "c": 3}
