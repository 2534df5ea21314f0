"""Retention of a real server: killed in the midst of it again and again, it leaves nothing half done."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx

from tests.http.otlp import PROTOBUF, attribute, request, span
from tests.live import Server

OLD, STEPS, YOUNG = 120, 20, 10
CANARY = "zanzibarquokka"
DAY_US = 86_400_000_000


def fill(server: Server) -> None:
    """Traces with the canary, to become old, and some without it."""
    with server.client() as client:
        for number in range(1, OLD + YOUNG + 1):
            said = CANARY if number <= OLD else "tea"
            steps = [attribute(span(f"{number:032x}", n), "output.value", f"{said} {n}") for n in range(1, STEPS + 1)]
            client.post("/v1/traces", content=request(*steps), headers={"Content-Type": PROTOBUF}).raise_for_status()
        deadline = time.monotonic() + 60
        while not _found(client):
            assert time.monotonic() < deadline, "search did not come to an end"
            time.sleep(0.1)


def _found(client: httpx.Client) -> bool:
    counted = [len(client.get(f"/api/v1/traces?limit=500&q={q}").json()["data"]) for q in (CANARY, "tea")]
    return counted == [OLD, YOUNG]


def grow_old(file: Path) -> None:
    """The first of them did not change for a hundred days, and retention has followed the clock until now."""
    now_us = int(time.time() * 1_000_000)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE traces SET received_us = ? WHERE trace_id <= ?", (now_us - 100 * DAY_US, f"{OLD:032x}"))
        db.execute("DELETE FROM erasure_progress")
        db.execute("INSERT INTO erasure_progress VALUES (1, 0, 0, ?)", (now_us,))


def left(file: Path) -> dict[str, int]:
    """Rows by table, read from beside."""
    names = ("traces", "spans", "records", "search_traces", "search_spans", "tombstones")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def test_killed_amid_a_purge_it_goes_on_and_leaves_no_byte(tmp_path: Path) -> None:
    server = Server(tmp_path / "server", AUDITTRAIL_RETENTION_DAYS="0")
    file = server.data / "audittrail.db"
    with server:
        fill(server)
    grow_old(file)
    server.env["AUDITTRAIL_RETENTION_DAYS"] = "90"
    interrupted = 0
    for number in range(4):
        server.start()
        time.sleep(0.02 * number)
        server.kill()
        now = left(file)
        interrupted += now["tombstones"] > 0
        # A trace is there with all its steps, or it is gone from every list.
        with closing(sqlite3.connect(file)) as db:
            steps = "SELECT count(*) FROM spans s WHERE s.trace_id = t.trace_id"
            whole = f"SELECT count(*) FROM traces t WHERE span_count != ({steps})"
            assert db.execute(whole).fetchone() == (0,)
            summed = "SELECT sum(count) FROM usage WHERE whose = 'all' AND size_us = 300000000"
            assert db.execute(summed).fetchone() == (now["traces"],)
    with server:
        deadline = time.monotonic() + 60
        while left(file)["tombstones"] or left(file)["traces"] > YOUNG or not wiped(file):
            assert time.monotonic() < deadline, left(file)
            time.sleep(0.1)
        with server.client() as client:
            assert client.get(f"/api/v1/traces?q={CANARY}").json()["data"] == []
            assert len(client.get("/api/v1/traces?q=tea").json()["data"]) == YOUNG
        assert not [f.name for f in server.data.glob("audittrail.db*") if CANARY.encode() in f.read_bytes()]
    expected = {"traces": YOUNG, "search_traces": YOUNG, "tombstones": 0}
    assert left(file) == expected | dict.fromkeys(("spans", "records", "search_spans"), YOUNG * STEPS)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        purged = db.execute(
            "SELECT sum(json_extract(detail, '$.traces')) FROM activity WHERE action = 'retention.purged'"
        )
        assert purged.fetchone() == (OLD,)
    assert interrupted  # else nothing was tested


def wiped(file: Path) -> bool:
    """Whether nothing of what was erased is left in the file."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        erased, wiped = db.execute("SELECT erased, wiped FROM erasure_progress").fetchone()
    return bool(erased == wiped)
