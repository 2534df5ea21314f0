"""A migrated database of each kind, with two projects in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from audittrail.settings import asset_folder
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.store.tables import projects


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """Projects 1 and 2 exist."""
    async with Database(database_url) as database:
        await migrate(database, asset_folder("migrations"))
        async with database.write() as conn:
            await conn.execute(projects.insert(), [{"name": "one", "created_us": 1}, {"name": "two", "created_us": 2}])
        yield database
