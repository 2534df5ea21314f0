"""GET /events: who is told what, and whose stream ends."""

from __future__ import annotations

import concurrent.futures
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.browser.governed import rules_folder
from tests.browser.site import command
from tests.http.listening import Listening
from tests.http.otlp import export, partial, request, span
from tests.live import Server
from tests.postgres import Postgres

NewTrace = Callable[[], str]
PASSWORD = "several words make a phrase"
SECRET = {"AUDITTRAIL_SECRET_KEY": "s" * 40}


def key_of(server: Server, *scopes: str) -> tuple[str, str]:
    """A new key's public part and secret."""
    asked = [part for scope in scopes for part in ("--scope", scope)]
    made = command(server, "key", "create", "a key", "--project", "tests", *asked).split()
    return next(m for m in made if m.startswith("pk-at-")), next(m for m in made if m.startswith("sk-at-"))


def with_key(server: Server, secret: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"x-api-key": secret}, timeout=30, trust_env=False, verify=False)


def ask(server: Server, name: str, timeout: int = 300) -> str:
    """An action that needs a person; the id of its approval."""
    body = {"agent": "clerk", "action": {"name": name, "args": {"count": 5_000, "at": time.time_ns()}}}
    with server.client() as client:
        return str(client.post("/api/v1/check", json=body).raise_for_status().json()["approval_id"])


def test_a_trace_is_told_of_when_it_is_stored_and_when_it_is_finished(live: Server, new_trace: NewTrace) -> None:
    trace, other = new_trace(), new_trace()
    with Listening(live.client()) as heard:
        assert partial(export(live, request(span(trace)))) == (0, "")
        assert "traces" in heard.told("trace", trace).data
        with live.client() as client:
            assert client.get(f"/api/v1/traces/{trace}").json()["data"]["status"] == "running"
        # Nothing more arrives, and that is what finishes it.
        assert "traces" in heard.told("trace", trace).data
        with live.client() as client:
            assert client.get(f"/api/v1/traces/{trace}").json()["data"]["status"] == "ok"
    with Listening(live.client(), trace=trace) as heard:
        export(live, request(span(other)))
        assert heard.told("traces").data == {"traces": "all"}


def test_the_headers_are_those_of_a_stream(live: Server) -> None:
    with Listening(live.client()) as heard:
        assert heard.answer is not None
        headers = heard.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-store"
        assert headers["x-accel-buffering"] == "no"


def test_verdicts_and_what_people_make_of_them(live: Server, new_trace: NewTrace) -> None:
    trace = new_trace()
    tool = {"name": "delete_rows", "args": {"count": 5_000}}
    ended = {"started_us": 1_795_000_000_000_000, "ended_us": 1_795_000_000_500_000}
    body = {"trace_id": trace, "span_id": f"{1:016x}", "name": "delete_rows", "kind": "tool", "tool": tool} | ended
    with Listening(live.client()) as heard, live.client() as client, live.browser() as browser:
        assert client.post("/api/v1/ingest/spans", json=[body]).json()["rejected"] == []
        event = heard.told("violations")
        assert event.data["counts"] == "all"
        found = client.get("/api/v1/violations", params={"trace": trace}).json()["data"]
        assert found
        answer = browser.post(f"/api/v1/violations/{found[0]['id']}", json={"status": "resolved"})
        assert answer.status_code == 200, answer.text
        event = heard.told("violations")
        assert event.data["counts"] == "all"
        assert trace in event.data["trace"]


def test_approvals_when_asked_for_and_answered(live: Server) -> None:
    with Listening(live.client()) as heard, live.browser() as browser:
        id_ = ask(live, "delete_records")
        assert heard.told("approvals", id_).data["counts"] == "all"
        assert browser.post(f"/api/v1/approvals/{id_}", json={"decision": "approve"}).status_code == 200
        assert heard.told("approvals", id_).data["counts"] == "all"


def test_an_approval_that_nobody_answers(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    rules = rules_folder(tmp_path / "rules")
    for path in rules.glob("*.y*ml"):
        path.write_text(re.sub(r"timeout: \d+", "timeout: 1", path.read_text()))
    with Server(tmp_path / "server", AUDITTRAIL_RULES_DIR=str(rules)) as server, Listening(server.client()) as heard:
        body = {"agent": "clerk", "action": {"name": "wire_transfer", "args": {"to": "ACME"}}}
        with server.client() as client:
            id_ = client.post("/api/v1/check", json=body).raise_for_status().json()["approval_id"]
            heard.told("approvals", id_)
            heard.told("approvals", id_)
            assert client.get(f"/api/v1/approvals/{id_}").json()["status"] == "expired"


def test_without_a_session_or_a_key_that_may_read_there_is_no_stream(live: Server) -> None:
    with httpx.Client(base_url=live.url, trust_env=False, verify=False) as client:
        answer = client.get("/events")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert client.get("/events", headers={"x-api-key": "sk-at-" + "0" * 40}).status_code == 401
        assert client.get("/events", cookies={"audittrail_session": "x" * 43}).status_code == 401
    with with_key(live, key_of(live, "ingest")[1]) as client:
        assert client.get("/events").status_code == 403
    with live.browser() as browser:
        assert browser.get("/events", params={"project_id": "999999"}).status_code == 404


def test_what_happens_in_another_project_is_not_told(live: Server, new_trace: NewTrace) -> None:
    command(live, "project", "add", "zeta", "--owner", live.email)
    made = command(live, "key", "create", "a key", "--project", "zeta", "--scope", "read", "--scope", "ingest")
    secret = next(m for m in made.split() if m.startswith("sk-at-"))
    mine, theirs = new_trace(), new_trace()
    with Listening(with_key(live, secret)) as heard:
        export(live, request(span(theirs)))
        export(live, request(span(mine)), authorization=f"Bearer {secret}")
        assert heard.told("trace").data["trace"] == [mine]


def test_a_key_that_is_revoked_ends_its_stream(live: Server) -> None:
    public, secret = key_of(live, "read")
    with Listening(with_key(live, secret)) as heard, live.browser() as browser:
        (id_,) = [k["id"] for k in browser.get("/api/v1/keys").json()["data"] if k["public"] == public]
        assert browser.post(f"/settings/keys/{id_}/revoke").status_code == 303
        last = heard.over()
        assert last is not None
        assert last.name == "over"
        assert "revoked" in last.data["reason"]


@pytest.mark.parametrize("how", ["signed out", "no longer a member"])
def test_a_session_that_ends_or_loses_the_project_ends_its_stream(live: Server, how: str) -> None:
    email = f"{how.replace(' ', '.')}@example.org"
    added = ("user", "add", email, "--name", "Someone", "--project", "tests", "--password-stdin")
    command(live, *added, say=PASSWORD + "\n")

    def sign_in() -> httpx.Client:
        client = httpx.Client(base_url=live.url, timeout=30, trust_env=False, verify=False)
        client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD}).raise_for_status()
        return client

    person = sign_in()
    second = httpx.Client(base_url=live.url, cookies=person.cookies, timeout=30, trust_env=False, verify=False)
    with Listening(second) as heard:
        if how == "signed out":
            assert person.post("/logout").status_code == 303
        else:
            with live.browser() as owner:
                members = owner.get("/settings/members").text
                at = members.index(email)
                id_ = members[at:].split("/settings/members/")[1].split('"')[0]
                assert owner.post(f"/settings/members/{id_}", data={"remove": "1"}).status_code == 303
        last = heard.over()
        assert last is not None
        assert last.name == "over"
        assert "signed out" in last.data["reason"]
    person.close()


def test_one_session_has_no_more_than_so_many_streams(live: Server) -> None:
    with live.browser() as browser:
        cookies = browser.cookies
        streams = [
            Listening(httpx.Client(base_url=live.url, cookies=cookies, timeout=30, trust_env=False, verify=False))
            for _ in range(20)
        ]
        for one in streams:
            one.__enter__()
        answer = browser.get("/events", headers={"Accept": "text/event-stream"})
        assert answer.status_code == 429
        assert "20 streams" in answer.json()["detail"]
        assert answer.headers["retry-after"]
        for one in streams:
            one.__exit__()
        deadline = time.monotonic() + 20
        while True:
            with browser.stream("GET", "/events") as again:
                if again.status_code == 200:
                    break
            assert time.monotonic() < deadline, "a stream that was closed still counts"
            time.sleep(0.1)


class Many:
    """Plain sockets, since five hundred threads are more than five hundred streams."""

    def __init__(self, server: Server, count: int, secrets: list[str]) -> None:
        self.sockets = []
        for n in range(count):
            one = socket.create_connection(("127.0.0.1", server.port))
            head = f"GET /events HTTP/1.1\r\nHost: x\r\nx-api-key: {secrets[n % len(secrets)]}\r\n\r\n"
            one.sendall(head.encode())
            one.settimeout(30)
            self.sockets.append(one)

    def until(self, wanted: bytes) -> None:
        """Every one has read this."""
        for one in self.sockets:
            seen = b""
            while wanted not in seen:
                more = one.recv(65_536)
                assert more, "the stream is over"
                seen += more

    def ended(self) -> None:
        """Every one reads to its end, as HTTP has it."""
        for one in self.sockets:
            seen = b""
            while more := one.recv(65_536):
                seen += more
            assert seen.endswith(b"0\r\n\r\n"), seen[-80:]

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def test_five_hundred_clients_are_told_and_one_that_never_reads_harms_nobody(live: Server, new_trace: NewTrace) -> None:
    secrets = [key_of(live, "read")[1] for _ in range(6)]
    many = Many(live, 500, secrets)
    never = Many(live, 50, secrets)
    try:
        many.until(b'"violations":"all"')
        trace = new_trace()
        assert partial(export(live, request(span(trace)))) == (0, "")
        many.until(trace.encode())
        with live.client() as client:
            assert client.get("/api/v1/health").json()["status"] == "ok"
    finally:
        many.close()
        never.close()


def test_a_hundred_streams_end_when_the_server_is_asked_to_stop(fallible: Server) -> None:
    fallible.start()
    many = Many(fallible, 100, [fallible.key])
    many.until(b'"violations":"all"')
    assert fallible.stop() < 2
    many.ended()
    many.close()
    assert "Traceback" not in fallible.log
    assert "ERROR" not in fallible.log


def test_after_a_restart_whoever_comes_again_is_told_that_all_may_have_changed(fallible: Server) -> None:
    fallible.start()
    with Listening(fallible.client()) as heard:
        export(fallible, request(span("a" * 32)))
        last = heard.told("trace", "a" * 32).id
        assert last
        fallible.kill()
        heard.over()
    fallible.start()
    for how in ({"headers": {"Last-Event-ID": last}}, {"since": last}):
        with Listening(fallible.client(), **how) as heard:  # type: ignore[arg-type]
            assert heard.missed is not None
            assert set(heard.missed.data.values()) == {"all"}
    # Without a restart between, nothing was missed and nothing is said.
    with Listening(fallible.client()) as heard:
        assert heard.missed is not None
        now = heard.missed.id
    with Listening(fallible.client(), headers={"Last-Event-ID": now or ""}) as heard:
        assert heard.ready.id == now


@pytest.mark.postgres
def test_two_replicas_tell_of_each_other_s_changes(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.fresh()
    replicas = [Server(tmp_path / f"r{n}", url, **SECRET) for n in (1, 2)]
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(Server.start, replicas))
        one, two = replicas
        with Listening(two.client()) as heard:
            export(one, request(span("a" * 32)))
            event = heard.told("trace", "a" * 32)
            assert event.data == {"trace": ["a" * 32], "traces": "all"}
            id_ = ask(one, "delete_records")
            assert heard.told("approvals", id_).data["counts"] == "all"
            # More ids than a notice holds.
            spans = [span(f"{n:032x}") for n in range(1, 400)]
            export(one, request(*spans))
            heard.until(lambda e: e.data.get("trace") == "all")
            # The connection that listens is lost: what was missed meanwhile is caught up with.
            name = url.rsplit("/", 1)[1]
            mine = f"datname = '{name}' AND query ~* 'notify|listen'"
            assert postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
            heard.until(lambda e: set(e.data.values()) == {"all"} and len(e.data) > 2)
            export(one, request(span("b" * 32)))
            heard.told("trace", "b" * 32)
    finally:
        for replica in replicas:
            replica.kill()
