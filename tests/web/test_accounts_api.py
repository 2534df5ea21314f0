"""The JSON API of accounts, projects and keys, on a real server."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.live import KEY, Server
from tests.web.conftest import PASSWORD, Person, link

Join = Callable[..., Person]
Name = Callable[[str], str]
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(live: Server) -> Iterator[Ask]:
    """A request of a client without a cookie."""
    with httpx.Client(base_url=live.url, timeout=30, trust_env=False, verify=False) as client:
        yield client.request


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def made(admin: Person, **asked: object) -> tuple[dict[str, object], str]:
    answer = admin.browser.post("/api/v1/keys", json={"name": "agent", "scopes": ["read"], **asked})
    assert answer.status_code == 201, answer.text
    return answer.json()["key"], answer.json()["secret"]


# Accounts


def test_signing_in_answers_who_it_is_and_sets_the_cookie(live: Server, ask: Ask):
    answer = ask("POST", "/api/v1/auth/login", json={"email": live.email, "password": live.password})
    assert answer.status_code == 200
    assert answer.json() == {"user_id": 1, "email": live.email, "role": "admin", "display_name": "first"}
    assert "audittrail_session=" in answer.headers["set-cookie"]
    data = ask("GET", "/api/v1/auth/me").json()["data"]
    assert data["email"] == live.email and data["projects"][0]["role"] == "owner"


def test_signing_out_takes_the_cookie_back(live: Server, ask: Ask):
    ask("POST", "/api/v1/auth/login", json={"email": live.email, "password": live.password})
    out = ask("POST", "/api/v1/auth/logout")
    assert out.status_code == 204 and out.content == b""
    assert ask("GET", "/api/v1/auth/me").status_code == 401
    assert ask("POST", "/api/v1/auth/logout").status_code == 204


def test_a_wrong_password_says_nothing_about_the_account(live: Server, ask: Ask, new_name: Name):
    answers = [
        ask("POST", "/api/v1/auth/login", json={"email": email, "password": "wrong one"})
        for email in (live.email, f"{new_name('nobody')}@example.org", "no address", "a\0@b")
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].headers["content-type"].startswith("application/problem+json")


def test_registering_needs_an_invitation_and_uses_it_up(admin: Person, ask: Ask, project: str, new_name: Name):
    email = f"{new_name('ann')}@example.org"
    token = link(admin.post("/settings/members", email=email, role="reviewer").text).rpartition("/")[2]
    body = {"email": email, "password": PASSWORD, "display_name": "Ann", "token": token}
    for wrong in ("", "x" * 43, token + "x"):
        assert ask("POST", "/api/v1/auth/register", json={**body, "token": wrong}).status_code == 404
    weak = ask("POST", "/api/v1/auth/register", json={**body, "password": "short one"})
    assert weak.status_code == 400 and "too short" in weak.json()["detail"]
    done = ask("POST", "/api/v1/auth/register", json=body)
    assert done.status_code == 201
    assert done.json() == {"user_id": done.json()["user_id"], "email": email, "role": "member"}
    assert "set-cookie" not in done.headers
    assert ask("POST", "/api/v1/auth/register", json=body).status_code == 404
    assert ask("POST", "/api/v1/auth/login", json={"email": email, "password": PASSWORD}).status_code == 200
    assert [p["name"] for p in ask("GET", "/api/v1/projects").json()["data"]] == [project]


@pytest.mark.parametrize("path", ["/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/projects", "/api/v1/keys"])
def test_bodies_are_json_known_and_small(admin: Person, path: str):
    post = admin.browser.post
    text = post(path, content=b"{}", headers={"Content-Type": "text/plain"})
    assert text.status_code == 415 and "application/json" in text.json()["detail"]
    assert post(path, data={"email": "x"}).status_code == 415
    unknown = post(path, json={"email": "x", "password": "x", "token": "x", "name": "x", "scopes": [], "bogus": 1})
    assert unknown.status_code == 400 and "unknown field" in unknown.json()["detail"]
    missing = post(path, json={})
    assert missing.status_code == 400 and "missing required field" in missing.json()["detail"]
    json = {"Content-Type": "application/json"}
    for broken in (b"", b"{", b"[]", b'"x"', b"\xff"):
        assert post(path, content=broken, headers=json).status_code == 400
    assert post(path, content=b'{"email": "' + b"x" * 70_000 + b'"}', headers=json).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/auth/register"),
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/logout"),
        ("POST", "/api/v1/projects"),
        ("POST", "/api/v1/keys"),
        ("DELETE", "/api/v1/keys/1"),
    ],
)
def test_another_sites_page_can_change_nothing(live: Server, admin: Person, method: str, path: str):
    body = {
        "/api/v1/auth/register": {"email": "x", "password": "x", "token": "x"},
        "/api/v1/auth/login": {"email": live.email, "password": live.password},
        "/api/v1/projects": {"name": "x"},
        "/api/v1/keys": {"name": "x", "scopes": ["read"]},
    }.get(path)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = admin.browser.request(method, path, json=body, headers=headers)
        assert answer.status_code == 403 and "another site" in answer.json()["detail"]
    assert admin.get("/api/v1/auth/me").status_code == 200


# Projects


def test_projects_are_made_by_administrators_and_listed_to_members(
    admin: Person, join: Join, new_name: Name, project: str
):
    name = new_name("project")
    answer = admin.browser.post("/api/v1/projects", json={"name": f"  {name} "})
    assert answer.status_code == 201
    assert answer.json()["name"] == name and answer.json()["role"] == "owner"
    assert admin.browser.post("/api/v1/projects", json={"name": name}).status_code == 409
    assert admin.browser.post("/api/v1/projects", json={"name": " "}).status_code == 400
    person = join("viewer")
    assert person.browser.post("/api/v1/projects", json={"name": new_name("project")}).status_code == 403
    listed = person.get("/api/v1/projects").json()
    assert [p["name"] for p in listed["data"]] == [project] and listed["next"] is None


def test_a_key_sees_its_own_project_only(admin: Person, ask: Ask, project: str):
    _, secret = made(admin)
    (seen,) = ask("GET", "/api/v1/projects", headers=bearer(secret)).json()["data"]
    assert (seen["name"], seen["role"]) == (project, None)


# Keys


def test_a_secret_is_in_the_first_answer_and_in_no_other(admin: Person, project: str):
    key, secret = made(admin, scopes=["read", "ingest"], expires_days=7)
    assert key["scopes"] == ["ingest", "read"]
    assert key["expires_us"] - key["created_us"] == 7 * 86_400_000_000  # type: ignore[operator]
    listed = admin.get("/api/v1/keys")
    assert [one["public"] for one in listed.json()["data"]] == [key["public"]]
    assert secret not in listed.text and "hash" not in listed.text


@pytest.mark.parametrize("how", ["bearer", "basic", "x-api-key"])
def test_a_key_is_presented_in_three_ways(admin: Person, ask: Ask, project: str, how: str):
    key, secret = made(admin)
    pair = base64.b64encode(f"{key['public']}:{secret}".encode()).decode()
    headers = {
        "bearer": bearer(secret),
        "basic": {"Authorization": f"Basic {pair}"},
        "x-api-key": {"x-api-key": secret},
    }[how]
    assert ask("GET", "/api/v1/traces", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer x", "Bearer sk-at-" + "x" * 40, "Basic x", "Token x", "Bearer pk-at-abcdefghijklmnop"]
)
def test_what_is_no_key_is_refused_with_a_hint(ask: Ask, header: str):
    answer = ask("GET", "/api/v1/traces", headers={"Authorization": header})
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
    assert "key" in answer.json()["detail"] or "Bearer" in answer.json()["detail"]


def test_scopes_are_kept_apart(admin: Person, ask: Ask, project: str):
    _, ingest = made(admin, scopes=["ingest"])
    _, read = made(admin, scopes=["read"])
    assert ask("GET", "/api/v1/traces", headers=bearer(ingest)).status_code == 403
    protobuf = {"Content-Type": "application/x-protobuf"}
    assert ask("POST", "/v1/traces", headers=bearer(ingest) | protobuf).status_code == 200
    assert ask("POST", "/v1/traces", headers=bearer(read) | protobuf).status_code == 403


def test_a_key_cannot_manage_keys_or_accounts(ask: Ask):
    for method, path, body in (
        ("GET", "/api/v1/keys", None),
        ("POST", "/api/v1/keys", {"name": "x", "scopes": ["read"]}),
        ("DELETE", "/api/v1/keys/1", None),
        ("POST", "/api/v1/projects", {"name": "x"}),
        ("GET", "/api/v1/auth/me", None),
    ):
        answer = ask(method, path, json=body, headers=bearer(KEY))
        assert answer.status_code == 403 and "as a person" in answer.json()["detail"]


def test_a_key_of_one_project_reads_nothing_of_another(admin: Person, ask: Ask, project: str):
    _, secret = made(admin)
    for other in ("tests", "1"):
        named = ask("GET", f"/api/v1/projects?project={other}", headers=bearer(secret)).json()["data"]
        assert [p["name"] for p in named] == [project]


def test_revoking_is_at_once_and_may_be_repeated(admin: Person, ask: Ask, project: str):
    key, secret = made(admin)
    assert ask("GET", "/api/v1/traces", headers=bearer(secret)).status_code == 200
    revoked = admin.browser.delete(f"/api/v1/keys/{key['id']}")
    assert revoked.status_code == 200 and revoked.json()["revoked_us"] is not None
    refused = ask("GET", "/api/v1/traces", headers=bearer(secret))
    assert refused.status_code == 401 and "revoked" in refused.json()["detail"]
    assert admin.browser.delete(f"/api/v1/keys/{key['id']}").json() == revoked.json()
    assert admin.browser.delete("/api/v1/keys/999999").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_only_owners_manage_keys(admin: Person, join: Join, role: str):
    key, _ = made(admin)
    person = join(role)
    assert person.get("/api/v1/keys").status_code == 200
    assert person.browser.post("/api/v1/keys", json={"name": "x", "scopes": ["read"]}).status_code == 403
    assert person.browser.delete(f"/api/v1/keys/{key['id']}").status_code == 403


def test_a_session_names_a_project_among_its_own(admin: Person, join: Join, project: str):
    key, _ = made(admin)
    person = join("owner")
    admin.choose("tests")
    mine = {p["name"]: p["id"] for p in admin.me["projects"]}  # type: ignore[attr-defined]
    for name in (project, mine[project]):
        listed = admin.get("/api/v1/keys", params={"project": name}).json()["data"]
        assert [one["id"] for one in listed] == [key["id"]]
    assert key["id"] not in [one["id"] for one in admin.get("/api/v1/keys").json()["data"]]
    for name in ("tests", mine["tests"], "", "nothing"):
        assert person.get("/api/v1/keys", params={"project": name}).status_code == 404
        assert person.get("/api/v1/traces", params={"project": name}).status_code == 404
    assert person.browser.delete(f"/api/v1/keys/{key['id']}", params={"project": "tests"}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": ["read"], "expires_days": 0},
        {"name": "x", "scopes": ["read"], "expires_days": 10**30},
        {"name": "x", "scopes": ["read"], "expires_days": "soon"},
        {"name": "x\0", "scopes": ["read"]},
        {"name": 7, "scopes": ["read"]},
    ],
)
def test_a_key_that_cannot_be_made_is_said(admin: Person, project: str, body: dict[str, object]):
    answer = admin.browser.post("/api/v1/keys", json=body)
    assert answer.status_code == 400 and len(answer.json()["detail"]) > 10


def test_the_api_is_documented(ask: Ask):
    paths = ask("GET", "/schema/openapi.json").json()["paths"]
    assert {"post"} == set(paths["/api/v1/auth/login"])
    assert {"get", "post"} == set(paths["/api/v1/keys"])
    assert not [path for path in paths if path.startswith(("/settings", "/login", "/setup", "/invite"))]
