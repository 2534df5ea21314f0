"""A real Chromium, pages that are watched for faults, and a server with something to look at.

Playwright's synchronous interface keeps an event loop running in this thread for as long as it is open, and no test
that is a coroutine could run beside it. So the browser ends with this package (not with the session), and no test here
is asynchronous. The site stays: with many workers, modules of other packages come between those of this one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.governed import rules_folder
from tests.browser.site import Cookies, Site, without_accounts
from tests.browser.watch import Watch
from tests.live import Server
from tests.prepare import CACHE

FOLDER = CACHE / "browser"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_FAILED = pytest.StashKey[bool]()
Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of this folder."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remembers a failure for the fixtures that are torn down after it."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser; each page gets a context of its own."""
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server full of traces, and one without accounts. All modules share it: none sends to its project "tests"."""
    yield from a_site(tmp_path_factory)


def a_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One, for as long as the generator is open."""
    rules = rules_folder(tmp_path_factory.mktemp("rules"))
    full = Server(tmp_path_factory.mktemp("site"), AUDITTRAIL_RULES_DIR=str(rules))
    with full, without_accounts(tmp_path_factory.mktemp("fresh")) as fresh:
        yield Site(full, fresh)
    for server in (full, fresh):
        assert "Unexpected error" not in server.log, server.log[-4000:]
        assert "Traceback" not in server.log, server.log[-4000:]


@pytest.fixture
def watch() -> Watch:
    """What went wrong on the pages of this test; `watch.expect("status of 404")` says what is meant to."""
    return Watch()


def open_page(
    browser: Browser,
    watch: Watch,
    server: Server,
    cookies: Cookies | None = None,
    *,
    width: int = 1280,
    height: int = 800,
    theme: str = "light",
    javascript: bool = True,
    motion: str = "no-preference",
) -> Page:
    """A watched page in a context of its own."""
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion=motion,  # type: ignore[arg-type]
        java_script_enabled=javascript,
        locale="en-GB",
    )
    context.set_default_timeout(10_000)
    context.add_cookies(cookies or [])  # type: ignore[arg-type]
    page = context.new_page()
    watch.over(page)
    return page


def closed(request: pytest.FixtureRequest, watch: Watch, pages: list[Page]) -> list[str]:
    """What went wrong on them; then, or if the test failed, they are kept as files."""
    faults = watch.faults()
    if faults or request.node.stash.get(_FAILED, False):
        for number, page in enumerate(pages, 1):
            _keep(page, f"{request.node.path.stem}.{request.node.name}", number)
    return faults


@pytest.fixture
def visit(browser: Browser, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """`visit(server, cookies, width=360, theme="dark", javascript=False)`: a watched page in a context of its own."""
    pages: list[Page] = []

    def make(server: Server, cookies: Cookies | None = None, **options: Any) -> Page:
        pages.append(open_page(browser, watch, server, cookies, **options))
        return pages[-1]

    yield make
    faults = closed(request, watch, pages)
    for page in pages:
        page.context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(visit: Visit, site: Site) -> Page:
    """The full server, as the owner of its project sees it."""
    return visit(site.server, site.people["owner"])


def _keep(page: Page, name: str, number: int) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)[:120]}-{number}"
    with contextlib.suppress(Exception):
        (FOLDER / f"{stem}.html").write_text(f"<!-- {page.url} -->\n{page.content()}")
        page.screenshot(path=FOLDER / f"{stem}.png", timeout=5000)
