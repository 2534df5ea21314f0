"""What was acknowledged is there: after SIGKILL, after SIGTERM, with a second process at the door."""

from __future__ import annotations

import concurrent.futures
import random
import subprocess
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from audittrail.web.api.intake import INLINE_BYTES
from tests.http.otlp import PROTOBUF, attribute, export, partial, request, span
from tests.live import Server
from tests.postgres import Postgres

CLIENTS = 8
BATCH = 20
LONG = "something to read, " * 100


def send_until(server: Server, stop: threading.Event, first: int, acknowledged: set[str]) -> None:
    """One client: batches of a trace each, one after the other, until told to stop or the server is gone."""
    number = first
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": PROTOBUF}
    with httpx.Client(trust_env=False, verify=False, timeout=20) as client:
        while not stop.is_set():
            number += CLIENTS
            trace = f"{number:032x}"
            body = request(*[span(trace, n) for n in range(1, BATCH + 1)])
            if number // CLIENTS % 2:  # too large to be read in the server's own process
                body = request(*[attribute(span(trace, n), "input.value", LONG) for n in range(1, BATCH + 1)])
                assert len(body) > INLINE_BYTES
            try:
                answer = client.post(server.url + "/v1/traces", content=body, headers=headers)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                assert partial(answer) == (0, "")
                acknowledged.add(trace)


def stored(server: Server) -> dict[str, int]:
    """Spans by trace, as the API counts them."""
    found: dict[str, int] = {}
    after = ""
    with server.client() as client:
        while True:
            page = client.get("/api/v1/traces", params={"limit": 500} | ({"after": after} if after else {})).json()
            found |= {row["trace_id"]: row["span_count"] for row in page["data"]}
            after = page["next"]
            if not after:
                return found


def test_ten_kills_under_load_lose_nothing_that_was_acknowledged(fallible: Server) -> None:
    acknowledged: set[str] = set()
    rng = random.Random(7)
    for round_number in range(10):
        fallible.start()
        stop = threading.Event()
        before = len(acknowledged)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            first = (round_number + 1) * 10_000_000
            running = [pool.submit(send_until, fallible, stop, first + i, acknowledged) for i in range(CLIENTS)]
            deadline = time.monotonic() + 20
            while len(acknowledged) < before + 20 and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.3))
            fallible.kill()
            stop.set()
            for one in running:
                one.result()
        assert len(acknowledged) > before, "nothing was acknowledged in this round, so it proved nothing"
    fallible.start()
    found = stored(fallible)
    missing = {trace for trace in acknowledged if found.get(trace) != BATCH}
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged traces are not whole"
    assert set(found.values()) == {BATCH}, "a request is stored whole or not at all"


def test_a_polite_stop_answers_what_it_took_and_is_quick(fallible: Server) -> None:
    fallible.start()
    acknowledged: set[str] = set()
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(send_until, fallible, stop, 10_000_000 + i, acknowledged) for i in range(CLIENTS)]
        while len(acknowledged) < 20:
            time.sleep(0.01)
        took = fallible.stop()
        stop.set()
        for one in running:
            one.result()
    assert took < 5
    fallible.start()
    found = stored(fallible)
    assert {trace for trace in acknowledged if found.get(trace) != BATCH} == set()
    assert "Traceback" not in fallible.log


def test_a_second_process_on_one_sqlite_file_says_why_it_does_not_start(server: Server) -> None:
    command = [*server.command, "serve", "--port", "0"]
    second = subprocess.run(command, env=server.env, cwd=server.data, capture_output=True, text=True, timeout=60)
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1, second.stderr
    assert f"process {server.pid}" in second.stderr
    assert "use PostgreSQL" in second.stderr
    with server.client() as client:
        assert client.get("/api/v1/health").json()["status"] == "ok"


@pytest.mark.postgres
def test_two_replicas_start_together_on_one_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.fresh()
    key = {"AUDITTRAIL_SECRET_KEY": "s" * 40}
    replicas = [Server(tmp_path / f"r{n}", url, **key) for n in (1, 2)]
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(Server.start, replicas))
        # Both write one trace at once, children here and parents there, and agree on it.
        trace = "a" * 32
        parts = [request(*[span(trace, n) for n in range(i, 200, 2)]) for i in (1, 2)]
        headers = {"Content-Type": PROTOBUF}

        def send(replica: Server, body: bytes) -> None:
            with replica.client() as client:
                for _ in range(5):
                    assert client.post("/v1/traces", content=body, headers=headers).status_code == 200

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for one in [pool.submit(send, r, b) for r in replicas for b in parts]:
                one.result()
        assert [stored(r) for r in replicas] == [{trace: 199}] * 2
    finally:
        for replica in replicas:
            replica.kill()


def test_when_what_reads_a_body_is_killed_it_is_refused_whole_and_may_come_again(server: Server) -> None:
    trace = f"{77:032x}"
    body = request(*[attribute(span(trace, n), "input.value", LONG) for n in range(1, BATCH + 1)])

    def reader() -> psutil.Process:
        deadline = time.monotonic() + 20
        while not (found := psutil.Process(server.pid).children()):
            assert time.monotonic() < deadline, "no reader was started"
            time.sleep(0.01)
        return found[0]

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(export, server, body)
        reader().kill()  # it is still starting
        refused = answer.result()
    assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
    assert trace not in stored(server)
    assert partial(export(server, body)) == (0, "")
    assert stored(server)[trace] == BATCH
