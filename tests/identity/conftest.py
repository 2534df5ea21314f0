"""A migrated database of each kind with one project, and a ring of keys on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from audittrail.settings import asset_folder
from audittrail.store import projects
from audittrail.store.database import Database
from audittrail.store.migrations import migrate


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """Project 1 exists."""
    async with Database(database_url) as database:
        await migrate(database, asset_folder("migrations"))
        async with database.write() as conn:
            await projects.add_project(conn, "one", 1)
        yield database
