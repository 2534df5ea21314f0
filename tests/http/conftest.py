"""A server of each database for a whole module: its tests use trace ids of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import Server
from tests.postgres import Postgres

_number = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server, on SQLite and then on PostgreSQL; a module's SETTINGS are its environment."""
    url = None
    if request.param == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.fresh()
    env: dict[str, str] = getattr(request.module, "SETTINGS", {})
    with Server(tmp_path_factory.mktemp("live"), url, **env) as server:
        yield server
    # Whatever a test sent, the server met nothing it did not expect, and logged no traceback.
    assert "Unexpected error" not in server.log, server.log[-4000:]
    assert "Traceback" not in server.log, server.log[-4000:]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fallible(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that the test itself starts and stops, on SQLite and then on PostgreSQL."""
    cluster: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    server = Server(tmp_path / "server", cluster.fresh() if cluster else None)
    yield server
    server.kill()


@pytest.fixture
def new_trace() -> Callable[[], str]:
    """A trace id that no other test of the session uses."""
    return lambda: f"{next(_number):032x}"
