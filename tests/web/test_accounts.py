"""The pages of accounts and settings, on a real server: who may do what, and what they see when they may not."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.live import Server
from tests.web.conftest import PASSWORD, Person, link

Join = Callable[..., Person]
Name = Callable[[str], str]


@pytest.fixture
def stranger(live: Server) -> Iterator[Person]:
    with httpx.Client(base_url=live.url, timeout=30, trust_env=False, verify=False) as browser:
        yield Person(live, "", browser)


def members(person: Person) -> dict[str, str]:
    """Role by address, as the project's page lists them."""
    text = person.get("/settings/members").text
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.S)
    return {m[0]: row for row in rows if (m := re.search(r"[\w.]+@example\.org", row))}


def user_id(person: Person) -> object:
    return person.me["user_id"]


# Signing in


def test_a_page_asks_to_sign_in_and_comes_back_to_itself(live: Server, stranger: Person):
    away = stranger.get("/settings/keys?x=1", headers={"Accept": "text/html"})
    assert away.status_code == 303
    form = stranger.get(away.headers["location"])
    target = re.search(r'name="next" value="([^"]*)"', form.text)
    assert target and target[1] == "/settings/keys?x=1"
    back = stranger.post("/login", email=f" {live.email.upper()} ", password=live.password, next=target[1])
    assert (back.status_code, back.headers["location"]) == (303, "/settings/keys?x=1")
    assert stranger.get("/settings/keys").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(live: Server, stranger: Person):
    answer = stranger.post("/login", email=live.email, password=live.password)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("audittrail_session=")
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie and "domain" not in cookie
    assert "secure" not in cookie  # this server is reached by plain HTTP
    proxied = {"X-Forwarded-Proto": "https", "Sec-Fetch-Site": "same-origin"}
    fields = {"email": live.email, "password": live.password}
    assert "secure" in stranger.browser.post("/login", data=fields, headers=proxied).headers["set-cookie"].lower()


def test_the_cookie_is_for_https_only_where_the_server_says_it_is_reached_so(tmp_path: Path):
    with Server(tmp_path / "server", AUDITTRAIL_BASE_URL="https://audit.example.org") as server:
        fields = {"email": server.email, "password": server.password}
        answer = httpx.post(f"{server.url}/login", data=fields, trust_env=False, verify=False)
        assert answer.status_code == 303 and "secure" in answer.headers["set-cookie"].lower()


def test_every_sign_in_has_a_token_of_its_own_and_ends_the_one_before(live: Server, stranger: Person):
    stranger.browser.cookies.set("audittrail_session", "chosen-by-someone-else")
    stranger.browser.cookies.clear()
    stranger.post("/login", email=live.email, password=live.password)
    first = stranger.browser.cookies["audittrail_session"]
    stranger.post("/login", email=live.email, password=live.password)
    second = stranger.browser.cookies["audittrail_session"]
    assert first != second
    with httpx.Client(base_url=live.url, cookies={"audittrail_session": first}, trust_env=False, verify=False) as old:
        assert old.get("/api/v1/auth/me").status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
        "evil",
    ],
)
def test_signing_in_leads_to_this_server_only(live: Server, stranger: Person, target: str):
    back = stranger.post("/login", email=live.email, password=live.password, next=target)
    assert (back.status_code, back.headers["location"]) == (303, "/")
    away = stranger.get("/login", params={"next": target})
    assert away.headers["location"] == "/"


def test_a_wrong_password_and_an_unknown_address_look_the_same(live: Server, new_name: Name):
    texts = set()
    for email in (live.email, f"{new_name('nobody')}@example.org"):
        with httpx.Client(base_url=live.url, trust_env=False, verify=False) as browser:
            answer = Person(live, "", browser).post("/login", email=email, password="wrong one", next="/traces")
        assert answer.status_code == 422 and "set-cookie" not in answer.headers
        assert f'value="{email}"' in answer.text and 'value="/traces"' in answer.text
        assert "wrong one" not in answer.text
        texts.add(answer.text.replace(email, "?"))
    assert len(texts) == 1


def test_guessing_is_slowed_down(stranger: Person, new_name: Name):
    email = f"{new_name('victim')}@example.org"
    answers = [stranger.post("/login", email=email, password="wrong") for _ in range(8)]
    assert [answer.status_code for answer in answers][:5] == [422] * 5
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert slowed and int(slowed[0].headers["retry-after"]) >= 1
    assert "try again in" in slowed[0].text


def test_signing_out_ends_the_session_on_the_server(live: Server, stranger: Person):
    stranger.post("/login", email=live.email, password=live.password)
    token = stranger.browser.cookies["audittrail_session"]
    out = stranger.post("/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/login?out=1")
    assert "signed out" in stranger.get("/login?out=1").text
    with httpx.Client(base_url=live.url, cookies={"audittrail_session": token}, trust_env=False, verify=False) as old:
        assert old.get("/api/v1/auth/me").status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/settings", "/settings/project", "/settings/members", "/settings/keys", "/settings/ingest"],
)
def test_settings_are_for_people_who_are_signed_in(stranger: Person, path: str):
    assert stranger.get(path, headers={"Accept": "text/html"}).status_code == 303
    assert stranger.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/settings/profile",
        "/settings/password",
        "/settings/project",
        "/settings/projects",
        "/settings/members",
        "/settings/members/1",
        "/settings/invitations/1/revoke",
        "/settings/keys",
        "/settings/keys/1/revoke",
        "/projects/current",
    ],
)
def test_another_sites_page_can_change_nothing(admin: Person, path: str):
    evil = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = admin.browser.post(path, data={"name": "x"}, headers=evil)
    assert answer.status_code == 403 and "another site" in answer.text


@pytest.mark.parametrize("path", ["/login", "/logout", "/setup", "/invite/x"])
def test_another_sites_page_cannot_sign_anyone_in_or_out(live: Server, admin: Person, path: str):
    fields = {"email": live.email, "password": live.password}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert admin.browser.post(path, data=fields, headers=headers).status_code == 403
    assert admin.get("/settings").status_code == 200


# Setting up


def test_setup_is_over_once_an_account_exists(stranger: Person):
    page = stranger.get("/setup?token=whatever")
    assert page.status_code == 404 and "exists already" in page.text
    assert stranger.post("/setup", token="x", email="a@example.org", password=PASSWORD, project="x").status_code == 404


# One's own account


def test_a_name_is_changed_and_a_wrong_one_is_said(admin: Person):
    saved = admin.post("/settings/profile", display_name="  The <b>First</b> ")
    assert (saved.status_code, saved.headers["location"]) == (303, "/settings?saved=profile")
    page = admin.get("/settings?saved=profile")
    assert "The &lt;b&gt;First&lt;/b&gt;" in page.text and "<b>First" not in page.text
    assert admin.me["display_name"] == "The <b>First</b>"
    wrong = admin.post("/settings/profile", display_name=" ")
    assert wrong.status_code == 422 and "needed" in wrong.text


def test_a_new_password_ends_the_other_sessions_and_only_those(join: Join, stranger: Person):
    person = join("viewer")
    assert stranger.post("/login", email=person.email, password=PASSWORD).status_code == 303
    wrong = person.post("/settings/password", current="not mine at all", password="another good phrase")
    assert wrong.status_code == 422 and "not your present password" in wrong.text
    weak = person.post("/settings/password", current=PASSWORD, password="short")
    assert weak.status_code == 422 and "too short" in weak.text and PASSWORD not in weak.text
    assert stranger.get("/settings").status_code == 200
    done = person.post("/settings/password", current=PASSWORD, password="another good phrase")
    assert (done.status_code, done.headers["location"]) == (303, "/settings?saved=password")
    assert stranger.get("/settings").status_code == 401
    assert person.get("/settings").status_code == 200
    assert stranger.post("/login", email=person.email, password=PASSWORD).status_code == 422
    assert stranger.post("/login", email=person.email, password="another good phrase").status_code == 303


# Projects


def test_an_administrator_makes_a_project_and_looks_at_it(admin: Person, project: str):
    assert [p["role"] for p in admin.me["projects"] if p["name"] == project] == ["owner"]  # type: ignore[attr-defined]
    assert project in admin.get("/settings/project?saved=created").text
    again = admin.post("/settings/projects", name=project)
    assert again.status_code == 422 and "exists already" in again.text
    assert admin.post("/settings/projects", name="").status_code == 422


def test_nobody_else_makes_projects(join: Join, new_name: Name):
    assert join("owner").post("/settings/projects", name=new_name("project")).status_code == 403


def test_only_an_owner_renames(admin: Person, join: Join, project: str, new_name: Name):
    for role in ("viewer", "reviewer"):
        assert join(role).post("/settings/project", name=new_name("project")).status_code == 403
    assert admin.post("/settings/project", name="tests").status_code == 422  # the server's first project
    name = new_name("project")
    assert join("owner").post("/settings/project", name=name).status_code == 303
    assert name in admin.get("/settings/project").text


def test_a_project_is_chosen_among_ones_own(admin: Person, join: Join, project: str):
    person = join("viewer")
    mine = person.me["current_project_id"]
    others = [p["id"] for p in admin.me["projects"] if p["id"] != mine]  # type: ignore[attr-defined]
    assert person.post("/projects/current", project=others[0], next="/").status_code == 404
    assert person.post("/projects/current", project="x").status_code == 404
    assert person.me["current_project_id"] == mine
    back = admin.post("/projects/current", project=others[0], next="//evil.example")
    assert (back.status_code, back.headers["location"]) == (303, "/")
    assert admin.me["current_project_id"] == others[0]


def test_an_administrator_does_not_see_a_project_that_is_not_theirs(admin: Person, join: Join, project: str):
    other = join("viewer", "admin")
    with httpx.Client(base_url=admin.server.url, trust_env=False, verify=False) as browser:
        outsider = Person(admin.server, other.email, browser)
        outsider.post("/login", email=other.email, password=PASSWORD)
        assert admin.post(f"/settings/members/{user_id(other)}", remove="1").status_code == 303
        assert outsider.me["projects"] == []
        assert project not in outsider.get("/settings/project").text
        assert outsider.get(f"/api/v1/keys?project={project}").status_code == 404
        assert outsider.get("/settings/keys").status_code == 403
        assert outsider.get("/settings/members").status_code == 200


# Members


def test_an_invitation_is_shown_once_works_once_and_gives_what_it_says(
    admin: Person, stranger: Person, project: str, new_name: Name
):
    email = f"{new_name('ann')}@example.org"
    shown = admin.post("/settings/members", email=email, role="reviewer")
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    path = link(shown.text)
    assert path not in admin.get("/settings/members").text and email in admin.get("/settings/members").text
    page = stranger.get(path)
    assert page.status_code == 200 and project in page.text and email in page.text
    weak = stranger.post(path, email=email, display_name="Ann", password="short one")
    assert weak.status_code == 422 and 'value="Ann"' in weak.text and "short one" not in weak.text
    other = stranger.post(path, email="other@example.org", display_name="Ann", password=PASSWORD)
    assert other.status_code == 422 and email in other.text
    assert stranger.post(path, email=email, display_name="Ann", password=PASSWORD).status_code == 303
    assert [p["role"] for p in stranger.me["projects"]] == ["reviewer"]  # type: ignore[attr-defined]
    assert stranger.me["role"] == "member"
    assert stranger.get(path).status_code == 404
    again = stranger.post(path, email=email, display_name="Ann", password=PASSWORD)
    assert again.status_code == 404 and "was used" in again.text


def test_an_invitation_is_taken_back(admin: Person, stranger: Person, new_name: Name, project: str):
    path = link(admin.post("/settings/members", email=f"{new_name('bob')}@example.org", role="viewer").text)
    revoke = re.search(r"/settings/invitations/\d+/revoke", admin.get("/settings/members").text)
    assert revoke and admin.post(revoke[0]).status_code == 303
    assert stranger.get(path).status_code == 404
    assert admin.post(revoke[0]).status_code == 404


def test_who_has_an_account_is_added_at_once_and_only_once(admin: Person, join: Join, new_name: Name):
    person = join("viewer")
    second = new_name("project")
    admin.post("/settings/projects", name=second)
    added = admin.post("/settings/members", email=person.email.upper(), role="reviewer", instance_role="member")
    assert (added.status_code, added.headers["location"]) == (303, "/settings/members?saved=added")
    assert {p["name"]: p["role"] for p in person.me["projects"]}[second] == "reviewer"  # type: ignore[attr-defined]
    again = admin.post("/settings/members", email=person.email, role="owner")
    assert again.status_code == 422 and "already" in again.text


def test_an_owner_adds_whom_the_instance_knows_and_invites_nobody_new(join: Join, new_name: Name):
    owner = join("owner")
    unknown = owner.post("/settings/members", email=f"{new_name('new')}@example.org", role="viewer")
    assert unknown.status_code == 422 and "administrator" in unknown.text and "/invite/" not in unknown.text
    assert (
        owner.post("/settings/members", email="x@example.org", role="viewer", instance_role="admin").status_code == 403
    )


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_only_owners_manage_members_and_keys(join: Join, admin: Person, role: str):
    person = join(role)
    assert person.post("/settings/members", email="x@example.org", role="viewer").status_code == 403
    assert person.post(f"/settings/members/{user_id(admin)}", role="viewer").status_code == 403
    assert person.post(f"/settings/members/{user_id(person)}", role="owner").status_code == 403
    assert person.post(f"/settings/members/{user_id(person)}", instance_role="admin").status_code == 403
    assert person.post("/settings/invitations/1/revoke").status_code == 403
    assert person.post("/settings/keys", name="x", scope="read").status_code == 403
    assert person.get("/settings/members").status_code == 200
    assert person.get("/settings/keys").status_code == 200


def test_the_last_owner_stays(admin: Person, join: Join):
    mine = user_id(admin)
    for change in ({"remove": "1"}, {"role": "viewer"}):
        answer = admin.post(f"/settings/members/{mine}", **change)
        assert answer.status_code == 422 and "last owner" in answer.text
    other = join("owner")
    assert other.post(f"/settings/members/{mine}", role="viewer").status_code == 303
    assert admin.post(f"/settings/members/{user_id(other)}", role="viewer").status_code == 403


def test_the_last_administrator_stays(admin: Person, join: Join):
    person = join("viewer")
    assert admin.post(f"/settings/members/{user_id(person)}", instance_role="admin").status_code == 303
    assert person.me["role"] == "admin"
    assert admin.post(f"/settings/members/{user_id(person)}", instance_role="member").status_code == 303
    people = [other for other in admin.get("/settings/members").text.split("badge") if ">admin<" in other]
    assert len(people) == 1


def test_a_removed_member_loses_the_project_with_the_next_request(admin: Person, join: Join, project: str):
    person = join("reviewer")
    assert person.get("/settings/keys").status_code == 200
    assert admin.post(f"/settings/members/{user_id(person)}", remove="1").status_code == 303
    assert person.get("/settings/keys").status_code == 403
    assert person.get("/api/v1/keys").status_code == 403
    assert person.me["projects"] == []
    assert admin.post(f"/settings/members/{user_id(person)}", role="viewer").status_code == 404


@pytest.mark.parametrize("fields", [{"other": "x"}, {"role": "emperor"}, {"instance_role": "emperor"}])
def test_a_change_of_nothing_is_said(admin: Person, join: Join, fields: dict[str, str]):
    answer = admin.post(f"/settings/members/{user_id(join('viewer'))}", **fields)
    assert answer.status_code == 400 and "owner, reviewer, viewer" in answer.text


# Keys


def test_a_key_is_shown_once_works_and_is_revoked_at_once(admin: Person, project: str):
    shown = admin.post("/settings/keys", name="the <i>agent</i>", scope=["ingest", "read"], expires_days="30")
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    secret = re.search(r"sk-at-[A-Za-z0-9]{40}", shown.text)
    assert secret and "<i>agent" not in shown.text
    page = admin.get("/settings/keys").text
    assert "sk-at-" not in page and "the &lt;i&gt;agent&lt;/i&gt;" in page
    key = {"Authorization": f"Bearer {secret[0]}"}
    assert httpx.get(f"{admin.server.url}/api/v1/traces", headers=key, trust_env=False, verify=False).status_code == 200
    revoke = re.search(r"/settings/keys/\d+/revoke", page)
    assert revoke and admin.post(revoke[0]).status_code == 303
    refused = httpx.get(f"{admin.server.url}/api/v1/traces", headers=key, trust_env=False, verify=False)
    assert refused.status_code == 401 and "revoked" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"scope": "ingest"}, "needed"),
        ({"name": "x" * 81, "scope": "ingest"}, "longer"),
        ({"name": "agent"}, "at least one scope"),
        ({"name": "agent", "scope": "everything"}, "scope is one of"),
        ({"name": "agent", "scope": "ingest", "expires_days": "0"}, "1 to 3650"),
        ({"name": "agent", "scope": "ingest", "expires_days": "soon"}, "1 to 3650"),
        ({"name": "agent", "scope": "ingest", "expires_days": "9" * 5000}, "1 to 3650"),
    ],
)
def test_a_key_that_cannot_be_made_is_said(admin: Person, project: str, fields: dict[str, str], says: str):
    answer = admin.post("/settings/keys", **fields)
    assert answer.status_code == 422 and says in answer.text
    assert "sk-at-" not in answer.text


def test_a_key_of_another_project_is_not_there(admin: Person, join: Join):
    admin.post("/settings/keys", name="agent", scope="ingest")
    revoke = re.search(r"/settings/keys/\d+/revoke", admin.get("/settings/keys").text)
    person = join("owner")
    admin.choose("tests")
    assert revoke and admin.post(revoke[0]).status_code == 404
    assert person.post(revoke[0]).status_code == 303


# What arrived


def test_what_was_refused_is_seen(live: Server, admin: Person):
    admin.choose("tests")
    with live.client() as agent:
        answer = agent.post("/v1/traces", content=b"{", headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        detail = answer.json()["message"]
    deadline = time.monotonic() + 20  # counts are written by the writer, every now and then
    while detail not in (text := html.unescape(admin.get("/settings/ingest").text)):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)


# Hostile input


@pytest.mark.parametrize("number", ["9" * 30, str(2**63)])
def test_a_number_beyond_all_ids_is_refused_and_not_an_error(admin: Person, number: str):
    for path in (
        f"/settings/members/{number}",
        f"/settings/keys/{number}/revoke",
        f"/settings/invitations/{number}/revoke",
    ):
        assert admin.post(path, role="viewer").status_code in (400, 404)
    assert admin.browser.delete(f"/api/v1/keys/{number}").status_code in (400, 404)


def test_characters_that_a_database_refuses_are_no_error(live: Server, stranger: Person):
    for text in ("a\0b@example.org", "\ud800@example.org".encode("utf-8", "surrogatepass"), "x" * 20_000):
        assert stranger.post("/login", email=text, password=text).status_code in (422, 429)
    assert stranger.get("/invite/%00%ff").status_code == 404
    assert stranger.get("/invite/" + "x" * 5000).status_code == 404


def test_a_form_that_is_not_one_is_refused(admin: Person):
    assert admin.browser.post("/settings/profile", json={"display_name": "x"}).status_code == 415
    assert admin.browser.post("/settings/profile", files={"display_name": b"x"}).status_code == 415
    many = "&".join(f"a{n}=1" for n in range(1_001))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert admin.browser.post("/settings/profile", content=many, headers=form).status_code == 400
    assert admin.browser.post("/settings/profile", content="x" * 70_000, headers=form).status_code == 413
