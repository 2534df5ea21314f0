"""One server for the tests of a module, and people on it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.live import Server
from tests.postgres import Postgres

PASSWORD = "a good pass phrase"
_number = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server, on SQLite and then on PostgreSQL."""
    url = None
    if request.param == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.fresh()
    with Server(tmp_path_factory.mktemp("site"), url) as server:
        yield server
    # Whatever a test sent, the server met nothing it did not expect, and logged no secret.
    for unwanted in ("Unexpected error", "Traceback", PASSWORD, server.password, "sk-at-"):
        assert unwanted not in server.log, server.log[-4000:]


class Person:
    """Someone with an account and a browser of their own."""

    def __init__(self, server: Server, email: str, browser: httpx.Client) -> None:
        self.server, self.email, self.browser = server, email, browser
        self.get = browser.get

    def post(self, path: str, **fields: object) -> httpx.Response:
        """As a form of the page sends it."""
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        return self.browser.post(path, data=fields, headers=headers)

    @property
    def me(self) -> dict[str, object]:
        answer = self.browser.get("/api/v1/auth/me")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["data"])

    def choose(self, project: str) -> None:
        """Looks at the project of this name."""
        (found,) = [p for p in self.me["projects"] if p["name"] == project]  # type: ignore[attr-defined]
        assert self.post("/projects/current", project=found["id"], next="/").status_code == 303


def link(text: str) -> str:
    """The path of the invitation link that a page shows."""
    found = re.search(r"/invite/[A-Za-z0-9_-]{43}", text)
    assert found, text[:2000]
    return found[0]


@pytest.fixture
def admin(live: Server) -> Iterator[Person]:
    """The first account."""
    with live.browser() as browser:
        yield Person(live, live.email, browser)


@pytest.fixture
def new_name() -> Callable[[str], str]:
    """A name that no other test of the session uses."""
    return lambda word: f"{word}{next(_number)}"


@pytest.fixture
def project(admin: Person, new_name: Callable[[str], str]) -> str:
    """The name of a project of the administrator's, which is looked at."""
    name = new_name("project")
    assert admin.post("/settings/projects", name=name).status_code == 303
    return name


@pytest.fixture
def join(admin: Person, project: str, new_name: Callable[[str], str]) -> Iterator[Callable[[str], Person]]:
    """`join("viewer")`: a new person with that role in the project, by invitation."""
    browsers: list[httpx.Client] = []

    def make(role: str, instance_role: str = "member") -> Person:
        email = f"{new_name(role)}@example.org"
        answer = admin.post("/settings/members", email=email, role=role, instance_role=instance_role)
        assert answer.status_code == 200, answer.text
        browser = httpx.Client(base_url=admin.server.url, timeout=30, trust_env=False, verify=False)
        browsers.append(browser)
        person = Person(admin.server, email, browser)
        joined = person.post(link(answer.text), email=email, display_name=role, password=PASSWORD)
        assert joined.status_code == 303, joined.text
        return person

    yield make
    for browser in browsers:
        browser.close()
