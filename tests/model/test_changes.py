"""What changed, as it is gathered and as it travels between processes."""

from __future__ import annotations

import pytest

from audittrail.model.changes import MAX_COMMIT_IDS, MAX_IDS, Changes, Topics, add, merge


def test_without_ids_all_may_have_changed_and_no_id_narrows_that_again() -> None:
    topics: Topics = {}
    add(topics, "trace", ["a"])
    add(topics, "trace")
    add(topics, "trace", ["b"])
    assert topics == {"trace": None}


@pytest.mark.parametrize(("count", "kept"), [(1, True), (MAX_IDS, True), (MAX_IDS + 1, False)])
def test_a_topic_names_no_more_ids_than_its_bound(count: int, kept: bool) -> None:
    topics: Topics = {}
    for n in range(count):
        add(topics, "trace", [str(n)])
    assert topics == {"trace": {str(n) for n in range(count)} if kept else None}


def test_merging_is_the_union_and_leaves_the_second_alone() -> None:
    mine: Topics = {"trace": {"a"}, "traces": None}
    more: Topics = {"trace": {"b"}, "counts": None}
    merge(mine, more)
    assert mine == {"trace": {"a", "b"}, "traces": None, "counts": None}
    assert more == {"trace": {"b"}, "counts": None}


def test_a_commit_may_name_more_than_an_event() -> None:
    changes = Changes()
    changes.add(1, "trace", [str(n) for n in range(MAX_COMMIT_IDS)])
    ids = changes.by_project[1]["trace"]
    assert ids is not None
    assert len(ids) == MAX_COMMIT_IDS
    changes.add(1, "trace", ["one more"])
    assert changes.by_project[1]["trace"] is None


def test_what_travels_arrives_as_it_was() -> None:
    changes = Changes()
    changes.add(1, "traces")
    changes.add(1, "trace", ["a" * 32, "b" * 32])
    changes.add(2, "counts")
    arrived = Changes()
    for text in changes.encode(7_900):
        arrived.by_project |= Changes.decode(text).by_project
    assert arrived.by_project == changes.by_project


def test_what_is_too_long_to_travel_becomes_all_of_that_project() -> None:
    changes = Changes()
    changes.add(1, "trace", [f"{n:032x}" for n in range(300)])
    changes.add(2, "trace", ["a" * 32])
    texts = changes.encode(7_900)
    assert max(map(len, texts)) <= 7_900
    assert [Changes.decode(text).by_project for text in texts] == [{1: {"trace": None}}, {2: {"trace": {"a" * 32}}}]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"1": {"trace": [1]}}', '{"x": {}}'])
def test_anything_else_that_is_heard_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Changes.decode(text)
