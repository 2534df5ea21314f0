"""How long a session lasts, and how rarely its use is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar.testing import RequestFactory

from audittrail.identity.accounts import NewAccount, make_first
from audittrail.identity.tokens import hash_token
from audittrail.model.account import Viewer
from audittrail.runtime import Runtime
from audittrail.settings import asset_folder, load
from audittrail.store import sessions
from audittrail.store.migrations import migrate
from audittrail.web.auth import COOKIE, viewer_or_none

NOW = 1_795_000_000_000_000
MINUTE = 60_000_000
DAY = 1440 * MINUTE
TOKEN = "t" * 43


class Visitor:
    """A signed-in person whose clock we set."""

    def __init__(self, database_url: str, data: Path) -> None:
        self.now_us = NOW
        env = {"DATABASE_URL": database_url, "AUDITTRAIL_DATA_DIR": str(data)}
        self.runtime = Runtime(load(env), clock=lambda: self.now_us)

    async def sign_in(self) -> None:
        await migrate(self.runtime.db, asset_folder("migrations"))
        async with self.runtime.db.write() as conn:
            user = await make_first(conn, NewAccount("a@example.org", "a", "-"), "hash", "one", NOW)
            assert user is not None
            await sessions.add_session(conn, token_hash=hash_token(TOKEN), user_id=user.id, project_id=None, now_us=NOW)

    async def look(self, token: str = TOKEN) -> Viewer | None:
        return await viewer_or_none(RequestFactory().get("/", headers={"cookie": f"{COOKIE}={token}"}), self.runtime)

    async def seen_us(self) -> int:
        async with self.runtime.db.read() as conn:
            found = await sessions.find_session(conn, hash_token(TOKEN), self.now_us)
        assert found is not None
        return found.seen_us


@pytest.fixture
async def visitor(database_url: str, tmp_path: Path) -> AsyncIterator[Visitor]:
    one = Visitor(database_url, tmp_path)
    await one.sign_in()
    yield one
    await one.runtime.db.close()


async def test_a_page_view_is_written_every_five_minutes_at_most(visitor: Visitor):
    for minutes, seen in ((1, 0), (4, 0), (5, 5), (9, 5), (10, 10)):
        visitor.now_us = NOW + minutes * MINUTE
        assert await visitor.look() is not None
        assert await visitor.seen_us() == NOW + seen * MINUTE


async def test_a_week_without_use_ends_it(visitor: Visitor):
    visitor.now_us = NOW + 7 * DAY - 1
    assert await visitor.look() is not None
    visitor.now_us += 7 * DAY
    assert await visitor.look() is None


async def test_a_month_ends_it_however_much_it_is_used(visitor: Visitor):
    for day in range(30):
        visitor.now_us = NOW + day * DAY
        assert await visitor.look() is not None
    visitor.now_us = NOW + 30 * DAY
    assert await visitor.look() is None


@pytest.mark.parametrize("token", ["", "x", "t" * 42, "t" * 5000, "t" * 43 + "."])
async def test_another_token_is_nobody(visitor: Visitor, token: str):
    assert await visitor.look(token) is None


async def test_a_hash_from_the_database_signs_nobody_in(visitor: Visitor):
    assert await visitor.look(hash_token(TOKEN)) is None
