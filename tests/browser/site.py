"""A server with people, projects and traces on it, and who may look at what."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.browser import traces
from tests.browser.governed import Governed
from tests.http.otlp import export, partial, request
from tests.live import COMMAND, Server

PASSWORD = "several words make a phrase"
Cookies = list[dict[str, str]]


def without_accounts(data: Path) -> Server:
    """A server that nobody has an account on; not started."""
    server = Server(data)
    for name in [n for n in server.env if n.startswith("AUDITTRAIL_INIT_")]:
        del server.env[name]
    return server


def setup_link(server: Server) -> str:
    """The link to the first account, as the server printed it."""
    found = re.search(rf"{re.escape(server.url)}/setup\?token=[A-Za-z0-9_-]+", server.log)
    assert found, server.log
    return found[0]


def command(server: Server, *args: str, say: str = "") -> str:
    """What the command line says, run beside the server."""
    done = subprocess.run(
        [*COMMAND, *args], input=say, env=server.env, cwd=server.cwd, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sign_in(server: Server, email: str, password: str, project: str = "") -> Cookies:
    """A new session's cookies, looking at the project of that name."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False, verify=False) as client:
        answer = client.post("/api/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        if project:
            found = {p["name"]: p["id"] for p in client.get("/api/v1/projects").json()["data"]}
            chosen = client.post("/projects/current", data={"project": str(found[project])})
            assert chosen.status_code == 303, chosen.text
        return [{"name": c.name, "value": c.value or "", "url": server.url} for c in client.cookies.jar]


def until(true: Callable[[], Any], seconds: float = 15) -> None:
    """Waits for something on the server."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


class Site:
    """`server` full of traces, `fresh` without an account; `people` are sessions by name."""

    def __init__(self, server: Server, fresh: Server) -> None:
        self.server, self.fresh = server, fresh
        self.traces = traces.IDS
        command(server, "project", "add", "empty", "--owner", server.email)
        command(server, "project", "add", "treasury", "--owner", server.email)
        command(server, "user", "add", "nobody@example.org", "--password-stdin", say=PASSWORD + "\n")
        colleague = ("user", "add", "colleague@example.org", "--name", "Colleague", "--project", "tests")
        command(server, *colleague, "--password-stdin", say=PASSWORD + "\n")
        for spans in traces.everything():
            assert partial(export(server, request(*spans))) == (0, "")
        self.people = {
            "stranger": [],
            "owner": sign_in(server, server.email, server.password, "tests"),
            "empty": sign_in(server, server.email, server.password, "empty"),
            "viewer": sign_in(server, "colleague@example.org", PASSWORD, "tests"),
            "nobody": sign_in(server, "nobody@example.org", PASSWORD),
        }
        self.people["governor"] = sign_in(server, server.email, server.password, "treasury")
        with httpx.Client(
            base_url=server.url, cookies=self._cookies("governor"), trust_env=False, verify=False
        ) as client:
            client.post("/settings/members", data={"email": "colleague@example.org", "role": "viewer"})
        self.people["onlooker"] = sign_in(server, "colleague@example.org", PASSWORD, "treasury")
        scopes = [part for scope in ("ingest", "check", "read") for part in ("--scope", scope)]
        key = command(server, "key", "create", "agents", "--project", "treasury", *scopes).split()[-1]
        self.governed = Governed(server, key, self.people["governor"])
        self.invitation = self._invite("someone@example.org")
        with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
            # A refusal, so that its page has something to show.
            headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-protobuf"}
            client.post("/v1/traces", content=request(traces.step("ab" * 16, 0, None, "no id", 1, 1)), headers=headers)

    def _cookies(self, who: str) -> dict[str, str]:
        return {c["name"]: c["value"] for c in self.people[who]}

    def _invite(self, email: str) -> str:
        cookies = self._cookies("owner")
        with httpx.Client(base_url=self.server.url, cookies=cookies, trust_env=False, verify=False) as client:
            answer = client.post("/settings/members", data={"email": email, "role": "viewer"})
        found = re.search(r"/invite/[A-Za-z0-9_-]+", answer.text)
        assert found, answer.text[:2000]
        return found[0]

    def settled(self) -> Site:
        """Once no trace but the one that runs is counted as running any more."""
        with self.server.client() as client:
            query = {"status": "running", "limit": "100"}
            until(lambda: len(client.get("/api/v1/traces", params=query).json()["data"]) == 1)
        return self

    def trace(self, name: str, **query: str | int) -> str:
        """The path of a trace's page; `span` is a number."""
        if "span" in query and isinstance(query["span"], int):
            query["span"] = traces.span_id(query["span"])
        return f"/traces/{self.traces[name]}" + ("?" + str(httpx.QueryParams(query)) if query else "")
