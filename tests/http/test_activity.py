"""The activity log: each thing done through the real API, pages and commands has its line, and only who may sees it."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.http.test_rules_in_force import tool_rule
from tests.live import COMMAND, EMAIL, PASSWORD, Server
from tests.postgres import Postgres

Line = tuple[str, str, str]  # action, actor, subject
SECRET = "a good pass phrase of mine"
ANN, BOB = "ann@example.org", "bob@example.org"
LATER = "approval: {timeout: 2, on_timeout: deny}"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def logged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose rules the tests may change."""
    cluster: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    data = tmp_path_factory.mktemp("logged")
    (data / "rules").mkdir()
    write_rules(data, ask="require_approval", hurry="require_approval")
    server = Server(data, cluster.fresh() if cluster else None, AUDITTRAIL_RULES_DIR=str(data / "rules"))
    with server:
        yield server
    assert "Unexpected error" not in server.log and "Traceback" not in server.log, server.log[-4000:]


def write_rules(data: Any, **effects: str) -> None:
    for name, effect in effects.items():
        more = LATER if name == "hurry" else ""
        (data / "rules" / f"{name}.yaml").write_text(tool_rule(name, effect, more=more))


def log(server: Server, browser: httpx.Client | None = None, **params: Any) -> list[dict[str, Any]]:
    """All lines that are seen, the first first."""
    found: list[dict[str, Any]] = []
    after = ""
    with contextlib.nullcontext(browser) if browser else server.browser() as asking:
        while True:
            answer = asking.get("/api/v1/activity", params=params | {"limit": 7} | ({"after": after} if after else {}))
            assert answer.status_code == 200, answer.text
            found += answer.json()["data"]
            after = answer.json()["next"] or ""
            if not after:
                return found[::-1]


class Site:
    """What is done to a server, and what the log says of it since the last time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin = server.browser()
        self.known = {one["id"] for one in self.all()}

    def all(self) -> list[dict[str, Any]]:
        return log(self.server, self.admin)

    def new(self) -> list[dict[str, Any]]:
        found = [one for one in self.all() if one["id"] not in self.known]
        self.known |= {one["id"] for one in found}
        return found

    def post(self, path: str, status: int = 303, browser: httpx.Client | None = None, **fields: Any) -> httpx.Response:
        answer = (browser or self.admin).post(path, data=fields, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.text[:500]
        return answer

    def json(self, method: str, path: str, status: int, body: Any = None) -> Any:
        answer = self.admin.request(method, path, params={"project": "tests"}, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def command(self, *words: str, stdin: str = "") -> str:
        ran = subprocess.run(
            [*COMMAND, *words], env=self.server.env, cwd=self.server.data, input=stdin, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def user_id(self, email: str) -> int:
        page = self.admin.get("/settings/members").text
        row = next(part for part in page.split("<tr>")[1:] if email in part)
        found = re.search(r"/settings/members/(\d+)", row)
        assert found, page
        return int(found[1])

    def check(self, name: str) -> str:
        with self.server.client() as client:
            said = client.post("/api/v1/check", json={"agent": "a", "action": {"name": name, "args": {"n": 1}}})
        return str(said.json()["approval_id"])

    def violate(self, number: int) -> str:
        trace = f"{number:032x}"
        span = {"trace_id": trace, "span_id": "00000000000000aa", "kind": "tool", "name": "ask", "status": "ok"}
        span |= {"tool": {"name": "ask"}, "started_us": 1_795_000_000_000_000, "ended_us": 1_795_000_000_000_001}
        with self.server.client() as client:
            assert client.post("/api/v1/ingest/spans", json=[span]).status_code < 300
            (found,) = client.get("/api/v1/violations", params={"trace": trace}).json()["data"]
        return str(found["id"])


def lines(found: list[dict[str, Any]]) -> list[Line]:
    return sorted((one["action"], one["actor"], one["subject"]) for one in found)


def test_everything_that_is_done_has_its_line_and_nothing_else(logged: Server) -> None:
    with logged.client() as client:
        (key,) = client.get("/api/v1/projects").json()["data"]
    project = key["id"]
    site = Site(logged)
    first = site.all()
    public = next(one["subject"] for one in first if one["action"] == "key.created")
    rule_set = next(one["subject"] for one in first if one["action"] == "rules.changed")
    # What the environment asked for, by nobody; then the sign-in of this test.
    assert lines(first) == sorted(
        [
            ("rules.changed", "system", rule_set),
            ("account.created", "system", EMAIL),
            ("project.created", "system", "tests"),
            ("member.added", "system", EMAIL),
            ("key.created", "system", public),
            ("server.started", "system", ""),
            ("auth.signed_in", EMAIL, EMAIL),
        ]
    )
    by_action = {one["action"]: one for one in first}
    assert by_action["rules.changed"]["detail"]["added"] == ["ask", "hurry"]
    assert by_action["server.started"]["detail"]["schema"] >= "0007"
    assert by_action["auth.signed_in"]["detail"] == {"address": "127.0.0.1"}
    assert by_action["key.created"]["project_id"] == by_action["member.added"]["project_id"] == project
    assert public.startswith("pk-at-")

    def done(*expected: Line) -> list[dict[str, Any]]:
        found = site.new()
        assert lines(found) == sorted(expected)
        return found

    # Accounts and members.
    invited = site.post("/settings/members", 200, email=ANN, role="viewer", instance_role="member")
    (one,) = done(("invitation.created", EMAIL, ANN))
    assert one["project_id"] == project and one["detail"] == {"role": "viewer", "instance_role": "member"}
    token = re.search(r"/invite/([A-Za-z0-9_-]{43})", invited.text)
    assert token
    with httpx.Client(base_url=logged.url, timeout=30, trust_env=False, verify=False) as ann:
        site.post(f"/invite/{token[1]}", browser=ann, email=ANN, display_name="Ann", password=SECRET)
        signed = [("auth.signed_in", ANN, ANN)]
        done(("account.created", ANN, ANN), ("invitation.accepted", ANN, ANN), ("member.added", ANN, ANN), *signed)
        # It cannot be used again, and what fails is not in the log.
        assert ann.post(f"/invite/{token[1]}", data={"email": "x@example.org"}).status_code == 404
        done()
        site.post("/settings/profile", browser=ann, display_name="Anna")
        site.post("/settings/profile", browser=ann, display_name="Anna")
        done(("account.renamed", ANN, ANN))
        site.post("/settings/password", browser=ann, current=SECRET, password=SECRET + "!")
        done(("account.password_changed", ANN, ANN))
        site.post("/settings/password", 422, browser=ann, current="not it", password=SECRET)
        (one,) = done(("auth.sign_in_refused", "somebody", ANN))
        assert one["detail"] == {"address": "127.0.0.1", "wanted": "password", "reason": "wrong"}
        site.post("/logout", browser=ann)
        site.post("/logout", browser=ann)
        done(("auth.signed_out", ANN, ANN))
    ann_id = site.user_id(ANN)
    site.post(f"/settings/members/{ann_id}", role="reviewer")
    site.post(f"/settings/members/{ann_id}", role="reviewer")
    (one,) = done(("member.role_changed", EMAIL, ANN))
    assert one["detail"] == {"role": "reviewer", "before": "viewer"}
    site.post(f"/settings/members/{ann_id}", instance_role="admin")
    done(("account.role_changed", EMAIL, ANN))
    site.post(f"/settings/members/{ann_id}", instance_role="member")
    done(("account.role_changed", EMAIL, ANN))
    site.post(f"/settings/members/{ann_id}", remove="1")
    done(("member.removed", EMAIL, ANN))
    site.post("/settings/members", email=ANN, role="viewer")
    done(("member.added", EMAIL, ANN))
    site.post("/settings/members", 422, email=ANN, role="viewer")
    done()
    # The last owner stays, and so nothing was done.
    site.post(f"/settings/members/{site.user_id(EMAIL)}", 422, remove="1")
    done()
    page = site.post("/settings/members", 200, email=BOB, role="viewer").text
    done(("invitation.created", EMAIL, BOB))
    invitation = re.search(r"/settings/invitations/(\d+)/revoke", page)
    assert invitation
    site.post(f"/settings/invitations/{invitation[1]}/revoke")
    done(("invitation.revoked", EMAIL, BOB))

    # Projects and keys.
    site.post("/settings/project", name="tests")
    site.post("/settings/project", 422, name="")
    done()
    site.json("POST", "/api/v1/projects", 201, {"name": "by api"})
    done(("project.created", EMAIL, "by api"), ("member.added", EMAIL, EMAIL))
    site.json("POST", "/api/v1/projects", 409, {"name": "by api"})
    done()
    site.post("/settings/projects", name="by page")
    done(("project.created", EMAIL, "by page"), ("member.added", EMAIL, EMAIL))
    site.post("/settings/project", name="by this page")
    (one,) = done(("project.renamed", EMAIL, "by this page"))
    assert one["detail"] == {"before": "by page"}
    site.post("/settings/project", 422, name="by api")
    done()
    site.post("/projects/current", project=project, next="/")
    made = site.json("POST", "/api/v1/keys", 201, {"name": "one", "scopes": ["read"]})
    (one,) = done(("key.created", EMAIL, made["key"]["public"]))
    assert one["detail"] == {"name": "one", "scopes": ["read"], "expires_us": None}
    site.json("DELETE", f"/api/v1/keys/{made['key']['id']}", 200)
    site.json("DELETE", f"/api/v1/keys/{made['key']['id']}", 200)
    done(("key.revoked", EMAIL, made["key"]["public"]))
    site.post("/settings/keys", 200, name="two", scope="read", expires_days="30")
    keys = site.json("GET", "/api/v1/keys", 200)["data"]
    two = next(one for one in keys if one["name"] == "two")
    done(("key.created", EMAIL, two["public"]))
    site.post(f"/settings/keys/{two['id']}/revoke")
    done(("key.revoked", EMAIL, two["public"]))

    # The command line.
    site.command("project", "add", "by command", "--owner", EMAIL)
    done(("project.created", "command line", "by command"), ("member.added", "command line", EMAIL))
    # What concerns a project is for those who own or review it, and for no other administrator.
    site.command("project", "add", "of ann", "--owner", ANN)
    done()
    site.command("user", "add", BOB, "--project", "tests", "--password-stdin", stdin=SECRET)
    done(("account.created", "command line", BOB), ("member.added", "command line", BOB))
    site.command("user", "password", BOB, "--password-stdin", stdin=SECRET + "!")
    done(("account.password_changed", "command line", BOB))
    public = site.command("key", "create", "three", "--project", "tests").split()[0]
    done(("key.created", "command line", public))
    site.command("key", "revoke", public)
    done(("key.revoked", "command line", public))

    # Approvals and violations, which take a moment to come about.
    approved, denied = site.check("ask"), ""
    site.json("POST", f"/api/v1/approvals/{approved}", 200, {"decision": "approve", "reason": "secret reason"})
    (one,) = done(("approval.approved", EMAIL, approved))
    assert one["detail"] == {"rules": ["ask"]} and one["project_id"] == project
    site.json("POST", f"/api/v1/approvals/{approved}", 409, {"decision": "deny"})
    done()
    site.check("ask")
    denied = site.check("ask")
    site.post(f"/approvals/{denied}", decision="deny", reason="no")
    done(("approval.denied", EMAIL, denied))
    expired = site.check("hurry")
    wait(lambda: any(one["subject"] == expired for one in site.all()))
    done(("approval.expired", "system", expired))
    ids = [site.violate(1), site.violate(2)]
    site.post("/violations", id=ids, action="acknowledge", note="secret note")
    (one, _) = done(*(("violation.acknowledged", EMAIL, id_) for id_ in ids))
    assert one["detail"] == {"rule": "ask"}
    site.json("POST", f"/api/v1/violations/{ids[0]}", 200, {"status": "resolved", "note": "secret note"})
    done(("violation.resolved", EMAIL, ids[0]))
    site.post(f"/violations/{ids[0]}", action="reopen")
    done(("violation.reopened", EMAIL, ids[0]))

    # Rules: changed, broken, mended.
    write_rules(logged.data, ask="deny", more="warn")
    (logged.data / "rules" / "hurry.yaml").unlink()
    wait(lambda: any(one["detail"].get("removed") for one in site.all()))
    found = [one for one in site.new() if one["action"] == "rules.changed"]
    before = found[0]["detail"]["versions"]
    assert {id_ for one in found for id_ in one["detail"]["added"]} == {"more"}
    assert {id_ for one in found for id_ in one["detail"]["removed"]} == {"hurry"}
    assert {id_ for one in found for id_ in one["detail"]["changed"]} == {"ask"}
    assert found[-1]["detail"]["set"].startswith(found[-1]["subject"]) and set(before) >= {"ask"}
    good = (logged.data / "rules" / "ask.yaml").read_text()
    (logged.data / "rules" / "ask.yaml").write_text(good.replace("severity: medium", "severity: secret"))
    wait(lambda: any(one["action"] == "rules.refused" for one in site.all()))
    (one,) = site.new()
    assert one["detail"]["count"] == 1 and one["subject"].startswith("ask.yaml:")
    (logged.data / "rules" / "ask.yaml").write_text(good)
    wait(lambda: site.all()[-1]["action"] == "rules.changed")
    (one,) = site.new()
    assert [one["detail"][name] for name in ("added", "removed", "changed")] == [[], [], []]

    # A restart loads the same rules, and a second process would too.
    logged.stop()
    logged.start()
    done(("server.stopped", "system", ""), ("server.started", "system", ""))
    whole = json.dumps(site.all())
    for secret in (SECRET, PASSWORD, "sk-at-", "secret", "not it"):
        assert secret not in whole
    words = site.admin.get("/settings/activity", params={"limit": 500}).text
    assert all(one["subject"] in words for one in site.all() if one["action"].startswith("key."))
    site.admin.close()


def wait(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_guesser_writes_one_line_a_minute_for_each_account_and_60_in_all(logged: Server) -> None:
    with httpx.Client(base_url=logged.url, timeout=30, trust_env=False, verify=False) as guesser:
        for typed, times in ((EMAIL, 8), ("my-real-pass@word", 8), ("no address at all", 3)):
            for _ in range(times):
                answer = guesser.post("/api/v1/auth/login", json={"email": typed, "password": "guess"})
                assert answer.status_code in (401, 429)
        for n in range(80):
            guesser.post("/api/v1/auth/login", json={"email": f"guess{n}@example.org", "password": "guess"})
    # The throttle now makes this address wait, so the log is read by the key's project and by a session of before.
    logged.stop()
    logged.start()
    refused = log(logged, action="auth.sign_in_refused")
    minutes = {one["at_us"] // 60_000_000 for one in refused}
    assert {one["subject"] for one in refused} <= {"", EMAIL, ANN}
    assert sum(one["subject"] == EMAIL for one in refused) <= len(minutes)
    assert 60 <= len(refused) <= 61 * len(minutes)
    assert "my-real" not in json.dumps(refused)


def test_who_sees_what_and_filters(logged: Server) -> None:
    site = Site(logged)
    site.command(
        "user", "add", "carl@example.org", "--project", "tests", "--role", "reviewer", "--password-stdin", stdin=SECRET
    )
    site.command("user", "add", "dora@example.org", "--project", "tests", "--password-stdin", stdin=SECRET)
    site.json("POST", "/api/v1/projects", 201, {"name": "elsewhere"})
    tests = next(p["id"] for p in site.json("GET", "/api/v1/projects", 200)["data"] if p["name"] == "tests")

    new = {"base_url": logged.url, "timeout": 30, "trust_env": False}
    with httpx.Client(**new) as carl, httpx.Client(**new) as dora:  # type: ignore[arg-type]
        for browser, email in ((carl, "carl@example.org"), (dora, "dora@example.org")):
            assert browser.post("/api/v1/auth/login", json={"email": email, "password": SECRET}).status_code == 200
        found = log(logged, carl)
        assert {one["project_id"] for one in found} == {tests, None}
        assert {one["action"] for one in found if one["project_id"] is None} <= {"rules.changed", "rules.refused"}
        assert "elsewhere" not in carl.get("/settings/activity").text
        assert {one["project_id"] for one in log(logged, dora)} <= {None}
        assert carl.get("/api/v1/activity", params={"project": "elsewhere"}).status_code == 404
        assert dora.get("/api/v1/activity", params={"project": "tests"}).status_code == 403
        assert carl.get("/api/v1/activity/export").status_code == 403
        assert dora.get("/api/v1/activity/export").status_code == 403
        assert "Nothing to see here" not in carl.get("/settings/activity").text
    with logged.client() as key:
        found = key.get("/api/v1/activity", params={"limit": 500}).json()["data"]
        assert {one["project_id"] for one in found} == {tests, None}
        assert not any(one["action"].startswith(("auth.", "server.", "account.")) for one in found)
        assert key.get("/api/v1/activity/export").status_code == 403
    assert httpx.get(logged.url + "/api/v1/activity", trust_env=False, verify=False).status_code == 401

    whole = log(logged, site.admin)
    assert whole == sorted(whole, key=lambda one: (one["at_us"], one["id"]))
    assert {one["action"] for one in log(logged, site.admin, action=["member.", "key.revoked"])} <= {
        *("member.added", "member.removed", "member.role_changed", "key.revoked")
    }
    assert {one["actor"] for one in log(logged, site.admin, actor="command line")} == {"command line"}
    assert (
        log(logged, site.admin, to="2020-01-01T00:00:00Z")
        == log(logged, site.admin, **{"from": "2099-01-01T00:00:00Z"})
        == []
    )
    for wrong in (
        {"action": "keys"},
        {"from": "yesterday"},
        {"after": "?"},
        {"limit": 0},
        {"actor": "\0"},
        {"range": "2h"},
    ):
        assert site.admin.get("/api/v1/activity", params=wrong).status_code == 400, wrong
        if "from" not in wrong and "limit" not in wrong:
            assert site.admin.get("/settings/activity", params=wrong).status_code == 400, wrong
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert site.admin.request(method, "/api/v1/activity").status_code == 405
        assert site.admin.request(method, "/settings/activity").status_code == 405

    taken = site.admin.get("/api/v1/activity/export")
    assert taken.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(row) for row in taken.text.splitlines()]
    assert rows[0]["action"] == "export.created" and rows[0]["actor"] == EMAIL
    assert rows[1:] == whole[::-1]
    site.admin.close()
