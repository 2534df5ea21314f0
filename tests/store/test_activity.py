"""The activity log on both databases: who sees what, page by page, and rule sets told once."""

from __future__ import annotations

import pytest

from audittrail.model.activity import Activity, ActivityFilter
from audittrail.model.filters import Cursor
from audittrail.store import activity
from audittrail.store.database import Database

pytestmark = pytest.mark.anyio


async def every(db: Database, project_ids: list[int], size: int, *, instance: bool = False) -> list[Activity]:
    found: list[Activity] = []
    after: Cursor | None = None
    while True:
        want = ActivityFilter(size=size, after=after)
        async with db.read() as conn:
            page = await activity.list_activity(conn, project_ids, want, 1_000, instance=instance)
        assert len(page.items) <= size
        found += page.items
        if page.next is None:
            return found
        after = Cursor.parse(page.next)


async def test_pages_of_any_size_are_the_same_list(db: Database) -> None:
    async with db.write() as conn:
        for n in range(24):
            whose = (1, 2, 3, None)[n % 4]
            # Several at one moment: then the id decides.
            await activity.note(conn, n // 5, "ann", "key.revoked", str(n), project_id=whose, number=n)
        await activity.note(conn, 2, "system", "rules.changed", "shared")
    for projects, instance, count in (([1], False, 7), ([1, 2], False, 13), ([], False, 1), ([1, 3], True, 19)):
        whole = await every(db, projects, 100, instance=instance)
        assert len(whole) == count
        assert whole == sorted(whole, key=lambda one: (one.at_us, one.id), reverse=True)
        assert {one.project_id for one in whole} == {*projects, None}
        for size in (1, 2, 5):
            assert await every(db, projects, size, instance=instance) == whole


async def test_more_projects_than_one_statement_takes(db: Database) -> None:
    async with db.write() as conn:
        for project_id in range(1, 251):
            await activity.note(conn, project_id, "ann", "project.created", project_id=project_id)
    found = await every(db, list(range(1, 251)), 100)
    assert [one.project_id for one in found] == list(range(250, 0, -1))


async def test_what_fails_leaves_no_line(db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with db.write() as conn:
            await activity.note(conn, 1, "ann", "key.revoked", project_id=1)
            raise RuntimeError
    assert await every(db, [1], 10, instance=True) == []


async def test_a_line_with_an_id_is_kept_once(db: Database) -> None:
    line = Activity(id="a" * 24, at_us=1, actor="somebody", action="auth.sign_in_refused")
    async with db.write() as conn:
        await activity.note_all(conn, [line, line])
        await activity.note_all(conn, [line])
        await activity.note_all(conn, [])
    assert await every(db, [], 10, instance=True) == [line]


async def test_rules_are_told_when_they_differ_from_what_was_told_last(db: Database) -> None:
    steps: list[tuple[int, dict[str, str] | list[str]]] = [
        (1, {"a": "1", "b": "1"}),
        (2, {"a": "1", "b": "1"}),  # a restart, or another replica
        (3, ["a.yaml:3:1"]),
        (4, ["a.yaml:3:1"]),
        (5, ["a.yaml:4:1"]),
        (6, {"a": "1", "b": "1"}),  # mended: in force as before
        (7, {"b": "2", "c": "1"}),
        (8, ["a.yaml:4:1"]),
        (9, {"c": "1"}),
    ]
    for at_us, what in steps:
        async with db.write() as conn:
            if isinstance(what, list):
                await activity.note_rules_refused(conn, at_us, what, len(what))
            else:
                await activity.note_rules(conn, at_us, what, str(sorted(what.items())))
    found = (await every(db, [], 100))[::-1]
    assert [one.at_us for one in found] == [1, 3, 5, 6, 7, 8, 9]
    changes = {one.at_us: one.detail for one in found if one.action == "rules.changed"}
    assert {at: (said["added"], said["removed"], said["changed"]) for at, said in changes.items()} == {
        1: (["a", "b"], [], []),
        6: ([], [], []),
        7: (["c"], ["a"], ["b"]),
        9: ([], ["b"], []),
    }
