"""Runs of ablations: taken up once, kept by whoever renews the lease, and never answered after they were cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from audittrail.attribution import Outcome
from audittrail.constitution import Constitution
from audittrail.ingest.formats import DECODERS
from audittrail.ingest.pipeline import prepare
from audittrail.jobs.ablations import MAX_OPEN, Ablations, Question
from audittrail.model.ablation import AblationRun
from audittrail.model.batch import Batch
from audittrail.model.errors import NotFound, Unavailable
from audittrail.store import ablations, spans
from audittrail.store.database import Database

TRACE = "a" * 32


def run(number: int, **fields: Any) -> AblationRun:
    values: dict[str, Any] = {
        "id": f"abl_{number:032x}",
        "trace_id": TRACE,
        "outcome": {"rule": "bulk-delete-prevention"},
        "method": "shapley",
        "players": "spans",
        "level": "recorded",
        "seed": 0,
        "status": "queued",
        "requested_us": number,
        "requested_by": "someone@example.org",
        "received_us": 5,
    }
    return AblationRun(**values | fields)


async def test_the_oldest_is_taken_up_first_and_by_one_alone(db: Database) -> None:
    async with db.write() as conn:
        for project_id, number in ((1, 2), (2, 1), (1, 3)):
            await ablations.add(conn, project_id, run(number))
    taken = []
    for _ in range(4):
        async with db.write() as conn:
            found = await ablations.claim(conn, 100, 200)
        taken.append((found[0], found[1].id[-1], found[1].status) if found else None)
    assert taken == [(2, "1", "running"), (1, "2", "running"), (1, "3", "running"), None]


async def test_a_run_is_taken_up_again_when_its_lease_is_over(db: Database) -> None:
    async with db.write() as conn:
        await ablations.add(conn, 1, run(1))
        await ablations.claim(conn, 100, 200)
        assert not await ablations.any_waits(conn, 199) and await ablations.claim(conn, 199, 300) is None
        assert await ablations.progress(conn, 1, run(1).id, 3, 9, 250)
        assert await ablations.claim(conn, 249, 350) is None
        assert await ablations.any_waits(conn, 250)
        again = await ablations.claim(conn, 250, 350)
        assert again is not None and (again[1].done, again[1].total) == (0, 0)
        await ablations.release(conn, 1, run(1).id)
        assert (await ablations.claim(conn, 260, 360)) is not None


async def test_what_was_cancelled_is_not_answered(db: Database) -> None:
    async with db.write() as conn:
        await ablations.add(conn, 1, run(1))
        await ablations.claim(conn, 100, 200)
        assert await ablations.cancel(conn, 1, run(1).id, 150)
        assert not await ablations.cancel(conn, 1, run(1).id, 151)
        assert not await ablations.progress(conn, 1, run(1).id, 1, 2, 300)
        assert not await ablations.finish(conn, 1, run(1).id, "done", 160, result={"x": 1})
        found = await ablations.ablation(conn, 1, run(1).id)
        assert found is not None and (found.status, found.result, found.finished_us) == ("cancelled", None, 150)
        assert await ablations.ablation(conn, 2, run(1).id) is None


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"received_us": 6}, False),
        ({"seed": 1}, False),
        ({"method": "minimal"}, False),
        ({"players": "agents"}, False),
        ({"outcome": {"rule": "other"}}, False),
        ({"trace_id": "b" * 32}, False),
    ],
    ids=str,
)
async def test_the_same_question_about_the_same_record_is_known(
    db: Database, changes: dict[str, Any], known: bool
) -> None:
    async with db.write() as conn:
        await ablations.add(conn, 1, run(1))
        await ablations.claim(conn, 100, 200)
        await ablations.finish(conn, 1, run(1).id, "done", 150, result={"answer": 42}, finding="So.", received_us=5)
        found = await ablations.same(conn, 1, replace(run(2), **changes))
        assert (found is not None) == known
        assert await ablations.same(conn, 2, run(2)) is None
        listed = await ablations.list_ablations(conn, 1, size=10)
    assert [(one.finding, one.result) for one in listed.items] == [("So.", None)]


async def test_so_many_may_wait_and_no_more(db: Database) -> None:
    desk = Ablations(db, Constitution(), lambda: 1_000)
    body = b'{"trace_id": "%s", "span_id": "%s", "name": "x", "started_us": 1}' % (b"a" * 32, b"b" * 16)
    batch = Batch(1, prepare(DECODERS["native-spans"](body).records))
    async with db.write() as conn:
        await spans.store(conn, [batch], 5)
    asked = [Question(outcome=Outcome(rule=f"rule-{n}")) for n in range(MAX_OPEN + 1)]
    for question in asked[:-1]:
        await desk.ask(1, TRACE, question, "someone@example.org")
    with pytest.raises(Unavailable, match="wait for an answer"):
        await desk.ask(1, TRACE, asked[-1], "someone@example.org")
    known = await desk.ask(1, TRACE, asked[0], "someone@example.org")
    assert known.status == "queued", "what was asked already is no further question"
    with pytest.raises(NotFound):
        await desk.ask(2, TRACE, asked[0], "someone@example.org")
