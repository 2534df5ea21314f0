"""What a drawing of a large trace shows: the top levels, what matters, and a true count of the rest."""

import random

from hypothesis import given
from hypothesis import strategies as st

from audittrail.model.summary import SpanRow
from audittrail.model.tree import lay
from audittrail.report.folding import LIMIT, MOST, PORTION, REST, fold


def tree(parents, failed=()):
    """A tree of numbered spans; `parents[n]` is the parent of span n, None of a top."""
    return lay(
        [
            SpanRow(
                trace_id="t", span_id=f"{n:04x}", parent_id=None if p is None else f"{p:04x}",
                started_us=n, ended_us=n + 1,
                status="error" if n in failed else "ok",
            )
            for n, p in enumerate(parents)
        ],
        10**6,
    )  # fmt: skip


def consistent(shown, whole):
    """Every span is shown or counted in exactly one rest, and each stands for something that is there."""
    drawn = {line.span_id for _, line in shown.lines}
    rests = {rest.id: rest for rest in shown.rests}
    assert len(shown.lines) + sum(rest.spans for rest in shown.rests) == len(whole.lines)
    assert shown.hidden == sum(rest.spans for rest in shown.rests)
    assert len(shown.lines) <= MOST + 1
    for line in whole.lines:
        stand_in = shown.stands_for[line.span_id]
        assert (stand_in == line.span_id) == (line.span_id in drawn)
        assert stand_in in drawn or stand_in in rests
    for rest in shown.rests:
        assert rest.id == REST + rest.parent and (rest.parent in drawn or not rest.parent)
        assert rest.spans == sum(stand_in == rest.id for stand_in in shown.stands_for.values())


def test_a_small_trace_is_shown_whole():
    whole = tree([None] + [0] * (LIMIT - 1))
    shown = fold(whole)
    assert (len(shown.lines), shown.rests, shown.hidden) == (LIMIT, (), 0)


def test_5000_children_of_one_parent():
    whole = tree([None] + [0] * 5_000, failed={4_000})
    shown = fold(whole, always=["0fa0"])
    consistent(shown, whole)
    assert "0fa0" in {line.span_id for _, line in shown.lines}
    (rest,) = shown.rests
    assert (rest.parent, rest.children, rest.spans, rest.errors) == ("0000", rest.spans, 5_001 - len(shown.lines), 0)
    hidden_failure = fold(whole).rests[0]
    assert hidden_failure.errors == 1
    more = fold(whole, ["0000"], ["0fa0"])
    assert len(more.lines) == len(shown.lines) + PORTION
    again = fold(whole, ["0000"] * 2, ["0fa0"])
    assert len(again.lines) == len(shown.lines) + 2 * PORTION
    most = fold(whole, ["0000"] * 100)
    consistent(most, whole)
    assert not most.rests[0].can_unfold and more.rests[0].can_unfold


def test_a_chain_of_5000():
    whole = tree([None, *range(4_999)])
    shown = fold(whole)
    consistent(shown, whole)
    assert len(shown.lines) == LIMIT
    last = shown.lines[-1][1].span_id
    assert len(fold(whole, [last]).lines) == LIMIT + PORTION, "what is unfolded reaches further down"
    consistent(fold(whole, always=["1386"]), whole)


def test_5000_tops_and_parents_that_never_came():
    whole = tree([None] * 5_000)
    shown = fold(whole)
    consistent(shown, whole)
    assert shown.rests[0].id == REST and shown.rests[0].parent == ""
    assert len(fold(whole, [REST]).lines) == len(shown.lines) + PORTION
    missing = lay([SpanRow(trace_id="t", span_id=f"{n:04x}", parent_id="ffff", started_us=n) for n in range(500)], 10)
    consistent(fold(missing), missing)
    assert fold(missing).lines[0][1].span is None


def test_a_single_step_is_shown_and_not_folded():
    whole = tree([None] + [0] * 11 + [n for n in range(1, 11) for _ in range(6)] + [11] * 40)
    for rest in fold(whole).rests:
        assert rest.spans > 1


@given(st.integers(0, 10**6), st.integers(1, 700), st.lists(st.integers(0, 700)), st.lists(st.integers(0, 700)))
def test_any_tree(seed, count, unfolded, always):
    chance = random.Random(seed)
    whole = tree(
        [None if n == 0 or chance.random() < 0.05 else chance.randrange(n) for n in range(count)], {3, 30, 300}
    )
    shown = fold(whole, [f"{n:04x}" for n in unfolded], [f"{n:04x}" for n in always])
    consistent(shown, whole)
    drawn = {line.span_id for _, line in shown.lines}
    if len(always) <= 20:
        assert {f"{n:04x}" for n in always if n < count} <= drawn


def test_nothing():
    shown = fold(tree([]))
    assert (shown.lines, shown.rests, shown.hidden) == ((), (), 0)
