"""What every answer tells the browser: on every address of the app, for every method, whoever answers."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator

import httpx
import pytest
from litestar.handlers import BaseRouteHandler

from audittrail.web import api, events, pages
from audittrail.web.headers import CSP, security_headers
from tests.http.otlp import PROTOBUF
from tests.live import Server

ORIGIN = "https://app.example"
ROUTES: list[BaseRouteHandler] = [*api.ROUTES, *pages.ROUTES, *events.ROUTES]
PATHS = sorted({re.sub(r"\{[^}]*\}", "1", path) for route in ROUTES for path in route.paths})
OTHERS = [
    "/static/app.css",
    "/static/none.css",
    "/schema/openapi.json",
    "/nothing/here",
    "/traces//",
    "/%00",
    "/a" * 500,
]
FORM = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
WANTED = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that people reach by HTTPS, and that another site's pages may call."""
    env = {"AUDITTRAIL_BASE_URL": "https://audit.example.org", "AUDITTRAIL_CORS_ORIGINS": f'["{ORIGIN}"]'}
    with Server(tmp_path_factory.mktemp("https"), **env) as server:
        yield server
    assert "Unexpected error" not in server.log and "Traceback" not in server.log, server.log[-4000:]


def check(answer: httpx.Response) -> None:
    found = {name: answer.headers.get_list(name) for name in WANTED}
    assert found == {name: [value] for name, value in WANTED.items()}, (answer.request.method, answer.request.url)
    if not answer.request.url.path.startswith("/static/"):
        assert answer.headers["cache-control"] in ("no-store", "private, no-cache"), answer.request.url
    assert "server" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE", "PATCH"])
def test_every_address_has_them_for_everybody(https: Server, method: str) -> None:
    with httpx.Client(base_url=https.url, trust_env=False, verify=False, timeout=30) as client:
        for path in [*PATHS, *OTHERS]:
            for accept in ("text/html", "application/json"):
                check(client.request(method, path, headers={"Accept": accept}))


def test_every_address_that_can_be_read_has_them_for_a_key(https: Server) -> None:
    with https.client() as client:
        for path in PATHS:
            if path != "/events":
                check(client.get(path))
        with client.stream("GET", "/events") as stream:
            assert stream.status_code == 200
            check(stream)
        too_large = client.post("/v1/traces", content=bytes(17 << 20), headers={"Content-Type": PROTOBUF})
        assert too_large.status_code == 413
        check(too_large)
        form = client.post("/login", content=b"a=" + b"b" * (1 << 20), headers=FORM)
        assert form.status_code == 413
        check(form)


@pytest.mark.parametrize(
    "sent", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"]
)
def test_what_uvicorn_answers_by_itself_has_them_too(https: Server, sent: bytes) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", https.port), timeout=10)) as connection:
        connection.sendall(sent)
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400 ")
    for name, value in WANTED.items():
        assert f"\n{name}: {value}\r\n" in answer


@pytest.mark.parametrize(
    ("base_url", "sent"),
    [
        ("https://audit.example.org", True),
        ("https://audit.example.org:8443", True),
        ("http://audit.example.org", False),
        ("https://localhost", False),
        ("https://127.0.0.1:8443", False),
    ],
)
def test_https_is_for_good_only_where_it_is_and_not_on_localhost(base_url: str, sent: bool) -> None:
    assert ("strict-transport-security" in dict(security_headers(base_url))) == sent


# Cross-origin calls.


def ask(server: Server, path: str, origin: str, method: str = "POST") -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "x-api-key"}
    return httpx.options(server.url + path, headers=headers, trust_env=False, verify=False)


@pytest.mark.parametrize("path", ["/v1/traces", "/api/v1/traces", "/api/v1/check", "/events"])
def test_a_listed_site_may_call_the_api_with_a_key(https: Server, path: str) -> None:
    answer = ask(https, path, ORIGIN)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Api-Key" in answer.headers["access-control-allow-headers"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "Origin" in answer.headers["vary"]
    check(answer)


def test_it_reads_answers_and_errors_and_when_to_come_again(https: Server) -> None:
    with https.client() as client:
        client.headers["Origin"] = ORIGIN
        for path, status in (("/api/v1/traces", 200), ("/api/v1/traces/none", 404), ("/v1/traces", 405)):
            answer = client.get(path)
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            assert answer.headers["access-control-expose-headers"] == "Retry-After"
            assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin", ["https://other.example", "null", "http://app.example", f"{ORIGIN}.evil.example", ""]
)
def test_no_other_site_may(https: Server, origin: str) -> None:
    for answer in (
        ask(https, "/api/v1/traces", origin),
        httpx.get(f"{https.url}/api/v1/health", headers={"Origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "Origin" in answer.headers["vary"], "a cache shall not hand it on to a site that may"


@pytest.mark.parametrize("path", ["/", "/login", "/traces", "/settings/keys", "/static/app.css", "/metrics"])
def test_pages_are_for_nobody_else(https: Server, path: str) -> None:
    for answer in (ask(https, path, ORIGIN), httpx.get(https.url + path, headers={"Origin": ORIGIN})):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("site", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {}])
def test_a_listed_site_may_not_spend_a_session(https: Server, site: dict[str, str]) -> None:
    login = httpx.post(f"{https.url}/api/v1/auth/login", json={"email": https.email, "password": https.password})
    cookie = login.headers["set-cookie"].partition(";")[0]
    headers = {"Cookie": cookie, "Origin": ORIGIN} | site
    answer = httpx.post(f"{https.url}/api/v1/keys", json={"name": "stolen", "scopes": ["read"]}, headers=headers)
    assert answer.status_code == 403
    seen = httpx.get(f"{https.url}/api/v1/auth/me", headers=headers)
    assert "access-control-allow-credentials" not in seen.headers, "so no browser lets the site read it"
    forged = httpx.post(f"{https.url}/api/v1/auth/login", json={"email": https.email, "password": "x"}, headers=headers)
    assert forged.status_code == 403


def test_where_no_site_is_listed_nothing_is_said(live: Server) -> None:
    asked = ask(live, "/api/v1/traces", ORIGIN)
    for answer in (asked, httpx.get(f"{live.url}/api/v1/health", headers={"Origin": ORIGIN})):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "origin" not in answer.headers.get("vary", "").lower()
        assert "strict-transport-security" not in answer.headers


def test_in_debug_every_site_may_but_without_credentials(tmp_path_factory: pytest.TempPathFactory) -> None:
    env = {"AUDITTRAIL_DEBUG": "true", "AUDITTRAIL_CORS_ORIGINS": '["*"]'}
    with Server(tmp_path_factory.mktemp("debug"), **env) as server:
        answer = ask(server, "/api/v1/traces", "https://any.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
