"""What an exporter is told: OTLP/HTTP to the letter, and nothing lost beside what is bad."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.http.otlp import PROTOBUF, START, attribute, export, failure, partial, request, span, spans_of
from tests.live import Server

New = Callable[[], str]


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "identity"])
def test_a_span_is_there_when_the_answer_comes(live: Server, new_trace: New, encoding: str) -> None:
    trace = new_trace()
    body = request(span(trace))
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding, lambda x: x)(body)
    assert partial(export(live, packed, content_encoding=encoding)) == (0, "")
    assert [s["name"] for s in spans_of(live, trace)] == ["step 1"]


def test_json_is_answered_in_json(live: Server, new_trace: New) -> None:
    trace = new_trace()
    good = {"traceId": trace.upper(), "spanId": "00000000000000aa", "name": "j", "startTimeUnixNano": str(START)}
    bad = {"traceId": trace, "spanId": "", "name": "k"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [good, bad]}]}]}
    answer = export(live, json.dumps(body), content_type="application/json; charset=utf-8")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    said = answer.json()["partialSuccess"]
    assert int(said["rejectedSpans"]) == 1
    assert "spans[1]" in said["errorMessage"]
    assert [(s["span_id"], s["status"]) for s in spans_of(live, trace)] == [("00000000000000aa", "running")]


@pytest.mark.parametrize("path", ["/v1/traces", "/api/public/otel/v1/traces"])
def test_a_key_is_taken_in_three_ways(live: Server, new_trace: New, path: str) -> None:
    with live.client() as client:
        me = client.get("/api/v1/traces")
    assert me.status_code == 200
    for header in ({"Authorization": f"Bearer {live.key}"}, {"x-api-key": live.key}):
        answer = httpx.post(
            live.url + path, content=request(span(new_trace())), headers={"Content-Type": PROTOBUF, **header}
        )
        assert partial(answer) == (0, "")


@pytest.mark.parametrize(
    ("headers", "body", "status", "says"),
    [
        ({}, b"\x0a\xff\x01", 400, "protobuf"),
        ({}, b"this is not protobuf", 400, "protobuf"),
        ({"content_type": "application/json"}, b'{"resourceSpans": [', 400, "JSON"),
        ({"content_type": "application/json"}, b"\xff\xfe", 400, "JSON"),
        ({"content_type": "application/json"}, b"[" * 100_000, 400, "JSON"),
        ({"content_type": "text/plain"}, b"x", 415, "application/x-protobuf or application/json"),
        ({"content_type": ""}, b"x", 415, "Content-Type"),
        ({"content_encoding": "zstd"}, b"x", 415, "gzip"),
        ({"content_encoding": "gzip"}, b"not gzip", 400, "gzip"),
        ({"content_encoding": "gzip"}, gzip.compress(b"abc" * 1000, mtime=0)[:-9], 400, "gzip"),
        ({"authorization": "Bearer sk-at-" + "x" * 40}, b"", 401, "key"),
        ({"authorization": "Bearer nonsense"}, b"", 401, "sk-at-"),
        ({"authorization": "Basic !!!"}, b"", 401, "Basic"),
        ({"authorization": ""}, b"", 401, "API key"),
    ],
)
def test_a_request_that_cannot_be_taken_is_told_why(
    live: Server, headers: dict[str, str], body: bytes, status: int, says: str
) -> None:
    answer = export(live, body, **headers)
    assert answer.status_code == status
    if "json" in answer.headers["content-type"]:
        message = answer.json()["message"]
    else:
        _, message = failure(answer)
    assert says in message


def test_an_empty_request_is_fine(live: Server) -> None:
    assert partial(export(live, b"")) == (0, "")
    assert export(live, b"{}", content_type="application/json").json() == {}


def bomb(mebibytes: int) -> bytes:
    return gzip.compress(bytes(mebibytes << 20), mtime=0)


def test_a_gzip_bomb_is_refused_and_costs_little(live: Server) -> None:
    began = time.monotonic()
    answer = export(live, bomb(200), content_encoding="gzip")
    assert failure(answer)[0] == 413
    assert "64 MiB" in failure(answer)[1]
    assert time.monotonic() - began < 30
    assert failure(export(live, bomb(10), content_encoding="gzip"))[0] == 400, "10 MB from 10 KB are within the limit"


def test_a_body_of_100_mb_names_the_limit(live: Server) -> None:
    status, message = failure(export(live, bytes(100 << 20)))
    assert (status, "16 MiB" in message) == (413, True)

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(1 << 20)

    status, message = failure(export(live, chunks()))
    assert (status, "16 MiB" in message) == (413, True)


def test_chunked_bodies_without_a_length_are_read(live: Server, new_trace: New) -> None:
    trace = new_trace()
    body = request(*[span(trace, n) for n in range(1, 400)])

    def chunks() -> Iterator[bytes]:
        for i in range(0, len(body), 1000):
            yield body[i : i + 1000]

    assert partial(export(live, chunks())) == (0, "")
    assert len(spans_of(live, trace)) == 399


def test_a_body_that_does_not_come_is_given_up(live: Server) -> None:
    def begin(path: str, media: str) -> socket.socket:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {live.key}\r\n"
            f"Content-Type: {media}\r\nContent-Length: 1000\r\n\r\n"
        )
        slow = socket.create_connection(("127.0.0.1", live.port), timeout=40)
        slow.sendall(head.encode() + b"x")
        return slow

    began = time.monotonic()
    for slow in [begin("/v1/traces", PROTOBUF), begin("/api/v1/check", "application/json")]:
        with slow:
            answer = slow.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer.lower()
        assert 8 < time.monotonic() - began < 20
    begin("/v1/traces", PROTOBUF).close()
    with live.client() as client:
        assert client.get("/api/v1/health").json()["status"] == "ok"


def test_bad_ids_are_refused_one_by_one(live: Server, new_trace: New) -> None:
    trace = new_trace()
    bad = [
        span(trace, 2, span_id=b""),
        span(trace, 3, span_id=bytes(8)),
        span(trace, 4, span_id=b"abc"),
        span(trace, 5, trace_id=bytes(16)),
        span(trace, 6, trace_id=b"short"),
    ]
    rejected, message = partial(export(live, request(span(trace, 1), *bad, span(trace, 7, parent_span_id=b"xx"))))
    assert rejected == 5
    assert "spans[1]" in message
    assert {s["span_id"] for s in spans_of(live, trace)} == {f"{1:016x}", f"{7:016x}"}
    time.sleep(2.5)  # counts are written within two seconds
    with live.browser() as browser:
        assert "span" in browser.get("/settings/ingest").text


def test_times_at_the_ends_of_time_are_kept(live: Server, new_trace: New) -> None:
    trace = new_trace()
    times = [
        (0, 0),
        (0, 1),
        (2**63 - 1, 2**63 - 1),
        (2**64 - 1, 2**64 - 1),
        (9_214_646_400 * 10**9, 9_214_646_401 * 10**9),
        (2000, 1000),
    ]
    sent = [span(trace, n, start_time_unix_nano=a, end_time_unix_nano=b) for n, (a, b) in enumerate(times, 1)]
    assert partial(export(live, request(*sent))) == (0, "")
    found = {int(s["span_id"], 16): s for s in spans_of(live, trace)}
    assert len(found) == len(times)
    assert found[1]["ended_us"] is None
    assert found[4]["started_us"] == (2**64 - 1) // 1000
    assert found[6]["ended_us"] == found[6]["started_us"] == 2
    assert any("before" in note for note in found[6]["notes"])


def test_numbers_that_json_or_a_database_cannot_hold_are_kept(live: Server, new_trace: New) -> None:
    trace = new_trace()
    one = span(trace)
    values = {
        "nan": float("nan"),
        "inf": float("inf"),
        "minus": float("-inf"),
        "low": -(2**63),
        "high": 2**63 - 1,
        "tiny": 5e-324,
    }
    for key, value in values.items():
        attribute(one, key, value)
    for key in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
        attribute(one, key, 2**63 - 1)
    attribute(one, "gen_ai.operation.name", "chat")
    other = attribute(
        attribute(span(trace, 2), "gen_ai.operation.name", "chat"), "gen_ai.usage.input_tokens", 2**63 - 1
    )
    assert partial(export(live, request(one, other))) == (0, "")
    kept = spans_of(live, trace)[0]["attributes"]
    assert (kept["nan"], kept["inf"], kept["minus"]) == ("NaN", "Infinity", "-Infinity")
    assert (kept["low"], kept["high"], kept["tiny"]) == (-(2**63), 2**63 - 1, 5e-324)


def test_text_that_a_database_refuses_is_kept_escaped(live: Server, new_trace: New) -> None:
    trace = new_trace()
    nul = attribute(span(trace, 1, name="a\0b"), "k\0", "v\0")
    assert partial(export(live, request(nul))) == (0, "")
    lone = {"traceId": trace, "spanId": f"{2:016x}", "name": "xLONEy", "startTimeUnixNano": "5", "endTimeUnixNano": "6"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [lone]}]}]}).replace("LONE", "\\ud800")
    assert export(live, body, content_type="application/json").json() == {}
    found = {int(s["span_id"], 16): s for s in spans_of(live, trace)}
    assert found[1]["name"] == "a\\u0000b"
    assert found[1]["attributes"] == {"k\\u0000": "v\\u0000"}
    assert found[2]["name"] == "x\\ud800y"


def test_invalid_utf8_in_one_span_loses_no_other(live: Server, new_trace: New) -> None:
    trace = new_trace()
    body = request(span(trace, 1), span(trace, 2, name="WRONG"), span(trace, 3)).replace(b"WRONG", b"WR\xff\xfeG")
    partial(export(live, body))
    assert {f"{1:016x}", f"{3:016x}"} <= {s["span_id"] for s in spans_of(live, trace)}


def test_huge_attributes_and_many_of_them_are_stored_whole(live: Server, new_trace: New) -> None:
    trace = new_trace()
    large = attribute(span(trace, 1), "input.value", "é" * 5_000_000)
    many = span(trace, 2)
    for n in range(10_000):
        attribute(many, f"key.{n}", n)
    assert partial(export(live, request(large, many))) == (0, "")
    found = {int(s["span_id"], 16): s for s in spans_of(live, trace)}
    assert len(found[1]["attributes"]["input.value"]) == 5_000_000
    assert len(found[2]["attributes"]) == 10_000


def test_hostile_names_in_every_field_that_is_indexed(live: Server, new_trace: New) -> None:
    trace = new_trace()
    one = span(trace, 1, name="n" * 100_000)
    for key in (
        "session.id",
        "user.id",
        "gen_ai.agent.name",
        "gen_ai.request.model",
        "gen_ai.provider.name",
        "gen_ai.tool.name",
    ):
        attribute(one, key, "é" * 50_000)
    attribute(one, "gen_ai.operation.name", "invoke_agent")
    assert partial(export(live, request(one))) == (0, "")
    found = spans_of(live, trace)[0]
    assert len(found["name"]) == 100_000
    assert len(found["session_id"]) == 50_000


def test_cycles_and_a_parent_of_itself_are_stored_and_shown(live: Server, new_trace: New) -> None:
    trace = new_trace()
    eight = lambda n: n.to_bytes(8, "big")  # noqa: E731
    cycle = [span(trace, n, parent_span_id=eight(n % 3 + 1)) for n in (1, 2, 3)]
    own = span(trace, 4, parent_span_id=eight(4))
    assert partial(export(live, request(*cycle, own))) == (0, "")
    with live.browser() as browser:
        page = browser.get(f"/traces/{trace}")
    assert page.status_code == 200
    assert all(f"step {n}" in page.text for n in (1, 2, 3, 4))


def test_the_same_id_twice_keeps_the_more_complete(live: Server, new_trace: New) -> None:
    trace = new_trace()
    poor, rich = span(trace, 1, name="poor"), attribute(span(trace, 1, name="rich"), "a", 1)
    for order in ([poor, rich], [rich, poor]):
        assert partial(export(live, request(*order))) == (0, "")
    for one in (poor, rich, poor):
        assert partial(export(live, request(one))) == (0, "")
    assert [s["name"] for s in spans_of(live, trace)] == ["rich"]


def test_text_is_text_on_every_page(live: Server, new_trace: New) -> None:
    trace = new_trace()
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}%s"
    one = span(trace, 1, name=evil)
    for key in (
        "gen_ai.agent.name",
        "session.id",
        "user.id",
        "input.value",
        "output.value",
        "gen_ai.request.model",
        evil,
    ):
        attribute(one, key, evil)
    attribute(one, "gen_ai.operation.name", "invoke_agent")
    one.status.code = 2
    one.status.message = evil
    assert partial(export(live, request(one))) == (0, "")
    with live.browser() as browser:
        for tab in ("", "conversation", "io", "attributes", "record"):
            text = browser.get(f"/traces/{trace}", params={"tab": tab, "span": f"{1:016x}"}).text
            assert "&lt;script&gt;alert(1)" in text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "49%s" not in text
        listed = browser.get("/traces", params={"q": evil, "agent": evil, "session": evil}).text
        assert "<script>alert" not in listed


SQL = [
    "' OR 1=1 --",
    "'; DROP TABLE traces; --",
    '" OR ""="',
    "%",
    "_",
    "\\",
    "1) UNION SELECT password_hash FROM users --",
]


@pytest.mark.parametrize("name", ["q", "agent", "session", "user", "status", "range", "after", "limit"])
@pytest.mark.parametrize("sql", SQL)
def test_sql_in_a_filter_is_only_text(live: Server, name: str, sql: str) -> None:
    with live.client() as client:
        answer = client.get("/api/v1/traces", params={name: sql})
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    else:
        assert name in ("q", "agent", "session", "user")


@pytest.mark.parametrize("trace_id", ["' OR 1=1", "../../etc/passwd", "%00", "A" * 5000, "0" * 32])
def test_an_id_that_is_none_is_not_found(live: Server, trace_id: str) -> None:
    with live.client() as client:
        for tail in ("", "/spans"):
            answer = client.get(f"/api/v1/traces/{trace_id}{tail}")
            assert answer.status_code in (404, 400), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
