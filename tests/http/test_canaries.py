"""Personal data and secrets sent by every way in are in no file that the server writes."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.http.otlp import PROTOBUF, span
from tests.live import Server
from tests.postgres import Postgres
from tests.privacy.keys import JWT, KEYS, PEM

START = 1_795_000_000_000_000
# What is searched for, and the text it is sent in.
CANARIES: dict[str, tuple[str, str]] = {
    "email": ("zq.canary@mail.example", "write to zq.canary@mail.example today"),
    "phone": ("415-555-0199", "call +1 415-555-0199 now"),
    "card": ("4242424242424242", "paid with 4242424242424242"),
    "card in groups": ("5555 5555 5555 4444", "card 5555 5555 5555 4444"),
    "IBAN": ("GB29NWBK60161331926819", "to GB29NWBK60161331926819 please"),
    "SSN": ("460-89-9847", "SSN 460-89-9847"),
    "IP": ("106.31.73.20", "from 106.31.73.20 today"),
    "URL credentials": ("zqUrlPa55word", "https://bob:zqUrlPa55word@host.example/x"),
    "connection string": ("zqDbPa55word", "postgresql://app:zqDbPa55word@db.example/app"),
    "authorization": ("zqBearerT0kenzqBearerT0ken", "Authorization: Bearer zqBearerT0kenzqBearerT0ken"),
    "password": ("zqHunter2zq", '{"password": "zqHunter2zq"}'),
    "JWT": (JWT, f"token {JWT}"),
    "PEM": (PEM.split("\n")[2], PEM),
    **{
        name: (KEYS[name], f"use {KEYS[name]}")
        for name in ("AWS access key id", "GitHub", "OpenAI", "Anthropic", "Stripe")
    },
}
TEXT = "\n".join(text for _, text in CANARIES.values())


def otlp(trace: str) -> ExportTraceServiceRequest:
    """The canaries in every text that a span has."""
    one = span(trace, 1, name=TEXT, trace_state=f"v={CANARIES['email'][0]}")
    one.status.message, one.status.code = TEXT, 2
    for key in ("input.value", "gen_ai.input.messages", "user.id", "session.id", "gen_ai.request.model", TEXT):
        one.attributes.add(key=key).value.string_value = TEXT
    nested = one.attributes.add(key="nested").value.kvlist_value.values.add(key=TEXT)
    nested.value.array_value.values.add().string_value = TEXT
    one.attributes.add(key="card").value.int_value = int(CANARIES["card"][0])
    event = one.events.add(name=TEXT)
    event.attributes.add(key="exception.message").value.string_value = TEXT
    event.attributes.add(key="exception.stacktrace").value.string_value = TEXT
    link = one.links.add(trace_id=b"\1" * 16, span_id=b"\1" * 8)
    link.attributes.add(key="why").value.string_value = TEXT
    body = ExportTraceServiceRequest()
    spans = body.resource_spans.add()
    spans.resource.attributes.add(key="service.name").value.string_value = TEXT
    spans.resource.attributes.add(key="http.request.header.authorization").value.string_value = TEXT
    scope = spans.scope_spans.add()
    scope.scope.name = scope.scope.version = TEXT
    scope.spans.append(one)
    return body


def logs(trace: str, name: str = "gen_ai.user.message") -> ExportLogsServiceRequest:
    """The canaries in a log record that speaks of the first span of a trace."""
    body = ExportLogsServiceRequest()
    one = (
        body.resource_logs.add()
        .scope_logs.add()
        .log_records.add(trace_id=bytes.fromhex(trace), span_id=(1).to_bytes(8, "big"), event_name=name)
    )
    one.body.kvlist_value.values.add(key="content").value.string_value = f"in a log record\n{TEXT}"
    one.attributes.add(key=TEXT).value.string_value = TEXT
    return body


def native(trace: str) -> dict[str, Any]:
    return {
        "trace_id": trace,
        "span_id": "00000000000000d1",
        "name": TEXT,
        "kind": "tool",
        "started_us": START,
        "ended_us": START + 1,
        "agent": TEXT,
        "session_id": TEXT,
        "end_user": TEXT,
        "model": TEXT,
        "tool": {"name": TEXT, "call_id": TEXT, "args": {"sql": TEXT, TEXT: [TEXT]}, "result": TEXT},
        "input": [{"role": "user", "content": TEXT}],
        "output": json.dumps({"text": json.dumps({"inner": TEXT})}),
        "error": {"message": TEXT, "type": TEXT, "stacktrace": TEXT},
        "attributes": {TEXT: TEXT, "deep": [[{"x": TEXT}]]},
        "events": [{"name": TEXT, "attributes": {"x": TEXT}}],
    }


def send_everything(server: Server) -> None:
    """By every way in, well formed and broken."""
    spoilt = json.dumps(native("e" * 32) | {"started_us": TEXT, TEXT: TEXT})
    with server.client() as client, server.browser() as browser:

        def post(path: str, content: bytes | str, kind: str = "application/json", **headers: str) -> httpx.Response:
            return client.post(path, content=content, headers={"Content-Type": kind} | headers)

        protobuf = otlp("1" * 32).SerializeToString()
        assert post("/v1/traces", protobuf, PROTOBUF).status_code == 200
        zipped = gzip.compress(otlp("2" * 32).SerializeToString())
        assert post("/v1/traces", zipped, PROTOBUF, **{"Content-Encoding": "gzip"}).status_code == 200
        # Of a span that is there, of one that never comes, and of nothing that concerns us.
        for said in (logs("1" * 32), logs("9" * 32), logs("1" * 32, "a line")):
            assert post("/v1/logs", said.SerializeToString(), PROTOBUF).status_code == 200
            assert post("/v1/logs", MessageToJson(said)).status_code in (200, 400)
        assert post("/v1/metrics", TEXT, PROTOBUF).status_code == 200
        assert post("/v1/traces", MessageToJson(otlp("3" * 32))).status_code in (200, 400)
        assert post("/api/v1/ingest/spans", json.dumps(native("4" * 32))).json()["accepted"] == 1
        escaped = json.dumps(native("5" * 32)).replace("@", "\\u0040")
        assert post("/api/v1/ingest/spans", escaped).json()["accepted"] == 1
        trace = {
            "trace_id": "6" * 32,
            "agent": TEXT,
            "spans": [{k: v for k, v in native("").items() if k != "trace_id"}],
        }
        assert post("/api/v1/ingest/traces", json.dumps(trace)).json()["accepted"] == 1
        action = {"name": TEXT[:900], "args": {"count": 250, "sql": "DELETE FROM t", "why": TEXT, TEXT: TEXT}}
        check = post(
            "/api/v1/check", json.dumps({"agent": TEXT, "end_user": TEXT, "session_id": TEXT, "action": action})
        )
        assert check.json()["decision"] == "require_approval"
        # What people write is looked through as well.
        answered = browser.post(
            f"/api/v1/approvals/{check.json()['approval_id']}", json={"decision": "deny", "reason": TEXT[:1900]}
        )
        assert answered.status_code == 200
        found = client.get("/api/v1/violations").json()["data"]
        assert found
        noted = browser.post(f"/api/v1/violations/{found[0]['id']}", json={"status": "resolved", "note": TEXT[:1900]})
        assert noted.status_code == 200
        # Malformed, of every kind.
        for path, kind in (
            ("/v1/traces", PROTOBUF),
            ("/v1/traces", "application/json"),
            ("/v1/logs", PROTOBUF),
            ("/v1/logs", "application/json"),
            ("/api/v1/ingest/spans", "application/json"),
            ("/api/v1/ingest/traces", "application/json"),
            ("/api/v1/check", "application/json"),
        ):
            for body in (TEXT, spoilt, spoilt[:-20], json.dumps({TEXT: TEXT}), json.dumps([TEXT]), protobuf[:-7]):
                assert post(path, body, kind).status_code < 500
        post("/v1/traces", TEXT, f"text/plain; {CANARIES['password'][0]}")
        # In addresses and headers.
        for name in ("password", "GitHub", "email"):
            canary = CANARIES[name][0]
            client.get("/api/v1/traces", params={"q": canary, "agent": canary, "status": canary})
            client.get(f"/api/v1/traces/{canary}", headers={"User-Agent": canary, "X-Request-Id": canary})
            browser.get(f"/traces/{canary}")
            client.get("/api/v1/traces", headers={"Authorization": f"Bearer {canary}"})


def everything(folder: Path) -> bytes:
    """All that is in the files of a folder, records unpacked."""
    read = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    unpack = zstandard.ZstdDecompressor()
    unpacked, at = [], 0
    while (at := read.find(zstandard.FRAME_HEADER, at)) >= 0:
        with contextlib.suppress(zstandard.ZstdError):
            unpacked.append(unpack.decompressobj().decompress(read[at : at + (1 << 20)]))
        at += 4
    return b"\n".join((read, *unpacked))


def leaks(written: bytes) -> list[str]:
    return [
        name
        for name, (canary, _) in CANARIES.items()
        if canary.encode() in written or canary.encode("utf-16-le") in written
    ]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_no_canary_is_in_any_file(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url, folders = None, [tmp_path]
    if kind == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.fresh()
        folders.append(cluster.data)
    with Server(tmp_path, url) as server:
        send_everything(server)
        with server.client() as client:
            trace = client.get("/api/v1/traces/" + "4" * 32).json()["data"]
            deadline = time.monotonic() + 20
            while "in a log record" not in client.get(f"/api/v1/traces/{'1' * 32}/spans").text:
                assert time.monotonic() < deadline, "what log records say was not joined to their span"
                time.sleep(0.1)
            shown = "\n".join(client.get(f"/api/v1/traces/{str(n) * 32}/spans").text for n in range(1, 7))
        time.sleep(2)  # refusals and the search index are written behind the answers
        running = b"\n".join(everything(folder) for folder in folders)
    # Many of each, each named; so nothing was simply thrown away.
    assert {"EMAIL", "PHONE", "CARD", "IBAN", "SSN", "IP", "SECRET", "PASSWORD", "JWT", "PRIVATE_KEY"} <= set(
        trace["pii"]
    )
    assert "<EMAIL:" in shown
    assert "today" in shown
    assert leaks(shown.encode()) == []
    assert leaks(running) == []
    stopped = b"\n".join(everything(folder) for folder in folders)
    assert leaks(stopped) == []
    assert b"CREATE TABLE" in stopped or kind == "postgres"


def test_the_search_for_canaries_finds_them(tmp_path: Path) -> None:
    """Turned off, each of them is found: the check above can fail."""
    with Server(tmp_path, AUDITTRAIL_PII_REDACTION_ENABLED="false") as server:
        with server.client() as client:
            assert client.post("/api/v1/ingest/spans", json=native("4" * 32)).json()["accepted"] == 1
        with server.browser() as browser:
            for path in ("/traces", "/settings", "/violations", "/traces/" + "4" * 32):
                assert "Redaction is off" in browser.get(path).text, path
    assert set(leaks(everything(tmp_path))) == set(CANARIES)
