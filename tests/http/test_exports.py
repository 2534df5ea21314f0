"""Exports from a real server: everything once, nothing of others, and no manifest where the file was cut."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from audittrail.model.errors import TooMany
from audittrail.web.exports import MOST, MOST_OF_PROJECT, Exports
from tests.http.otlp import attribute, export, partial, request, span, spans_of
from tests.http.test_native import send
from tests.live import Server

New = Callable[[], str]
START = 1_795_000_000_000_000
OURS = ("project", "started", "ended")


@pytest.fixture(autouse=True)
def large_cells() -> Iterator[None]:
    limit = csv.field_size_limit(1 << 28)
    yield
    csv.field_size_limit(limit)


def exported(live: Server, path: str = "traces", **params: str) -> httpx.Response:
    with live.client() as client:
        answer = client.get(f"/api/v1/{path}/export", params=params)
    assert answer.status_code == 200, answer.text[:500]
    return answer


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    """The objects of a whole NDJSON file, whose manifest says the truth."""
    *body, last = answer.content.splitlines(keepends=True)
    found = [json.loads(line) for line in body]
    said = json.loads(last)["manifest"]
    assert said["complete"] is True and said["sha256"] == hashlib.sha256(b"".join(body)).hexdigest()
    assert said["traces"] == len({one["trace_id"] for one in found})
    assert said["spans"] == sum("span_id" in one for one in found)
    return found


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    """The same of CSV."""
    text, last = answer.content.decode("utf-8-sig"), answer.content.rindex(b"\r\nmanifest,") + 2
    *found, manifest = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    said = json.loads(manifest["project"])["manifest"]
    assert said["sha256"] == hashlib.sha256(answer.content[:last]).hexdigest()
    assert len(found) == (said["spans"] or said["traces"])
    return found


def test_a_whole_trace_is_what_the_api_has_of_it(live: Server, new_trace: New) -> None:
    trace = new_trace()
    steps = [span(trace, n, name="=2+5", start_time_unix_nano=START * 1000 + n // 3) for n in range(1, 1_203)]
    attribute(steps[0], "input.value", "x" * 3_000_000)
    attribute(steps[1], "k", '<b>"\0\r\n\u2028\U0001f600')
    steps[2].end_time_unix_nano = 0
    assert partial(export(live, request(*steps))) == (0, "")
    answer = exported(live, f"traces/{trace.upper()}")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == f'attachment; filename="trace-{trace}.ndjson"'
    found = lines(answer)
    assert {one["project"] for one in found} == {"tests"} and "\n" not in found[0]["started"]
    assert [{k: v for k, v in one.items() if k not in OURS} for one in found] == spans_of(live, trace)
    table = rows(exported(live, f"traces/{trace}", format="csv"))
    assert [row["span_id"] for row in table] == [one["span_id"] for one in found]
    assert {row["name"] for row in table} == {"'=2+5"}
    assert [row["started_us"] for row in table] == [str(one["started_us"]) for one in found]


def test_every_trace_and_span_that_the_filters_show_once(live: Server, new_trace: New) -> None:
    name = f"exporting{new_trace()[-6:]}"
    traces = [new_trace() for _ in range(503)]  # two pages of the list
    steps = [
        {"trace_id": t, "span_id": f"{n:016x}", "name": name, "agent": f"{name}{i % 2}", "kind": "agent"}
        | {"started_us": START + i // 4, "ended_us": START + 10**6}
        for i, t in enumerate(traces)
        for n in (1, 2)
    ]
    for i in range(0, len(steps), 1_000):
        assert send(live, "spans", {"spans": steps[i : i + 1_000]}).status_code == 200
    found = lines(exported(live, q=name))
    assert sorted(one["trace_id"] for one in found) == traces
    assert [one["started_us"] for one in found] == sorted((one["started_us"] for one in found), reverse=True)
    spans = lines(exported(live, q=name, level="spans"))
    assert sorted((s["trace_id"], s["span_id"]) for s in spans) == [(s["trace_id"], s["span_id"]) for s in steps]
    with live.client() as client:
        shown = client.get("/api/v1/traces", params={"agent": f"{name}1", "limit": 500}).json()["data"]
    half = lines(exported(live, agent=f"{name}1"))
    # But for the status: between the two, what was running may have settled.
    kept = [name for name in shown[0] if name != "status"]
    assert [[one[k] for k in kept] for one in half] == [[one[k] for k in kept] for one in shown] and len(half) == 251
    assert len(rows(exported(live, agent=f"{name}1", format="csv"))) == 251
    assert len(rows(exported(live, agent=f"{name}0", format="csv", level="spans"))) == 504
    assert lines(exported(live, agent=name, range="1h")) == []
    assert rows(exported(live, agent=name, range="1h", format="csv")) == []


def test_who_may_have_it(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, "spans", {"trace_id": trace, "span_id": "1" * 16, "name": "x", "started_us": START})
    one, many = f"/api/v1/traces/{trace}/export", "/api/v1/traces/export"
    with live.client() as client:
        for path, params in (
            (one, {"format": "xlsx"}),
            (many, {"format": "xlsx"}),
            (many, {"level": "all"}),
            (many, {"status": "odd"}),
            (many, {"q": "a\0b"}),
        ):
            assert client.get(path, params=params).status_code == 400, params
        assert client.get(f"/api/v1/traces/{'f' * 32}/export").status_code == 404
        head = client.head(one, params={"format": "csv"})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == "text/csv; charset=utf-8; header=present"
        client.headers.pop("Authorization")
        assert {client.get(path).status_code for path in (one, many)} == {401}
        assert client.head(one).status_code == 401
    with live.browser() as browser:
        assert trace in browser.get(one).text
        assert browser.post("/settings/projects", data={"name": f"zzz {trace[-6:]}"}).status_code in (200, 303)
        # Now the new project is looked at: the trace is of another one, which may still be named.
        assert browser.get(one).status_code == 404
        assert lines(browser.get(many)) == []
        assert trace in browser.get(one, params={"project": "tests"}).text
        assert browser.get(many, params={"project": "nobody's"}).status_code == 404


def test_the_pages_lead_to_it(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, "spans", {"trace_id": trace, "span_id": "1" * 16, "name": f"paged {trace[-6:]}", "started_us": START})
    with live.browser() as browser:
        page = browser.get("/traces", params={"q": f'"paged {trace[-6:]}"', "status": "running"}).text
        href = page.split('aria-label="Export every span as NDJSON"')[0].rsplit('href="', 1)[1].split('"')[0]
        (only,) = lines(browser.get(href.replace("&amp;", "&")))
        assert only["trace_id"] == trace
        raw = browser.get(f"/traces/{trace}?view=raw").text
        href = raw.split("Export as CSV")[0].rsplit('<a class="button" href="', 1)[1].split('"')[0]
        assert len(rows(browser.get(href.replace("&amp;", "&")))) == 1


def filled(server: Server, trace: str) -> None:
    """A trace of 20 MB: more than the kernel holds for a client that does not read."""
    for n in range(1, 21):
        step = span(trace, n, start_time_unix_nano=START * 1000 + n)
        assert partial(export(server, request(attribute(step, "note", "x" * 1_000_000)))) == (0, "")


def begun(server: Server, trace: str) -> socket.socket:
    """A connection that has asked and read the beginning."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    head = f"GET /api/v1/traces/{trace}/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n\r\n"
    connection.sendall(head.encode())
    assert b"200 OK" in connection.recv(1_000)
    return connection


def rest(connection: socket.socket) -> bytes:
    found = bytearray()
    while part := connection.recv(1 << 20):
        found += part
    return bytes(found)


def test_a_server_that_stops_leaves_no_manifest_and_does_not_wait(fallible: Server, new_trace: New) -> None:
    trace = new_trace()
    with fallible:
        filled(fallible, trace)
        with begun(fallible, trace) as connection:
            time.sleep(0.5)  # it writes until nothing more fits
            fallible.process.terminate()  # type: ignore[union-attr]
            left = rest(connection)
        assert b'"manifest"' not in left and not left.endswith(b"0\r\n\r\n")


def test_a_client_that_goes_ends_it(fallible: Server, new_trace: New) -> None:
    trace = new_trace()
    with fallible:
        filled(fallible, trace)
        for _ in range(4):
            begun(fallible, trace).close()
        # More than the pools hold, had each kept a connection to the database.
        for _ in range(12):
            assert len(lines(exported(fallible, f"traces/{trace}"))) == 20
    assert "Traceback" not in fallible.log and "Exception" not in fallible.log, fallible.log[-2000:]


def test_only_so_many_run_at_once(server: Server, new_trace: New) -> None:
    trace = new_trace()
    filled(server, trace)
    path = f"/api/v1/traces/{trace}/export"
    with contextlib.ExitStack() as held, server.client() as client:
        for _ in range(MOST_OF_PROJECT):
            held.enter_context(begun(server, trace))
        refused = client.get(path)
        assert refused.status_code == 429 and refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) >= 1
        assert client.head(path).status_code == 200
    with sqlite3.connect(server.data / "audittrail.db") as db:
        noted = db.execute("SELECT count(*) FROM activity WHERE action = 'export.created'").fetchone()
    assert noted == (MOST_OF_PROJECT,)  # what was refused took nothing away
    deadline = time.monotonic() + 20
    with server.client() as client:
        while client.get(path).status_code == 429:
            assert time.monotonic() < deadline, "the places of those who went are not given back"
            time.sleep(0.05)


def test_one_project_cannot_take_every_place() -> None:
    exports = Exports()
    with contextlib.ExitStack() as held:
        for _ in range(MOST_OF_PROJECT):
            held.enter_context(exports.running(1))
        with pytest.raises(TooMany), exports.running(1):
            pass
        for other in range(MOST - MOST_OF_PROJECT):
            held.enter_context(exports.running(2 + other))
        with pytest.raises(TooMany), exports.running(99):
            pass
    with exports.running(1), exports.running(99):
        pass
    assert not exports._running


def test_an_error_midway_leaves_no_manifest(server: Server, new_trace: New) -> None:
    trace = new_trace()
    filled(server, trace)
    with sqlite3.connect(server.data / "audittrail.db") as db:
        db.execute("UPDATE records SET record = X'00' WHERE span_id = ?", (f"{19:016x}",))
    with server.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(f"/api/v1/traces/{trace}/export")
    with begun(server, trace) as connection:
        assert b'"manifest"' not in rest(connection)
    with server.client() as client:
        assert client.get("/api/v1/health").status_code == 200


def test_it_is_noted_before_the_first_byte(server: Server, new_trace: New) -> None:
    trace = new_trace()
    send(server, "spans", {"trace_id": trace, "span_id": "1" * 16, "name": "secret name", "started_us": START})
    exported(server, q="secret")
    exported(server, level="spans", format="csv")
    with server.browser() as browser:
        browser.get(f"/api/v1/traces/{trace}/export")
        browser.head(f"/api/v1/traces/{trace}/export")
    with sqlite3.connect(server.data / "audittrail.db") as db:
        found = db.execute(
            "SELECT actor, subject, detail FROM activity WHERE action = 'export.created' ORDER BY at_us"
        ).fetchall()
    assert [(actor[:6], subject, json.loads(detail)) for actor, subject, detail in found] == [
        ("pk-at-", "traces", {"format": "ndjson", "traces": 1, "spans": 1, "filtered": True}),
        ("pk-at-", "spans", {"format": "csv", "traces": 1, "spans": 1, "filtered": False}),
        (server.email[:6], trace, {"format": "ndjson", "traces": 1, "spans": 1}),
    ]
