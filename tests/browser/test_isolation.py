"""What belongs to another project answers as if it were not there, by whichever door one asks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import traces
from tests.browser.conftest import Visit
from tests.browser.site import PASSWORD, Cookies, command, sign_in
from tests.browser.watch import Watch
from tests.http.otlp import PROTOBUF, request
from tests.live import Server

A, B = "ann@alpha.example", "bob@beta.example"
TRACE_A, TRACE_B, SHARED = traces.trace_id(1), traces.trace_id(2), traces.trace_id(3)
# Everything of project beta by which one could know it; none of it may be in an answer to ann.
OF_B = ("beta", "Bobby", "bob@", "bravo-agent", "bravo-tool", "bravo secret", "bravo-key", "bravo-session")
HTMX = {"HX-Request": "true", "Accept": "text/html"}
ASKED = {
    "page": {"Accept": "text/html"},
    "panel": HTMX | {"HX-Target": "panel"},
    "tree": HTMX | {"HX-Target": "tree"},
    "more": HTMX | {"HX-Target": "more"},
    "results": HTMX | {"HX-Target": "results"},
    "unknown target": HTMX | {"HX-Target": "nothing"},
    "history": HTMX | {"HX-History-Restore-Request": "true"},
}


class Two:
    """Two projects, each with an owner, a key and a trace; a trace of the same id in both."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.keys: dict[str, str] = {}
        for project, email, name in (("alpha", A, "Ann"), ("beta", B, "Bobby")):
            command(server, "user", "add", email, "--name", name, "--password-stdin", say=PASSWORD + "\n")
            command(server, "project", "add", project, "--owner", email)
            key = "alpha-key" if project == "alpha" else "bravo-key"
            made = command(server, "key", "create", key, "--project", project, "--scope", "read", "--scope", "ingest")
            self.keys[email] = made.split()[1]
        for email, one in ((A, TRACE_A), (B, TRACE_B)):
            for trace in (one, SHARED):
                self._send(email, trace)
        self.cookies = {email: sign_in(server, email, PASSWORD) for email in (A, B)}
        self.people = {email: self.client(email) for email in (A, B)}
        found = self.people[B].get("/api/v1/projects").json()["data"]
        (self.beta,) = [p["id"] for p in found if p["name"] == "beta"]
        self.key_b = self.people[B].get("/api/v1/keys").json()["data"][0]["id"]
        self.bob = next(
            int(n) for n in re.findall(r"/settings/members/(\d+)", self.people[B].get("/settings/members").text)
        )

    def _send(self, email: str, trace: str) -> None:
        word, now = ("bravo" if email == B else "alpha"), time.time_ns()
        session = f"{word}-session"
        root = traces.step(
            trace, 1, None, f"{word} secret", now, 90, **traces.agent(f"{word}-agent", session__id=session)
        )
        call = traces.step(
            trace, 2, 1, f"{word}-tool", now, 9, f"{word} secret", **traces.tool(f"{word}-tool", {"a": 1})
        )
        headers = {"Authorization": f"Bearer {self.keys[email]}", "Content-Type": PROTOBUF}
        body = request(root, call)
        answer = httpx.post(
            f"{self.server.url}/v1/traces", content=body, headers=headers, trust_env=False, verify=False
        )
        assert answer.status_code == 200, answer.text

    def client(self, email: str) -> httpx.Client:
        cookies = {c["name"]: c["value"] for c in self.cookies[email]}
        return httpx.Client(base_url=self.server.url, cookies=cookies, timeout=30, trust_env=False, verify=False)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with Server(tmp_path_factory.mktemp("two")) as server:
        yield Two(server)
    assert "Unexpected error" not in server.log and "Traceback" not in server.log


@pytest.fixture
def ann(two: Two) -> Iterator[httpx.Client]:
    with two.client(A) as client:
        yield client


def refused(answer: httpx.Response, *statuses: int) -> None:
    """Not there, or not allowed; and nothing of the other project is said."""
    assert answer.status_code in (statuses or (403, 404)), f"{answer.status_code}: {answer.text[:300]}"
    silent(answer)


def silent(answer: httpx.Response) -> None:
    text = answer.text + str(answer.headers)
    assert not [word for word in OF_B if word in text]


def test_the_owner_sees_it(two: Two) -> None:
    """Otherwise the tests below would pass on a server that shows nothing."""
    page = two.people[B].get(f"/traces/{TRACE_B}", headers=ASKED["page"])
    assert page.status_code == 200 and "bravo-tool" in page.text and "bravo secret" in page.text
    assert "bravo-agent" in two.people[B].get("/traces").text
    assert "bravo-key" in two.people[B].get("/settings/keys").text
    assert "Bobby" in two.people[B].get("/settings/members").text


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("query", ["", "?span={}", "?span={}&tab=record", "?only=errors", "?from=0", "?span=none"])
def test_a_trace_of_the_other_project(ann: httpx.Client, asked: str, query: str) -> None:
    answer = ann.get(f"/traces/{TRACE_B}{query.format(traces.span_id(2))}", headers=ASKED[asked])
    refused(answer, 404)
    # Exactly as for a trace that nobody has.
    nobodys = ann.get(f"/traces/{'0' * 32}{query.format(traces.span_id(2))}", headers=ASKED[asked])
    same = re.compile(r"/traces/[0-9a-f]{32}")
    assert same.sub("", nobodys.text) == same.sub("", answer.text)
    assert nobodys.status_code == answer.status_code


@pytest.mark.parametrize("asked", ASKED)
def test_a_trace_of_the_same_id_is_the_own_one(ann: httpx.Client, asked: str) -> None:
    for query in ("", f"?span={traces.span_id(1)}", f"?span={traces.span_id(2)}&tab=record", "?only=errors"):
        answer = ann.get(f"/traces/{SHARED}{query}", headers=ASKED[asked])
        assert answer.status_code == 200 and "alpha" in answer.text
        silent(answer)


@pytest.mark.parametrize("asked", ASKED)
def test_lists_and_searches(ann: httpx.Client, asked: str) -> None:
    for query in ("", "?q=bravo", "?agent=bravo-agent", "?session=bravo-session", f"?q={TRACE_B}", "?project=beta"):
        answer = ann.get(f"/traces{query}", headers=ASKED[asked])
        assert answer.status_code == 200
        # What was asked for is repeated in the form; nothing of it may lead anywhere.
        assert TRACE_B not in answer.text.replace(f'value="{TRACE_B}"', "").replace(TRACE_B, "", 8) or "q=" in query
        assert f"/traces/{TRACE_B}" not in answer.text
        assert "bravo secret" not in answer.text and "bravo-tool" not in answer.text
        if "bravo" not in query and "beta" not in query:
            silent(answer)


@pytest.mark.parametrize("path", ["", "/project", "/members", "/keys", "/ingest"])
def test_settings_are_of_the_own_project(two: Two, ann: httpx.Client, path: str) -> None:
    for query in ("", f"?project={two.beta}", "?project=beta"):
        for headers in (ASKED["page"], HTMX | {"HX-Target": "main"}):
            answer = ann.get(f"/settings{path}{query}", headers=headers)
            if answer.status_code == 200:
                silent(answer) if "beta" not in query else None
                assert "Bobby" not in answer.text and "bravo-key" not in answer.text
            else:
                assert answer.status_code in (403, 404)


@pytest.mark.parametrize("path", ["traces", "keys", "traces/{t}", "traces/{t}/spans", "traces/{s}", "traces/{s}/spans"])
@pytest.mark.parametrize("by", ["session", "key"])
def test_the_api(two: Two, ann: httpx.Client, path: str, by: str) -> None:
    path = "/api/v1/" + path.format(t=TRACE_B, s=SHARED)
    headers = {} if by == "session" else {"Authorization": f"Bearer {two.keys[A]}"}
    with httpx.Client(base_url=two.server.url, trust_env=False, verify=False) as by_key:
        client = ann if by == "session" else by_key
        plain = client.get(path, headers=headers)
        if TRACE_B in path or (by == "key" and "keys" in path):
            refused(plain)
        else:
            assert plain.status_code == 200
            silent(plain)
        for wanted in ("beta", str(two.beta)):
            answer = client.get(path, headers=headers, params={"project": wanted})
            if by == "session":
                refused(answer, 404)
            else:
                # A key is of one project whatever is asked.
                assert answer.status_code == plain.status_code
                silent(answer)


def test_the_api_lists_own_projects_only(two: Two, ann: httpx.Client) -> None:
    for path in ("/api/v1/projects", "/api/v1/auth/me"):
        answer = ann.get(path)
        assert answer.status_code == 200 and "alpha" in answer.text
        silent(answer)
    with httpx.Client(base_url=two.server.url, trust_env=False, verify=False) as client:
        answer = client.get("/api/v1/projects", headers={"Authorization": f"Bearer {two.keys[A]}"})
    assert [p["name"] for p in answer.json()["data"]] == ["alpha"]


def test_the_other_project_cannot_be_chosen(two: Two, ann: httpx.Client) -> None:
    for value in (str(two.beta), "beta", f" {two.beta}", f"{two.beta}.0", "", "-1", "9" * 30):
        refused(ann.post("/projects/current", data={"project": value}, headers=ASKED["page"]), 404)
    page = ann.get("/traces", headers=ASKED["page"])
    assert "alpha-agent" in page.text
    silent(page)


@pytest.mark.parametrize(
    "change",
    [
        lambda two, ann: ann.post(f"/settings/keys/{two.key_b}/revoke"),
        lambda two, ann: ann.delete(f"/api/v1/keys/{two.key_b}"),
        lambda two, ann: ann.delete(f"/api/v1/keys/{two.key_b}", params={"project": two.beta}),
        lambda two, ann: ann.post(f"/settings/members/{two.bob}", data={"role": "viewer"}),
        lambda two, ann: ann.post(f"/settings/members/{two.bob}", data={"remove": "1"}),
        lambda two, ann: ann.post(f"/settings/members/{two.bob}", data={"instance_role": "admin"}),
        lambda two, ann: ann.post("/settings/projects", data={"name": "third"}),
        lambda two, ann: ann.post("/api/v1/projects", json={"name": "third"}),
        lambda two, ann: ann.post(
            "/api/v1/keys", params={"project": two.beta}, json={"name": "mine", "scopes": ["read"]}
        ),
    ],
    ids=range(9),
)
def test_nothing_of_the_other_project_can_be_changed(
    two: Two, ann: httpx.Client, change: Callable[[Two, httpx.Client], httpx.Response]
) -> None:
    refused(change(two, ann))
    key = httpx.get(
        f"{two.server.url}/api/v1/traces",
        headers={"Authorization": f"Bearer {two.keys[B]}"},
        trust_env=False,
        verify=False,
    )
    assert key.status_code == 200 and "bravo-agent" in key.text
    me = two.people[B].get("/api/v1/auth/me").json()["data"]
    assert me["role"] == "member" and [(p["name"], p["role"]) for p in me["projects"]] == [("beta", "owner")]
    assert [k["name"] for k in two.people[B].get("/api/v1/keys").json()["data"]] == ["bravo-key"]


def test_someone_without_an_account_sees_nothing(two: Two) -> None:
    with httpx.Client(base_url=two.server.url, trust_env=False, verify=False) as client:
        for path in ("/traces", f"/traces/{TRACE_B}", "/settings/keys", "/settings/members"):
            for asked, headers in ASKED.items():
                answer = client.get(path, headers=headers)
                assert answer.status_code == (303 if asked == "page" else 204), (path, asked)
                silent(answer)
        for path in ("traces", f"traces/{TRACE_B}", "keys", "projects", "auth/me"):
            refused(client.get(f"/api/v1/{path}"), 401)


def test_in_the_browser(two: Two, visit: Visit, watch: Watch) -> None:
    watch.expect("status of 404")
    cookies: Cookies = two.cookies[A]
    page = visit(two.server, cookies)
    page.goto(f"/traces/{TRACE_B}?span={traces.span_id(2)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    # A form that names the other project
    page.goto("/settings/project")
    page.locator("details.project > summary").click()
    page.locator(".project .float button").evaluate(f"el => {{ el.value = '{two.beta}'; }}")
    page.locator(".project .float button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    page.goto("/traces")
    expect(page.locator(".rail .project .name")).to_have_text("alpha")
    # A link of one's own trace changed by hand
    page.goto(f"/traces/{TRACE_A}")
    page.locator(".waterfall a[data-row]").nth(1).evaluate(
        f"el => {{ el.href = el.href.replace('{TRACE_A}', '{TRACE_B}'); }}"
    )
    page.locator(".waterfall a[data-row]").nth(1).click()
    page.wait_for_load_state("networkidle")
    assert not [word for word in OF_B if word in page.content()]
