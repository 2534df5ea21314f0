"""The layered drawing: nothing overlaps, edges lead down, the same graph gives the same drawing, and it is quick."""

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.report.layered import Box, Tie, arrange, layered, place
from audittrail.report.ordering import crossings


def graph(edges, count=None, bundle=""):
    """Boxes and ties of a graph of numbered nodes, in the order of their numbers."""
    count = max((n + 1 for edge in edges for n in edge), default=0) if count is None else count
    return [Box(f"n{n:05}", n) for n in range(count)], [Tie(f"n{a:05}", f"n{b:05}", bundle) for a, b in edges]


def sound(layout, boxes):
    """What must hold of every drawing."""
    assert {p.id for p in layout.places} == {b.id for b in boxes}
    at = {p.id: p for p in layout.places}
    down = layout.direction == "down"
    for _, row in itertools.groupby(layout.places, lambda p: p.layer):
        for a, b in itertools.pairwise(row):
            assert a.rank < b.rank
            assert (a.x + a.width < b.x) if down else (a.y + a.height < b.y), "nodes of a layer overlap"
    for p in layout.places:
        assert p.x >= 0 and p.y >= 0
        assert p.x + p.width <= layout.width and p.y + p.height <= layout.height
    ends = {}
    for p in layout.places:
        start, end = (p.y, p.y + p.height) if down else (p.x, p.x + p.width)
        low, high = ends.get(p.layer, (start, end))
        ends[p.layer] = min(low, start), max(high, end)
    for upper, lower in itertools.pairwise(sorted(ends)):
        assert ends[upper][1] < ends[lower][0], "layers overlap"
    for route in layout.routes:
        source, target = at[route.tie.source], at[route.tie.target]
        if route.loop:
            assert source is target
        else:
            assert (source.layer > target.layer) if route.backward else (source.layer < target.layer)
        assert not re.search("nan|inf|e[+-]?[0-9]", route.path)


def leads_to_itself(edges):
    """Whether a graph has a cycle; a loop is none here."""
    left = {e for e in edges if e[0] != e[1]}
    while left:
        ends = {b for _, b in left}
        gone = {e for e in left if e[0] not in ends}
        if not gone:
            return True
        left -= gone
    return False


PAIRS = list(itertools.product(range(3), repeat=2))


@pytest.mark.parametrize("direction", ["down", "right"])
def test_every_graph_of_three_nodes(direction):
    for chosen in range(1 << len(PAIRS)):
        edges = [pair for bit, pair in enumerate(PAIRS) if chosen >> bit & 1]
        boxes, ties = graph(edges, 3)
        layout = layered(boxes, ties, direction)
        sound(layout, boxes)
        assert any(r.backward for r in layout.routes) == leads_to_itself(edges)
        assert layout.crossings == 0


EDGES = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14), st.sampled_from(["", "a"])), max_size=40)


@given(EDGES, st.sampled_from(["down", "right"]), st.randoms(use_true_random=False))
def test_any_graph_in_any_order(edges, direction, shuffle):
    boxes, _ = graph([], 15)
    ties = [Tie(f"n{a:05}", f"n{b:05}", bundle) for a, b, bundle in edges]
    layout = layered(boxes, ties, direction)
    sound(layout, boxes)
    assert len(layout.routes) == len(set(ties))
    shuffle.shuffle(boxes)
    shuffle.shuffle(ties)
    assert layered(boxes, ties + ties[:3], direction) == layout


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=60))
def test_a_tree_has_no_crossings_and_stands_in_its_order(parents):
    edges = [(parent % (child + 1), child + 1) for child, parent in enumerate(parents)]
    boxes, ties = graph(edges)
    layout = layered(boxes, ties)
    sound(layout, boxes)
    assert layout.crossings == 0
    of = {t.target: t.source for t in ties}
    for parent, children in itertools.groupby(layout.places, lambda p: of.get(p.id)):
        names = [p.id for p in children]
        assert parent is None or names == sorted(names), "siblings stand in the order they happened"


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("chain", [(0, 1), (1, 2), (2, 3)]),
        ("diamond", [(0, 1), (0, 2), (1, 3), (2, 3)]),
        ("two diamonds", [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 6), (5, 6)]),
        ("ladder", [(0, 1), (2, 3), (4, 5), (0, 3), (2, 5)]),
        ("crossed by its order alone", [(0, 3), (1, 2)]),
        ("two components", [(0, 1), (2, 3), (2, 4)]),
        ("a long edge beside a chain", [(0, 1), (1, 2), (2, 3), (0, 3)]),
        ("a run of steps in their agent", [(0, n) for n in range(1, 9)] + [(n, n + 1) for n in range(1, 8)]),
    ],
)
def test_what_can_be_drawn_without_crossings_is(name, edges):
    boxes, ties = graph(edges)
    layout = layered(boxes, ties)
    sound(layout, boxes)
    assert layout.crossings == 0, name


def test_crossings_are_counted():
    found = arrange(*graph([(0, 2), (0, 3), (1, 2), (1, 3)]))
    assert crossings(found.rows, found.ranks.down) == 1  # of K(2,2); it cannot be fewer
    found = arrange(*graph([(a, b) for a in range(3) for b in range(3, 6)]))
    assert crossings(found.rows, found.ranks.down) == 9


def test_a_parent_stands_in_the_middle_of_its_children():
    places = {p.id: p for p in layered(*graph([(0, 1), (0, 2), (0, 3)])).places}
    assert places["n00000"].x == pytest.approx(places["n00002"].x)


def test_a_chain_in_its_agent_is_straight_and_its_trunk_is_drawn_once():
    edges = [(n, n + 1) for n in range(1, 40)]
    boxes, ties = graph(edges)
    inside = [Tie("n00000", f"n{n:05}", "contains") for n in range(1, 41)]
    layout = layered(boxes, ties + inside)
    sound(layout, boxes)
    across = [p.x for p in layout.places if p.layer]
    assert max(across) - min(across) < 1
    lengths = sorted(len(r.path) for r in layout.routes if r.tie.bundle)
    assert sum(length > 300 for length in lengths) == 1
    chosen = inside[20]
    whole = next(r for r in place(arrange(boxes, ties + inside), whole=[chosen]).routes if r.tie == chosen)
    part = next(r for r in layout.routes if r.tie == chosen)
    assert whole.path.endswith(part.path.partition("C")[2]) and len(whole.path) > 3 * len(part.path)


def test_edges_to_what_is_not_there_are_left_out_and_the_last_of_two_nodes_counts():
    layout = layered([Box("a"), Box("a", width=50)], [Tie("a", "b"), Tie("c", "a")])
    assert [(p.id, p.width) for p in layout.places] == [("a", 50)]
    assert layout.routes == ()
    assert layered([], []).places == ()


RANDOM = random.Random(4)
LARGE = {
    "5,000 children": [(0, n) for n in range(1, 5_001)],
    "a chain of 5,000": [(n, n + 1) for n in range(4_999)],
    "a chain of 5,000 in its agent": [(n, n + 1) for n in range(1, 4_999)] + [(0, n) for n in range(1, 5_000)],
    "a ring of 5,000": [(n, (n + 1) % 5_000) for n in range(5_000)],
    "a tree of 5,000": [((n - 1) // 3, n) for n in range(1, 5_000)],
    "5,000 apart": [(n, n) for n in range(5_000)],
    "10,000 edges at random": [(RANDOM.randrange(5_000), RANDOM.randrange(5_000)) for _ in range(10_000)],
    "everything with everything": [(a, b) for a in range(150) for b in range(a + 1, 150)],
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("direction", ["down", "right"])
def test_large_ones_are_drawn_too(name, direction):
    boxes, ties = graph(LARGE[name])
    sound(layered(boxes, ties, direction), boxes)
