"""From nothing to the first account, by the link that the server prints; and what the command line does beside it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.live import COMMAND, Server
from tests.web.conftest import PASSWORD, Person

EMPTY = {
    "AUDITTRAIL_INIT_ADMIN_EMAIL": "",
    "AUDITTRAIL_INIT_ADMIN_PASSWORD": "",
    "AUDITTRAIL_INIT_API_KEY": "",
}
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fresh(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has an account on."""
    with Server(tmp_path / "server", database_url, **EMPTY) as server:
        yield server
    for unwanted in ("Unexpected error", "Traceback", PASSWORD):
        assert unwanted not in server.log, server.log[-4000:]


@pytest.fixture
def stranger(fresh: Server) -> Iterator[Person]:
    with httpx.Client(base_url=fresh.url, timeout=30, trust_env=False, verify=False) as browser:
        yield Person(fresh, "", browser)


def call(server: Server, *args: str, say: str = "") -> subprocess.CompletedProcess[str]:
    """The command line with the server's settings, while the server runs."""
    return subprocess.run(
        [*COMMAND, *args], input=say, env=server.env, cwd=server.cwd, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def run(fresh: Server) -> Run:
    return partial(call, fresh)


def token(server: Server) -> str:
    found = re.search(rf"{server.url}/setup\?token=([A-Za-z0-9_-]+)", server.log)
    assert found, server.log
    return found[1]


def fill(person: Person, **changed: str) -> httpx.Response:
    fields = {
        "token": token(person.server),
        "email": "Ann@Example.org",
        "display_name": "Ann",
        "password": PASSWORD,
        "project": "tests",
        **changed,
    }
    return person.post("/setup", **fields)


def test_the_printed_link_leads_to_the_first_account(fresh: Server, stranger: Person):
    assert "No account exists yet" in stranger.get("/login").text
    page = stranger.get(f"/setup?token={token(fresh)}")
    assert page.status_code == 200 and 'value="tests"' in page.text
    for wrong in ({"password": "short one"}, {"email": "ann"}, {"project": " "}):
        again = fill(stranger, **wrong)
        assert again.status_code == 422 and PASSWORD not in again.text and "short one" not in again.text
    done = fill(stranger)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert (stranger.me["email"], stranger.me["role"]) == ("ann@example.org", "admin")
    assert [(p["name"], p["role"]) for p in stranger.me["projects"]] == [("tests", "owner")]  # type: ignore[attr-defined]
    assert stranger.get(f"/setup?token={token(fresh)}").status_code == 404
    assert fill(stranger, email="bob@example.org").status_code == 404
    fresh.stop()
    fresh.start()
    assert fresh.log.count("/setup?token=") == 1


def test_the_link_is_the_same_after_a_restart(fresh: Server):
    fresh.stop()
    fresh.start()
    links = re.findall(r"/setup\?token=\S+", fresh.log)
    assert len(links) == 2 and len(set(links)) == 1


@pytest.mark.parametrize("wrong", ["", "x", "ä"])
def test_without_the_link_nobody_sets_up(stranger: Person, wrong: str):
    assert stranger.get("/setup", params={"token": wrong}).status_code == 404
    assert fill(stranger, token=wrong).status_code == 404
    body = {"email": "a@example.org", "password": PASSWORD, "token": wrong}
    assert stranger.browser.post("/api/v1/auth/register", json=body).status_code == 404
    assert stranger.get("/api/v1/auth/me").status_code == 401


def test_of_many_who_set_up_at_once_one_does(fresh: Server):
    def attempt(n: int) -> int:
        body = {"email": f"n{n}@example.org", "password": PASSWORD, "token": token(fresh)}
        return httpx.post(
            f"{fresh.url}/api/v1/auth/register", json=body, timeout=30, trust_env=False, verify=False
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(attempt, range(8)))
    assert statuses == [201] + [404] * 7


def test_the_command_line_works_beside_the_server(fresh: Server, stranger: Person, run: Run):
    assert run("project", "add", "alpha").returncode == 0
    added = run(
        "user", "add", "ann@example.org", "--project", "alpha", "--role", "owner", "--password-stdin", say=PASSWORD
    )
    assert added.returncode == 0, added.stderr
    assert stranger.post("/login", email="ann@example.org", password=PASSWORD).status_code == 303
    made = run("key", "create", "agent", "--project", "alpha", "--scope", "read")
    public, secret = made.stdout.split()
    headers = {"Authorization": f"Bearer {secret}"}
    assert stranger.get("/api/v1/traces", headers=headers).status_code == 200
    assert public in run("key", "list", "--project", "alpha").stdout
    assert run("key", "revoke", public).returncode == 0
    assert stranger.get("/api/v1/traces", headers=headers).status_code == 401
    new = run("user", "password", "ann@example.org", "--password-stdin", say="another good phrase\n")
    assert new.returncode == 0 and stranger.get("/settings").status_code == 401
    assert stranger.post("/login", email="ann@example.org", password="another good phrase").status_code == 303
    assert "ann@example.org" in run("user", "list").stdout
    assert "alpha" in run("project", "list").stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("user", "add", "ann", "--password-stdin"), "e-mail"),
        (("user", "add", "ann@example.org"), "--password-stdin"),
        (("user", "add", "ann@example.org", "--project", "nope", "--password-stdin"), "no project 'nope'"),
        (("user", "password", "nobody@example.org", "--password-stdin"), "no account"),
        (("key", "create", "x", "--project", "nope"), "no project 'nope'"),
        (("key", "revoke", "pk-at-nope"), "no key"),
        (("project", "add", ""), "name"),
        (("project", "add", "x", "--owner", "nobody@example.org"), "no account"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_2(live: Server, args: tuple[str, ...], says: str):
    done = call(live, *args, say=PASSWORD + "\n")
    assert done.returncode == 2 and done.stdout == ""
    assert says in done.stderr and done.stderr.startswith("audittrail: ") and done.stderr.count("\n") == 1


def test_a_second_server_on_one_sqlite_file_is_refused(server: Server):
    done = call(server, "serve", "--port", "1")
    assert done.returncode != 0 and "already serves" in done.stderr and "Traceback" not in done.stderr
