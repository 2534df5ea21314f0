"""Reports as rows: taken up once, deleted at any time, listed by project; and the tallies that they are made from."""

from __future__ import annotations

import msgspec

from audittrail.jobs.reports import LEASE_US
from audittrail.model.filters import Cursor
from audittrail.model.report import Report
from audittrail.store import reports, tally
from audittrail.store.database import Database
from audittrail.store.leases import LONGEST_LEASE_US
from audittrail.store.tables import refusals, rule_counts, traces

HOUR = tally.HOUR_US
TRACE = "a" * 32


def report(number: int) -> Report:
    return Report(
        id=f"rep_{number:032x}",
        kind="audit",
        title=f"number {number}",
        from_us=0,
        to_us=HOUR,
        requested_us=number,
        requested_by="ann@example.org",
    )


async def test_the_oldest_is_taken_up_once_and_again_when_its_lease_is_over(db: Database) -> None:
    assert LEASE_US < LONGEST_LEASE_US
    async with db.write() as conn:
        await reports.add(conn, 1, report(2))
        await reports.add(conn, 2, report(1))
        assert await reports.leases.claim(conn, 100, 200) == (2, report(1).id)
        assert await reports.leases.claim(conn, 100, 200) == (1, report(2).id)
        assert await reports.leases.claim(conn, 199, 300) is None
        assert await reports.leases.renew(conn, 2, report(1).id, 3, 9, 400)
        assert await reports.leases.claim(conn, 200, 300) == (1, report(2).id), "the other one was kept"
        found = await reports.report(conn, 2, report(1).id)
        assert found and (found.status, found.done, found.total) == ("running", 3, 9)
        assert await reports.leases.finish(conn, 2, report(1).id, {"status": "done", "pages": 4})
        assert not await reports.leases.renew(conn, 2, report(1).id, 9, 9, 500)
        assert await reports.leases.open(conn, 2) == 0 and await reports.leases.open(conn, 1) == 1


async def test_one_that_was_deleted_is_neither_kept_nor_finished(db: Database) -> None:
    async with db.write() as conn:
        await reports.add(conn, 1, report(1))
        await reports.leases.claim(conn, 100, 200)
        assert not await reports.remove(conn, 2, report(1).id), "it is another project's"
        assert await reports.remove(conn, 1, report(1).id)
        assert not await reports.leases.renew(conn, 1, report(1).id, 1, 2, 300)
        assert not await reports.leases.finish(conn, 1, report(1).id, {"status": "done"})
        assert not await reports.hide(conn, 1, report(1).id)
        for strange in ("../" * 4 + "etc", "rep_\0", "%2f", "rep_" + "A" * 32):
            assert await reports.report(conn, 1, strange) is None
            assert not await reports.remove(conn, 1, strange) and not await reports.hide(conn, 1, strange)


def sheet(number: int) -> Report:
    return msgspec.structs.replace(report(number), kind="trace", trace_id=TRACE)


async def test_a_hidden_one_is_nobodys_and_its_files_wait_for_whoever_makes_it(db: Database) -> None:
    async with db.write() as conn:
        await reports.add(conn, 1, sheet(1))
        await reports.add(conn, 1, sheet(2))
        await reports.add(conn, 2, sheet(3))
        await reports.add(conn, 1, report(4))
        assert await reports.leases.claim(conn, 100, 200) == (1, sheet(1).id)
        await reports.hide_sheets(conn, 1, [TRACE])
        assert [one.id for one in (await reports.list_reports(conn, 1, size=9)).items] == [report(4).id]
        assert await reports.report(conn, 1, sheet(1).id) is None and await reports.leases.open(conn, 1) == 1
        assert await reports.hidden(conn, 199, 9) == [(1, sheet(2).id)], "the other one is still being made"
        await reports.leases.release(conn, 1, sheet(1).id)
        assert not await reports.leases.renew(conn, 1, sheet(1).id, 1, 2, 300)
        assert not await reports.leases.finish(conn, 1, sheet(1).id, {"status": "done"})
        assert set(await reports.hidden(conn, 200, 9)) == {(1, sheet(1).id), (1, sheet(2).id)}
        assert await reports.leases.claim(conn, 200, 300) == (2, sheet(3).id)
        assert await reports.leases.finish(conn, 2, sheet(3).id, {"status": "done"})
        await reports.hide_sheets(conn, 2, [TRACE])
        assert (2, sheet(3).id) in await reports.hidden(conn, 200, 9), "it is made, and nobody's any more"
        assert not await reports.hide(conn, 2, report(4).id), "it is another project's"
        assert await reports.hide(conn, 1, report(4).id) and not await reports.hide(conn, 1, report(4).id)
        assert await reports.report(conn, 1, report(4).id) is None
        assert [len((await reports.list_reports(conn, n, size=9)).items) for n in (1, 2)] == [0, 0]


async def test_a_list_goes_on_where_it_stopped(db: Database) -> None:
    async with db.write() as conn:
        for n in range(1, 6):
            await reports.add(conn, 1 + n % 2, report(n))
        first = await reports.list_reports(conn, 2, size=2)
        assert [one.requested_us for one in first.items] == [5, 3] and first.next
        rest = await reports.list_reports(conn, 2, after=Cursor.parse(first.next), size=2)
        assert [one.requested_us for one in rest.items] == [1] and rest.next is None


def trace(number: int, started_us: int, **fields: object) -> dict[str, object]:
    values: dict[str, object] = {"project_id": 1, "trace_id": f"{number:032x}", "name": "t", "outcome": "ok"}
    counts = {
        "span_count": 3,
        "error_count": 0,
        "llm_calls": 1,
        "tool_calls": 2,
        "names": "",
        "received_us": 0,
        "pii": {},
    }
    return values | counts | {"started_us": started_us} | fields


async def test_tallies_are_of_the_time_and_the_project(db: Database) -> None:
    async with db.write() as conn:
        rows = [trace(n, n, pii={"email": n}) for n in range(1, 5)]
        await conn.execute(traces.insert(), [*rows, trace(9, 2, project_id=2, pii={"email": 100})])
        await conn.execute(
            refusals.insert(),
            [
                {
                    "project_id": 1,
                    "hour_us": at,
                    "signal": "traces",
                    "reason": "r",
                    "spans": 2,
                    "requests": 1,
                    "last_us": 0,
                }
                for at in (0, HOUR, 2 * HOUR)
            ],
        )
        counts = {"passed": 5, "warned": 1, "violated": 2, "erred": 0}
        await conn.execute(
            rule_counts.insert(),
            [{"project_id": 1, "rule_id": "r", "hour_us": at} | counts for at in (0, HOUR, 2 * HOUR)],
        )
    async with db.read() as conn:
        got = await tally.received(conn, 1, 2, 4)
        assert (got.traces, got.spans, got.model_calls, got.tool_calls) == (2, 6, 2, 4)
        redacted, with_some, rest = await tally.redacted(conn, 1, 2, 4, None)
        assert (dict(redacted), with_some, rest) == ({"email": 5}, 2, None)
        redacted, *_ = await tally.redacted(conn, 1, 1, 5, Cursor((2, f"{2:032x}")))
        assert dict(redacted) == {"email": 7}
        # The hours that the time touches, and no other.
        (refused,) = await tally.refused(conn, 1, HOUR - 1, HOUR + 1, 9)
        assert (refused.spans, refused.requests) == (4, 2)
        assert (await tally.judged(conn, 1, HOUR, 2 * HOUR))["r"].judged == 8
        assert await tally.refused(conn, 2, 0, 9 * HOUR, 9) == [] and await tally.judged(conn, 2, 0, 9 * HOUR) == {}
