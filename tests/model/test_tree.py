import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audittrail.model.summary import SpanRow
from audittrail.model.tree import first_failure, lay, narrowed, root_of, unfolded

NOW = 1_000


def row(name, parent=None, start=0, end=None, status="ok"):
    return SpanRow(
        trace_id="t", span_id=name, parent_id=parent, name=name, started_us=start, ended_us=end, status=status
    )


def picture(tree):
    return [("  " * line.depth) + line.span_id for line in tree.lines]


def test_depth_first_and_siblings_by_start():
    tree = lay([row("c", "a", 5, 6), row("b", "a", 1, 4), row("a", None, 0, 9), row("d", "b", 2, 3)], NOW)
    assert picture(tree) == ["a", "  b", "    d", "  c"]
    assert [(line.children, line.below) for line in tree.lines] == [(2, 3), (1, 1), (0, 0), (0, 0)]
    assert (tree.started_us, tree.ended_us) == (0, 9)


def test_spans_of_a_parent_that_never_came_stand_under_one_placeholder():
    tree = lay([row("a", None, 0, 9), row("x", "lost", 2, 3), row("y", "lost", 4, 5)], NOW)
    assert picture(tree) == ["a", "lost", "  x", "  y"]
    assert tree.lines[1].span is None


def test_a_loop_is_cut_at_its_earliest_span():
    tree = lay([row("a", "c", 1, 9), row("b", "a", 2, 9), row("c", "b", 3, 9), row("self", "self", 4, 9)], NOW)
    assert picture(tree) == ["a", "  b", "    c", "self"]
    assert [line.looped for line in tree.lines] == [True, False, False, True]


def test_no_spans_no_lines():
    assert lay([], NOW).lines == ()
    assert first_failure([]) is None and root_of([]) is None


def test_a_running_span_reaches_to_now():
    assert lay([row("a", None, 10)], NOW).ended_us == NOW


def test_the_critical_path_goes_back_from_the_end_into_what_ended_last():
    spans = [
        row("root", None, 0, 100),
        row("early", "root", 0, 30),
        row("slow", "root", 40, 90),
        row("beside", "root", 45, 80),
        row("inner", "slow", 50, 70),
    ]
    critical = {line.span_id: line.critical for line in lay(spans, NOW).lines}
    assert critical == {
        "root": ((90, 100), (30, 40)),
        "early": ((0, 30),),
        "slow": ((70, 90), (40, 50)),
        "beside": (),
        "inner": ((50, 70),),
    }


def test_a_child_that_outlives_its_parent_counts_to_the_parents_end():
    critical = {n.span_id: n.critical for n in lay([row("a", None, 0, 10), row("b", "a", 5, 50)], NOW).lines}
    assert critical["b"] == ((5, 10),) and critical["a"] == ((0, 5),)


def test_folding_hides_what_is_below():
    lines = lay([row("a", None, 0, 9), row("b", "a", 1, 4), row("d", "b", 2, 3), row("c", "a", 5, 6)], NOW).lines
    assert [line.span_id for line in unfolded(lines, {"b"})] == ["a", "b", "c"]
    assert [line.span_id for line in unfolded(lines, {"a", "b"})] == ["a"]


def test_narrowing_keeps_the_way_to_what_was_looked_for():
    spans = [row("a", None, 0, 9), row("b", "a", 1, 4), row("d", "b", 2, 3), row("c", "a", 5, 6), row("z", None, 7, 8)]
    kept = narrowed(lay(spans, NOW).lines, lambda s: s.span_id == "d")
    assert [(line.span_id, hit) for line, hit in kept] == [("a", False), ("b", False), ("d", True)]


def test_the_first_failure_is_the_deepest_of_its_chain_and_the_earliest_of_all():
    spans = [
        row("a", None, 0, 9, "error"),
        row("b", "a", 1, 8, "error"),
        row("cause", "b", 2, 3, "error"),
        row("later", "a", 5, 6, "error"),
        row("earlier", "a", 1, 2),
    ]
    assert first_failure(spans).span_id == "cause"
    assert root_of(spans).span_id == "a"


def test_failures_in_a_loop_do_not_hide_each_other():
    assert first_failure([row("a", "b", 1, 2, "error"), row("b", "a", 0, 2, "error")]).span_id == "b"


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 14)), st.integers(0, 50), st.integers(0, 50)),
        unique_by=lambda t: t[0],
    )
)
def test_every_span_has_one_line_whatever_was_sent(raw):
    spans = [
        row(f"s{i}", None if p is None else f"s{p}", a, a + b, "error" if b % 3 == 0 else "ok") for i, p, a, b in raw
    ]
    tree = lay(spans, NOW)
    shown = [line.span_id for line in tree.lines if line.span]
    assert sorted(shown) == sorted(s.span_id for s in spans)
    assert tree.lines == lay(reversed(spans), NOW).lines
    depth = -1
    for line in tree.lines:
        assert line.depth <= depth + 1
        depth = line.depth
    for line in tree.lines:
        assert all(a < b for a, b in line.critical)
    waited = sorted(section for line in tree.lines for section in line.critical)
    assert all(a[1] <= b[0] for a, b in pairwise(waited)), "the path is at one place at a time"


def test_33_000_spans_also_as_one_chain():
    dice = random.Random(1)
    parents = {str(i): str(dice.randrange(i)) for i in range(1, 33_000)}
    wide = [row("0", None, 0, 10**6)]
    wide += [row(at, parent, int(at), int(at) + dice.randrange(1, 1_000)) for at, parent in parents.items()]
    depths = {"0": 0}
    for at, parent in parents.items():
        depths[at] = depths[parent] + 1
    assert {line.span_id: line.depth for line in lay(wide, NOW).lines} == depths

    chain = [row(str(i), str(i - 1) if i else None, i, 10**6 - i) for i in range(33_000)]
    for spans in (chain, list(reversed(chain))):
        assert [line.depth for line in lay(spans, NOW).lines] == list(range(33_000))
