"""A backup beside a server that takes spans: what was acknowledged before is in it, and the server loses nothing."""

from __future__ import annotations

import concurrent.futures
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.http.test_durability import BATCH, CLIENTS, send_until, stored
from tests.live import Server
from tests.postgres import Postgres


def command(server: Server, *words: str | Path) -> str:
    done = subprocess.run(
        [*server.command, *map(str, words)],
        env=server.env,
        cwd=server.data,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_under_load_it_is_whole_and_misses_nothing(
    fallible: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fallible.start()
    acknowledged: set[str] = set()
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(send_until, fallible, stop, 10_000_000 + i, acknowledged) for i in range(CLIENTS)]
        while len(acknowledged) < 40:
            time.sleep(0.01)
        before = set(acknowledged)
        made = Path(command(fallible, "backup", "--to", tmp_path / "backups"))
        during = len(acknowledged) - len(before)
        if "sqlite" in fallible.env["DATABASE_URL"]:
            old = sqlite3.connect(fallible.data / "audittrail.db")
            with sqlite3.connect(tmp_path / "plain.db") as plain:
                old.backup(plain)  # as the shell's .backup does
            old.close()
        stop.set()
        for one in running:
            one.result()
    assert during > 0, "nothing came while the backup was made, so it proved nothing"
    assert set(stored(fallible)) >= acknowledged
    fallible.stop()

    url = None
    if "postgres" in fallible.env["DATABASE_URL"]:
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.fresh()
    new = Server(tmp_path / "new", url)
    (tmp_path / "cwd").mkdir()
    new.cwd = tmp_path / "cwd"
    new._log = tmp_path / "new.log"
    done = subprocess.run(
        [*new.command, "restore", "--from", str(made)], env=new.env, cwd=new.cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with new:
        found = stored(new)  # with the key of then
        assert before <= set(found) and set(found.values()) == {BATCH}
        with new.client() as client:
            trace = next(iter(before))
            assert len(client.get(f"/api/v1/traces/{trace}/spans").json()["data"]) == BATCH
            deadline = time.monotonic() + 20
            while not client.get("/api/v1/traces", params={"q": '"something to read"'}).json()["data"]:
                assert time.monotonic() < deadline, "what was received is not found"
                time.sleep(0.1)
        more = threading.Event()
        also: set[str] = set()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            one = pool.submit(send_until, new, more, 900_000_000, also)
            while not also:
                time.sleep(0.01)
            more.set()
            one.result()
    if (tmp_path / "plain.db").exists():
        with sqlite3.connect(tmp_path / "plain.db") as plain:
            assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert plain.execute("SELECT count(*) FROM spans").fetchone()[0] >= len(before) * BATCH
