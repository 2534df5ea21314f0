"""A clock that is set back, as NTP does: nothing fails, and nobody waits for the time that was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audittrail.attribution import Outcome
from audittrail.identity.tokens import hash_token
from audittrail.jobs.ablations import Question
from audittrail.model.errors import TooMany
from audittrail.model.filters import Cursor, TraceFilter
from audittrail.model.session import SESSION_TOUCH_US
from audittrail.runtime import Runtime
from audittrail.settings import load
from audittrail.store import ablations, projects, sessions, traces, users
from tests.make import batch, record

HOUR_US = 3_600_000_000
START_US = 1_795_000_000_000_000


class Clock:
    def __init__(self) -> None:
        self.us = START_US

    def __call__(self) -> int:
        self.us += 1
        return self.us


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def runtime(database_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Runtime]:
    """A whole runtime, with the first account and its project."""
    env = {
        "DATABASE_URL": database_url,
        "AUDITTRAIL_DATA_DIR": str(tmp_path),
        "AUDITTRAIL_INIT_ADMIN_EMAIL": "first@example.org",
        "AUDITTRAIL_INIT_ADMIN_PASSWORD": "a good pass phrase",
    }
    async with Runtime(load(env), clock).running() as running:
        yield running


async def test_everything_goes_on_after_a_step_back(runtime: Runtime, clock: Clock) -> None:
    async with runtime.db.write() as conn:
        user = await users.find_credential(conn, "first@example.org")
        project = await projects.find_project(conn, "default")
        assert user is not None and project is not None
        await sessions.add_session(
            conn, token_hash=hash_token("t"), user_id=user.user.id, project_id=project.id, now_us=clock()
        )
    ids = [f"{number:032x}" for number in range(1, 5)]
    for trace_id in ids[:2]:
        await runtime.writer.submit(batch(record(trace_id=trace_id), project=project.id))
    taken = await runtime.ablations.ask(project.id, ids[0], Question(outcome=Outcome(error=True)), "x")
    clock.us -= HOUR_US
    for trace_id in ids[2:]:
        await runtime.writer.submit(batch(record(trace_id=trace_id), project=project.id))
    async with runtime.db.read() as conn:
        assert await sessions.find_session(conn, hash_token("t"), clock()) is not None
        first = await traces.list_traces(conn, project.id, TraceFilter(size=2), clock())
        assert first.next is not None
        after = Cursor.parse(first.next)
        rest = await traces.list_traces(conn, project.id, TraceFilter(size=2, after=after), clock())
    assert sorted(row.trace_id for row in (*first.items, *rest.items)) == ids, "a cursor goes through all of them once"
    # Every task looks again after the step.
    await asyncio.sleep(1.5)
    clock.us += SESSION_TOUCH_US
    ended = await runtime.ablations.wait(project.id, taken.id, 20)
    assert not ended.open
    assert {name: state.failures for name, state in runtime.supervisor.states.items() if state.failures} == {}


async def test_who_must_wait_waits_no_longer_than_was_said(runtime: Runtime, clock: Clock) -> None:
    with pytest.raises(TooMany) as before:
        for _ in range(30):
            runtime.throttle.attempt("a@example.org", "192.0.2.1")
    clock.us -= HOUR_US
    with pytest.raises(TooMany) as after:
        runtime.throttle.attempt("a@example.org", "192.0.2.1")
    assert after.value.retry_after <= before.value.retry_after


async def test_a_lease_of_the_time_that_was_is_over(runtime: Runtime, clock: Clock) -> None:
    async with runtime.db.write() as conn:
        project = await projects.find_project(conn, "default")
        assert project is not None
    await runtime.writer.submit(batch(record(trace_id="a" * 32), project=project.id))
    await runtime.supervisor.stop()  # whoever took it up is gone
    taken = await runtime.ablations.ask(project.id, "a" * 32, Question(outcome=Outcome(error=True)), "x")
    async with runtime.db.write() as conn:
        assert await ablations.claim(conn, clock(), clock() + 15_000_000) is not None
        assert not await ablations.any_waits(conn, clock())
    clock.us -= HOUR_US
    async with runtime.db.write() as conn:
        claimed = await ablations.claim(conn, clock(), clock() + 15_000_000)
    assert claimed is not None and claimed[1].id == taken.id
