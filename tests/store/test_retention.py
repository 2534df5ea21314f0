"""What grows old is purged: by when it last changed, once, in small steps, and by a clock not believed blindly."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from audittrail.jobs import retention as module
from audittrail.jobs.retention import Retention
from audittrail.model.activity import SYSTEM, ActivityFilter
from audittrail.model.retention import DAY_US
from audittrail.store import activity, erasure, retention, spans
from audittrail.store.database import Database
from audittrail.store.tables import records, refusals, rule_counts, usage
from audittrail.store.tables import spans as span_table
from audittrail.store.tombstone_table import tombstones
from tests.make import batch
from tests.store.test_erasure import job, keep, listed, sums, told, trace_id

NOW = 20_000 * DAY_US


class Time:
    """A clock on the wall and one that cannot be set."""

    def __init__(self) -> None:
        self.wall, self.passed = NOW, 0.0

    def purging(self, db: Database, days: int = 90) -> Retention:
        return Retention(db, job(db), lambda: self.wall, days, lambda: self.passed)

    def go_on(self, seconds: float) -> None:
        self.wall += int(seconds * 1_000_000)
        self.passed += seconds


async def ages(db: Database, *days: float, project: int = 1, first: int = 1) -> None:
    """Traces of these ages, numbered."""
    for number, age in enumerate(days, first):
        await keep(db, told(1, number), told(2, number), project=project, at_us=NOW - int(age * DAY_US))


async def test_only_what_has_not_changed_for_so_long_is_purged_and_each_project_hears_of_it_once(db: Database) -> None:
    await ages(db, 89, 91, 200, 0)
    await ages(db, 95, 0, project=2, first=11)
    await keep(db, told(3, 3), at_us=NOW - DAY_US)  # the old trace 3 went on yesterday
    await ages(db, *(100 + n / 100 for n in range(70)), first=100)
    time = Time()
    done = await time.purging(db).purge()
    assert await listed(db) == [1, 3, 4] and await listed(db, 2) == [12]
    assert {project: (one.traces, one.spans) for project, one in done.items()} == {1: (71, 142), 2: (1, 2)}
    async with db.read() as conn:
        for project, traces in ((1, 71), (2, 1)):
            (noted,) = (await activity.list_activity(conn, [project], ActivityFilter(size=9), 0)).items
            assert (noted.action, noted.actor, noted.at_us) == ("retention.purged", SYSTEM, NOW)
            assert noted.detail == {
                "traces": traces, "spans": 2 * traces, "bytes": done[project].bytes, "horizon_us": NOW - 90 * DAY_US,
            }  # fmt: skip
        assert await conn.scalar(select(func.count()).select_from(tombstones)) == 0  # they may come again, as new ones
        kept = {row[0] for row in await conn.execute(select(records.c.trace_id))}
    assert kept == {trace_id(n) for n in (1, 3, 4, 12)}
    assert await time.purging(db).purge() == {}


async def test_the_sums_are_those_of_the_traces_that_are_left(db: Database) -> None:
    await ages(db, *range(60, 120), 0)
    await ages(db, 100, project=2)
    before = await sums(db)
    await Time().purging(db).purge()
    left = await listed(db)
    assert left == [*range(1, 32), 61] and await sums(db, 2) == []
    after = await sums(db)
    assert after != before
    # The same traces, stored where nothing ever was.
    async with db.write() as conn:
        await conn.execute(usage.delete())
        await conn.execute(span_table.delete())
        await conn.execute(records.delete())
    await ages(db, *range(60, 91))
    await ages(db, 0, first=61)
    assert await sums(db) == after


async def test_days_of_nothing_keep_all_for_ever(db: Database) -> None:
    await ages(db, 5_000)
    assert await Time().purging(db, 0).purge() == {} and await listed(db) == [1]


async def test_counts_of_the_time_before_go_too(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGED", 2)
    old, new = [NOW - days * DAY_US for days in (95, 94, 93, 92, 91)], NOW - DAY_US
    async with db.write() as conn:
        for hour in (*old, new):
            await conn.execute(
                refusals.insert().values(
                    project_id=1, hour_us=hour, signal="traces", reason="x", spans=1, requests=1, last_us=hour
                )
            )
            await conn.execute(
                rule_counts.insert().values(
                    project_id=1, rule_id="r", hour_us=hour, passed=1, warned=0, violated=0, erred=0
                )
            )
    async with db.write() as conn:  # so much for a transaction, and no more
        aged = await retention.find_aged(conn, new, 2)
        assert [(one.table.name, len(one.keys)) for one in aged] == [("refusals", 2), ("rule_counts", 2)]
        await retention.remove(conn, aged)
        for table in (refusals, rule_counts):
            assert await conn.scalar(select(func.count()).select_from(table)) == 4
    await Time().purging(db).purge()
    async with db.read() as conn:
        for table in (refusals, rule_counts):
            assert list((await conn.scalars(select(table.c.hour_us))).all()) == [new]


async def test_a_clock_that_leaps_ahead_purges_a_days_worth_an_hour_and_health_says_so(db: Database) -> None:
    await ages(db, 89.9, 89.0, 50, 1)
    time = Time()
    purging = time.purging(db)
    await purging.purge()
    assert await listed(db) == [1, 2, 3, 4] and purging.reason == ""
    time.wall += 3_650 * DAY_US
    await purging.purge()
    assert await listed(db) == [1, 2, 3, 4] and "3650 days ahead" in purging.reason
    restarted = time.purging(db)  # whoever starts it again has not made it any truer
    await restarted.purge()
    assert await listed(db) == [1, 2, 3, 4]
    for _ in range(2):
        time.go_on(300)
        await restarted.purge()
    assert await listed(db) == [2, 3, 4]  # four hours of it
    time.wall -= 3_650 * DAY_US  # set right
    await restarted.purge()
    assert await listed(db) == [2, 3, 4] and restarted.reason == ""


async def test_a_clock_set_back_purges_nothing_and_what_came_by_a_wrong_clock_keeps_its_time(db: Database) -> None:
    await ages(db, 89, -400)
    time = Time()
    await time.purging(db).purge()
    time.wall -= 1_000 * DAY_US
    purging = time.purging(db)
    await purging.purge()
    time.wall += 1_000 * DAY_US + 2 * DAY_US
    time.passed += 10
    await purging.purge()
    assert await listed(db) == [1, 2]
    for _ in range(30):
        time.go_on(300)
        await purging.purge()
    assert await listed(db) == [2]


async def test_two_processes_purge_one_after_the_other_and_count_nothing_twice(db: Database) -> None:
    await ages(db, *(100 for _ in range(40)), 0)
    async with db.purging() as first, db.purging() as second:
        assert first and second == db.is_sqlite
    async with db.purging() as again:
        assert again  # the lock went with its connection
    one, two = Time().purging(db), Time().purging(db)
    both = await asyncio.gather(one.purge(), two.purge())  # even without it
    assert sum(done[1].traces for done in both if done) == 40 and await listed(db) == [41]


async def test_what_comes_in_meanwhile_is_kept(db: Database) -> None:
    await ages(db, *(100 for _ in range(60)), 0)

    async def sending() -> None:
        for number in range(1, 61):
            async with db.write() as conn:
                await spans.store(conn, [batch(told(1, 1_000 + number), told(3, number + 200))], NOW)
            await asyncio.sleep(0)

    await asyncio.gather(Time().purging(db).purge(), sending())
    assert await listed(db) == [61, *range(201, 261), *range(1_001, 1_061)]
    async with db.read() as conn:
        assert await erasure.next_piece(conn) is None
