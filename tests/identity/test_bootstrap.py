"""What a new installation makes of AUDITTRAIL_INIT_*: once, whoever starts together and however often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from audittrail.bootstrap import bootstrap
from audittrail.identity.keys import Presented
from audittrail.identity.tokens import setup_token
from audittrail.model.account import SCOPES
from audittrail.model.errors import ConfigurationError, NotSignedIn
from audittrail.runtime import Runtime
from audittrail.settings import load
from audittrail.store import keys, projects, users
from audittrail.store.database import Database

SECRET = "s" * 40
KEY = "sk-at-" + "k" * 32
ADMIN = {
    "AUDITTRAIL_INIT_ADMIN_EMAIL": "First@Example.org",
    "AUDITTRAIL_INIT_ADMIN_PASSWORD": "a good pass phrase",
}
Make = Callable[..., Runtime]


@pytest.fixture
async def make(db: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    """Runtimes on one migrated database, which has the project “one” already."""
    async with AsyncExitStack() as stack:

        def runtime(**env: str) -> Runtime:
            fixed = {
                "DATABASE_URL": database_url,
                "AUDITTRAIL_DATA_DIR": str(tmp_path),
                "AUDITTRAIL_SECRET_KEY": SECRET,
                "AUDITTRAIL_BASE_URL": "https://audit.example.org",
            }
            made = Runtime(load({**fixed, **env}))
            stack.push_async_callback(made.db.close)
            return made

        yield runtime


async def admit(runtime: Runtime) -> int:
    async with runtime.db.read() as conn:
        return (await runtime.keyring.admit(conn, Presented(KEY), ("ingest",), runtime.now_us())).project_id


async def test_with_nothing_set_the_setup_link_is_told_at_each_start(make: Make):
    sentence = await bootstrap(make())
    assert sentence is not None and sentence == await bootstrap(make())
    assert f"https://audit.example.org/setup?token={setup_token(SECRET.encode())}" in sentence


async def test_everything_is_made_once(make: Make):
    runtime = make(**ADMIN, AUDITTRAIL_INIT_API_KEY=KEY, AUDITTRAIL_INIT_PROJECT="first  one")
    for _ in range(3):
        assert await bootstrap(runtime) is None
    async with runtime.db.read() as conn:
        (user,) = await users.list_users(conn)
        assert (user.email, user.role) == ("first@example.org", "admin")
        owned = await projects.list_memberships(conn, user.id)
        assert [(m.project.name, m.role) for m in owned] == [("first one", "owner"), ("one", "owner")]
        (key,) = await keys.list_keys(conn, owned[0].project.id)
        assert key.scopes == SCOPES
        found = await users.find_credential(conn, "first@example.org")
    assert found is not None and await runtime.passwords.verify(found.password_hash, "a good pass phrase")
    assert await admit(runtime) == owned[0].project.id


async def test_replicas_that_start_together_make_it_once(make: Make):
    replicas = [make(**ADMIN, AUDITTRAIL_INIT_API_KEY=KEY) for _ in range(4)]
    assert await asyncio.gather(*(bootstrap(replica) for replica in replicas)) == [None] * 4
    async with replicas[0].db.read() as conn:
        assert len(await users.list_users(conn)) == 1
        assert [p.name for p in await projects.list_projects(conn)] == ["default", "one"]
    assert len({await admit(replica) for replica in replicas}) == 1


async def test_a_key_without_an_account_is_good_and_setup_is_still_told(make: Make):
    runtime = make(AUDITTRAIL_INIT_API_KEY=KEY)
    assert "setup?token=" in str(await bootstrap(runtime))
    assert await admit(runtime) > 0


async def test_an_account_that_exists_is_left_alone(make: Make):
    first = make(**ADMIN)
    await bootstrap(first)
    changed = make(AUDITTRAIL_INIT_ADMIN_EMAIL="b@example.org", AUDITTRAIL_INIT_ADMIN_PASSWORD="another pass phrase")
    assert await bootstrap(changed) is None
    async with first.db.read() as conn:
        assert [user.email for user in await users.list_users(conn)] == ["first@example.org"]


async def test_a_revoked_key_stays_revoked(make: Make):
    runtime = make(**ADMIN, AUDITTRAIL_INIT_API_KEY=KEY)
    await bootstrap(runtime)
    project_id = await admit(runtime)
    async with runtime.db.write() as conn:
        (key,) = await keys.list_keys(conn, project_id)
        await keys.revoke_key(conn, project_id, key.id, runtime.now_us(), by="ann")
    await bootstrap(make(**ADMIN, AUDITTRAIL_INIT_API_KEY=KEY))
    with pytest.raises(NotSignedIn, match="revoked"):
        await admit(runtime)


async def test_a_renamed_project_is_not_made_again(make: Make):
    runtime = make(**ADMIN, AUDITTRAIL_INIT_API_KEY=KEY)
    await bootstrap(runtime)
    async with runtime.db.write() as conn:
        await projects.rename_project(conn, await admit(runtime), "production")
    await bootstrap(make(**ADMIN, AUDITTRAIL_INIT_API_KEY=KEY))
    async with runtime.db.read() as conn:
        assert [p.name for p in await projects.list_projects(conn)] == ["one", "production"]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        (
            {"AUDITTRAIL_INIT_ADMIN_EMAIL": "first", "AUDITTRAIL_INIT_ADMIN_PASSWORD": "a good pass phrase"},
            "_ADMIN_EMAIL",
        ),
        ({"AUDITTRAIL_INIT_ADMIN_EMAIL": "a@x.org", "AUDITTRAIL_INIT_ADMIN_PASSWORD": "hunter2"}, "_ADMIN_PASSWORD"),
        ({**ADMIN, "AUDITTRAIL_INIT_PROJECT": "x" * 81}, "_INIT_PROJECT"),
    ],
)
async def test_what_cannot_be_used_stops_the_start_and_makes_nothing(make: Make, env: dict[str, str], says: str):
    runtime = make(**env)
    with pytest.raises(ConfigurationError, match=says) as error:
        await bootstrap(runtime)
    assert env["AUDITTRAIL_INIT_ADMIN_PASSWORD"] not in str(error.value)
    async with runtime.db.read() as conn:
        assert not await users.has_users(conn)
