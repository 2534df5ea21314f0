"""Rate limits: who is counted as whom, what is free, and in which words and encoding it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.rpc.status_pb2 import Status

from tests.http.otlp import PROTOBUF, partial, request, span
from tests.live import Server

BURST = 5
WRONG = "sk-at-" + "w" * 40


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Gives back one request a minute, so that no test depends on how fast it is. The tests' proxy is trusted."""
    limits = {"AUDITTRAIL_RATE_LIMIT": "60/h", "AUDITTRAIL_RATE_BURST": str(BURST)}
    proxies = "127.0.0.1,10.0.0.0/8,fd00::/8"
    with Server(tmp_path_factory.mktemp("strict"), AUDITTRAIL_TRUSTED_PROXIES=proxies, **limits) as server:
        yield server
    assert "Unexpected error" not in server.log and "Traceback" not in server.log, server.log[-4000:]


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One request a minute with one key."""
    with Server(tmp_path_factory.mktemp("sparing"), AUDITTRAIL_KEY_RATE_LIMIT="60/h") as server:
        yield server


class Asking:
    """A client that comes from an address, as a proxy says."""

    def __init__(self, server: Server, *forwarded: str, **headers: str) -> None:
        self.client = httpx.Client(base_url=server.url, trust_env=False, verify=False, timeout=30)
        self.headers = [("X-Forwarded-For", one) for one in forwarded]
        self.headers += [(name.replace("_", "-"), value) for name, value in headers.items()]

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path, headers=self.headers)

    def statuses(self, path: str = "/api/v1/instance", times: int = BURST + 2) -> list[int]:
        return [self.get(path).status_code for _ in range(times)]


ALLOWED = [200] * BURST + [429, 429]


def test_an_address_without_a_key_is_told_in_a_problem_when_it_may_come_again(strict: Server) -> None:
    asking = Asking(strict, "192.0.2.1")
    assert asking.statuses() == ALLOWED
    answer = asking.get("/api/v1/traces")
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "more often than once a minute" in answer.json()["detail"]
    assert answer.headers["content-security-policy"] and answer.headers["cache-control"] == "no-store"


def test_a_person_gets_a_page_with_what_it_is_made_of(strict: Server) -> None:
    asking = Asking(strict, "192.0.2.2", Accept="text/html")
    assert asking.statuses("/login") == ALLOWED
    page = asking.get("/login")
    assert page.headers["content-type"].startswith("text/html") and "Too many requests" in page.text
    assert int(page.headers["retry-after"]) >= 1
    assert {asking.get("/static/app.css").status_code for _ in range(20)} == {200}
    assert {asking.get("/api/v1/health").status_code for _ in range(20)} == {200}


@pytest.mark.parametrize("path", ["/v1/traces", "/api/public/otel/v1/traces"])
def test_an_exporter_is_told_in_its_own_encoding(strict: Server, path: str) -> None:
    source = {"X-Forwarded-For": f"192.0.2.{30 + len(path)}"}
    with httpx.Client(base_url=strict.url, trust_env=False, verify=False) as client:
        for _ in range(BURST):
            binary = client.post(path, content=request(span("a" * 32)), headers=source | {"Content-Type": PROTOBUF})
            assert (binary.status_code, Status.FromString(binary.content).code) == (401, 16)
        binary = client.post(path, content=request(span("a" * 32)), headers=source | {"Content-Type": PROTOBUF})
        assert (binary.status_code, Status.FromString(binary.content).code) == (429, 8)
        text = client.post(path, json={}, headers=source)
        assert (text.status_code, text.json()["code"]) == (429, 8)
        assert text.headers["content-type"] == "application/json"


CREDENTIALS = {
    "wrong key": {"Authorization": f"Bearer {WRONG}"},
    "no key": {"Authorization": "Bearer nonsense"},
    "another scheme": {"Authorization": "Digest x"},
    "x-api-key": {"x_api_key": WRONG},
    "wrong session": {"Cookie": "audittrail_session=" + "s" * 43},
    "empty session": {"Cookie": "audittrail_session="},
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_what_is_presented_and_is_wrong_is_counted(strict: Server, name: str) -> None:
    credential, number = CREDENTIALS[name], list(CREDENTIALS).index(name)
    found = Asking(strict, f"192.0.3.{number}", **credential).statuses("/api/v1/traces")
    assert found == [401] * BURST + [429, 429]
    # An address that looks at neither is no way around.
    assert Asking(strict, f"192.0.4.{number}", **credential).statuses() == ALLOWED
    assert Asking(strict, f"192.0.5.{number}", **credential).statuses("/nothing-here") == [404] * BURST + [429, 429]


def test_who_has_a_good_key_or_session_does_not_pay_for_the_neighbours(strict: Server) -> None:
    address = "192.0.2.4"
    assert Asking(strict, address, Authorization=f"Bearer {WRONG}").statuses("/api/v1/traces")[-1] == 429
    # Those who present nothing are counted apart: a broken exporter does not lock out the sign-in page.
    assert Asking(strict, address).get("/login").status_code == 200
    assert Asking(strict, address).statuses()[-1] == 429
    assert set(Asking(strict, address, Authorization=f"Bearer {strict.key}").statuses("/api/v1/traces", 30)) == {200}
    with strict.browser() as browser:
        browser.headers["X-Forwarded-For"] = address
        assert {browser.get("/traces").status_code for _ in range(30)} == {200}


def test_the_loop_of_a_client_with_a_key_sees_no_limit(strict: Server) -> None:
    with strict.client() as client:
        assert {client.get("/api/v1/traces").status_code for _ in range(80)} == {200}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (["198.51.100.1"], ["198.51.100.1"]),
        (["198.51.100.2"], ["6.6.6.6, 198.51.100.2"]),  # what the client has made up stands before what the proxy saw
        (["198.51.100.3"], ["6.6.6.6", "198.51.100.3"]),  # in a header of its own
        (["198.51.100.4"], ["6.6.6.6, 198.51.100.4, 10.0.0.9, 10.2.0.1"]),  # several proxies, all trusted
        (["198.51.100.5"], ["198.51.100.5:4711"]),
        (["2001:db8:1::1"], ["2001:db8:1::ffff"]),  # the same /64
        (["2001:db8:2::1"], ["6.6.6.6, [2001:db8:2::2]:4711, fd00::7"]),
        (["::ffff:198.51.100.6"], ["198.51.100.6"]),
        (["garbage"], ["6.6.6.6, garbage"]),
        (["'; --"], ["6.6.6.6,'; --"]),
    ],
    ids=str,
)
def test_these_are_one_address(strict: Server, first: list[str], then: list[str]) -> None:
    assert Asking(strict, *first).statuses() == ALLOWED
    assert Asking(strict, *then).get("/api/v1/instance").status_code == 429
    assert Asking(strict, "203.0.113.77").get("/api/v1/health").status_code == 200


def test_nobody_but_a_trusted_proxy_is_believed(tmp_path: Path) -> None:
    limits = {"AUDITTRAIL_RATE_LIMIT": "60/h", "AUDITTRAIL_RATE_BURST": str(BURST)}
    with Server(tmp_path / "server", AUDITTRAIL_TRUSTED_PROXIES="10.0.0.0/8", **limits) as server:
        found = [Asking(server, f"192.0.2.{n}").get("/api/v1/instance").status_code for n in range(BURST + 2)]
    assert found == ALLOWED


def test_a_key_that_is_used_too_often_is_told_what_makes_an_exporter_come_again(sparing: Server) -> None:
    def key(scope: str) -> dict[str, str]:
        with sparing.browser() as browser:
            made = browser.post("/api/v1/keys", json={"name": scope, "scopes": [scope]})
        assert made.status_code == 201, made.text
        return {"Authorization": f"Bearer {made.json()['secret']}"}

    with httpx.Client(base_url=sparing.url, trust_env=False, verify=False) as client:
        headers = key("ingest") | {"Content-Type": PROTOBUF}
        first, second = (client.post("/v1/traces", content=request(span("b" * 32)), headers=headers) for _ in range(2))
        assert partial(first) == (0, "")
        assert (second.status_code, Status.FromString(second.content).code) == (503, 14)
        assert 1 <= int(second.headers["retry-after"]) <= 60
        headers = key("ingest")
        found = [client.post("/api/v1/ingest/spans", json=[], headers=headers).status_code for _ in range(2)]
        assert found[1] == 503, found
        headers = key("check")
        asked = {"action": {"name": "look"}}
        found = [client.post("/api/v1/check", json=asked, headers=headers).status_code for _ in range(2)]
        assert found == [200, 429]
        headers = key("read")
        assert [client.get("/api/v1/traces", headers=headers).status_code for _ in range(2)] == [200, 429]
        assert int(client.get("/api/v1/agents", headers=headers).headers["retry-after"]) >= 1
