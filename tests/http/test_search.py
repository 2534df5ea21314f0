"""What agents say is found, through a real server: every kind of content, nothing redacted, and after a crash."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.http.otlp import PROTOBUF, attribute, export, partial, request, span
from tests.live import Server
from tests.postgres import Postgres

New = Callable[[], str]
START = 1_795_000_000_000_000


def send(server: Server, *spans: dict[str, Any]) -> None:
    with server.client() as client:
        answer = client.post("/api/v1/ingest/spans", json={"spans": list(spans)})
    assert answer.status_code == 200, answer.text


def step(trace: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    ended = {} if fields.pop("running", False) else {"ended_us": START + 1_000_000}
    ids = {"trace_id": trace, "span_id": f"{number:016x}"}
    return ids | {"name": "step", "kind": "llm", "started_us": START} | ended | fields


def search(server: Server, q: str) -> list[str]:
    with server.client() as client:
        answer = client.get("/api/v1/traces", params={"q": q, "limit": 500})
    assert answer.status_code == 200, (q, answer.text)
    return [row["trace_id"] for row in answer.json()["data"]]


def until(server: Server, q: str, expected: list[str]) -> None:
    """Asks until the index has come as far."""
    deadline = time.monotonic() + 20
    while sorted(search(server, q)) != sorted(expected):
        assert time.monotonic() < deadline, f"{q!r} finds {search(server, q)} and not {expected}"
        time.sleep(0.05)


def test_every_kind_of_content_is_found(live: Server, new_trace: New) -> None:
    trace = new_trace()
    mark = f"k{trace[-6:]}"
    messages = [
        {"role": "system", "content": f"{mark}system prompt"},
        {"role": "user", "content": [{"type": "text", "text": f"{mark}question asked"}]},
    ]
    call = {"id": "c1", "type": "function", "function": {"name": f"{mark}_called", "arguments": f'{{"{mark}key": 7}}'}}
    send(
        live,
        step(trace, 1, input=messages, output=[{"role": "assistant", "content": None, "tool_calls": [call]}]),
        step(
            trace,
            2,
            kind="tool",
            tool={
                "name": "book",
                "args": {"where": {f"{mark}city": ["Orléans", f"{mark}deep"]}},
                "result": [{"booking": f"{mark}done", "price": 48151623}],
            },
        ),
        step(
            trace, 3, error={"message": f"{mark}message", "type": f"{mark}Type", "stacktrace": f"at {mark}trace.py:12"}
        ),
        step(trace, 4, events=[{"name": "exception", "attributes": {"exception.message": f"{mark}caught and mended"}}]),
    )
    for said in (
        *("system", "question", "_called", "key", "city", "deep", "done", "message", "type", "trace.py", "caught"),
        *("QUESTION ASKED", "caught and men"),
    ):
        until(live, f'"{mark}{said}"', [trace])
    until(live, f"{mark}done 48151623 orleans", [trace])
    assert search(live, f"{mark}nothing") == []
    with live.browser() as browser:
        page = browser.get("/traces", params={"q": f"{mark}question"})
    assert (page.status_code, trace in page.text) == (200, True)


def test_otlp_is_found_too(live: Server, new_trace: New) -> None:
    trace = new_trace()
    one = attribute(span(trace), "gen_ai.tool.call.arguments", json.dumps({"parcel": f"P{trace[-6:]}"}))
    attribute(one, "gen_ai.operation.name", "execute_tool")
    assert partial(export(live, request(one))) == (0, "")
    until(live, f"parcel p{trace[-6:]}", [trace])


def test_what_was_redacted_is_not_found_and_its_placeholder_is(live: Server, new_trace: New) -> None:
    trace = new_trace()
    address = f"jane{trace[-6:]}@example.org"
    send(live, step(trace, input=f"zeta{trace[-6:]} asks: write to {address} please"))
    until(live, f"zeta{trace[-6:]}", [trace])
    with live.client() as client:
        said = client.get(f"/api/v1/traces/{trace}/spans").json()["data"][0]["input"]
    placeholder = said.split("write to ")[1].split(" please")[0]
    assert placeholder.startswith("<EMAIL:"), "redaction is on unless somebody turns it off"
    assert search(live, address) == search(live, f"jane{trace[-6:]}") == []
    assert search(live, placeholder) == [trace]
    assert search(live, placeholder[7:-1]) == [trace]


def test_late_spans_and_newer_versions_are_found(live: Server, new_trace: New) -> None:
    trace = new_trace()
    mark = f"v{trace[-6:]}"
    send(live, step(trace, 1, running=True, output=f"{mark}draft"))
    until(live, f"{mark}draft", [trace])
    send(live, step(trace, 1, output=f"{mark}final"), step(trace, 2, output=f"{mark}late"))
    until(live, f"{mark}final {mark}late", [trace])
    assert search(live, f"{mark}draft") == []


def test_whatever_is_typed_is_answered(live: Server) -> None:
    for q in (
        '"',
        "*",
        "NEAR(a b)",
        "' OR 1=1 --",
        "a:* & !b",
        "\\'",
        "words:x AND",
        "%%",
        "ﷺ",
        "\u0300",
        "(((",
        "$1 ?",
    ):
        search(live, q)
        search(live, f'"{q}"')
    with live.client() as client:
        many = client.get("/api/v1/traces", params={"q": "a b c d e f g h i j k l m n o p q"})
        health = client.get("/api/v1/health").json()
    assert (many.status_code, "16 words" in many.text) == (400, True)
    assert health["tasks"]["search"] == {"running": True, "failures": 0, "last_failure": ""}


def test_what_was_acknowledged_before_a_kill_is_found_after_it(fallible: Server, new_trace: New) -> None:
    sent: list[str] = []
    for round_number in range(3):
        fallible.start()
        headers = {"Authorization": f"Bearer {fallible.key}", "Content-Type": PROTOBUF}
        with fallible.client() as client:
            for _ in range(10):
                trace = new_trace()
                steps = [attribute(span(trace, n), "output.value", f"spoken{n}x in {trace}") for n in range(1, 21)]
                assert client.post("/v1/traces", content=request(*steps), headers=headers).status_code == 200
                sent.append(trace)
        fallible.kill()  # at once: most of the round is not indexed
        assert len(sent) == 10 * (round_number + 1)
    fallible.start()
    until(fallible, "spoken20x", sent)
    assert sorted(search(fallible, "spoken1x")) == sorted(sent)
    assert search(fallible, f'"spoken7x in {sent[0]}"') == [sent[0]]
    assert "Traceback" not in fallible.log


@pytest.mark.postgres
def test_two_replicas_index_everything_once(postgres: Postgres, tmp_path: Path, new_trace: New) -> None:
    url = postgres.fresh()
    replicas = [Server(tmp_path / f"r{n}", url, AUDITTRAIL_SECRET_KEY="s" * 40) for n in (1, 2)]
    try:
        for replica in replicas:
            replica.start()
        traces = [new_trace() for _ in range(30)]
        for n, trace in enumerate(traces):
            send(replicas[n % 2], *[step(trace, k, output=f"shared{k}x") for k in range(1, 11)])
        until(replicas[0], "shared10x", traces)
        until(replicas[1], "shared1x", traces)
        database = url.rsplit("/", 1)[1]
        spans, texts = "(SELECT count(*) FROM search_spans)", "(SELECT count(*) FROM search_text)"
        counts = f"SELECT {spans}, {texts}, sum(size) FROM search_traces"
        assert postgres.run(counts, database).strip() == "300|300|300"
        for replica in replicas:
            assert "failed" not in replica.log, replica.log[-2000:]
    finally:
        for replica in replicas:
            replica.kill()
