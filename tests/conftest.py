"""The real things tests run against: databases, a server, a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.live import Server
from tests.postgres import Postgres
from tests.prepare import AXE, BROWSERS, POPPLER, find_browser


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for the session; starts when the first test asks (1 s)."""
    cluster = Postgres()
    yield cluster
    cluster.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own, once of each kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite+aiosqlite:///{tmp_path}/audittrail.db"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server on SQLite; `server.url`, `server.key`, `server.client()`, `server.browser()`."""
    running = Server(tmp_path / "server")
    try:
        with running:
            yield running
    finally:
        # pytest shows this only with a failed test.
        print(running.log[-8000:])


def missing(reason: str) -> NoReturn:
    """Skips on a developer's machine; fails in CI, where a skip would let a page land that no browser has seen."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome."""
    return find_browser() or missing(f"no browser: none of {', '.join(BROWSERS)} is installed; `make test` says how")


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, to be run inside a page."""
    return AXE.read_text() if AXE.exists() else missing("axe-core was not fetched: run `make test`, which says why not")


@pytest.fixture(scope="session")
def poppler() -> None:
    """pdftoppm and pdftotext are on the path."""
    if not all(map(shutil.which, POPPLER)):
        missing("no Poppler: install poppler-utils; `make test` does it on Debian")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio only: it is what the server runs on."""
    return "asyncio"
