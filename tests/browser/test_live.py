"""Pages that follow by themselves end as a reload shows them, and disturb nobody."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import traces
from tests.browser.conftest import Visit, a_site
from tests.browser.governed import tool_span
from tests.browser.site import Site, sign_in
from tests.browser.watch import Watch
from tests.http.otlp import export, partial, request
from tests.live import Server

_numbers = itertools.count(0xFACE00)
AWAY = ("net::ERR_", "Failed to load resource")

# What a page shows, without what only time or the script's own marks make different.
_PICTURE = """() => {
  const main = document.querySelector("#main").cloneNode(true);
  for (const el of main.querySelectorAll("time")) { el.textContent = ""; el.removeAttribute("title"); }
  for (const el of main.querySelectorAll(".arrived")) el.classList.remove("arrived");
  return main.innerHTML.replace(/ class=""/g, "").replace(/\\s+/g, " ").trim();
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of its own: other modules count the traces of theirs."""
    yield from a_site(tmp_path_factory)


def new_trace() -> str:
    return f"{next(_numbers):032x}"


def send(server: Server, *spans: object) -> None:
    assert partial(export(server, request(*spans))) == (0, "")  # type: ignore[arg-type]


def settled(page: Page, status: str) -> None:
    expect(page.locator(".trace-title .status")).to_have_text(status, timeout=15_000)


def same_as_reloaded(page: Page) -> None:
    page.wait_for_timeout(1500)  # what was told last is fetched
    live = page.evaluate(_PICTURE).split("<")
    page.reload()
    assert live == page.evaluate(_PICTURE).split("<")


@pytest.mark.parametrize("arrival", ["shuffled", "root first", "duplicated"])
def test_a_trace_watched_as_it_arrives_looks_as_it_does_when_loaded(site: Site, page: Page, arrival: str) -> None:
    trace = new_trace()
    spans = traces.broken(time.time_ns() - 60_000 * traces.MS, trace)
    if arrival == "shuffled":
        random.Random(3).shuffle(spans)
    if arrival == "duplicated":
        spans = [one for one in spans for _ in range(2)]
    send(site.server, spans[0])
    page.goto(f"/traces/{trace}")
    for one in spans[1:]:
        send(site.server, one)
    expect(page.locator(".waterfall > li")).to_have_count(6)
    settled(page, "Error")
    same_as_reloaded(page)


def test_a_trace_that_never_ends_goes_on_running(site: Site, page: Page) -> None:
    trace, now = new_trace(), time.time_ns()
    send(site.server, traces.step(trace, 1, None, "night-watch", now, None, **traces.agent("night-watch")))
    page.goto(f"/traces/{trace}")
    for n in range(2, 6):
        send(site.server, traces.step(trace, n, 1, f"look {n}", now + n * traces.MS, 1))
        expect(page.locator(".waterfall > li")).to_have_count(n)
    settled(page, "Running")
    expect(page.locator(".waterfall > li").first).to_have_class(re.compile("s-running"))


def test_the_step_that_is_open_its_folds_focus_and_scroll_stay(site: Site, page: Page) -> None:
    trace, now = new_trace(), time.time_ns() - 60_000 * traces.MS
    root = traces.step(trace, 1, None, "crawler", now, None, **traces.agent("crawler"))
    send(site.server, root, *[traces.step(trace, n, 1, f"fetch {n}", now + n * traces.MS, 1) for n in range(2, 80)])
    page.goto(f"/traces/{trace}")
    page.locator(".waterfall a[data-row]").nth(40).click()
    expect(page.locator("#panel")).to_contain_text("fetch 41")
    page.locator("#f-find").fill("half a w")
    top = page.evaluate("document.querySelector('.tree').scrollTop = 300")
    page.locator("#panel h2").evaluate("el => getSelection().selectAllChildren(el)")
    page.locator("#f-find").evaluate("el => el.focus({preventScroll: true})")
    send(site.server, traces.step(trace, 100, 1, "another", now + 200 * traces.MS, 1, "it failed"))
    expect(page.locator(f"#s-{traces.span_id(100)}")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "f-find"
    expect(page.locator("#f-find")).to_have_value("half a w")
    assert page.evaluate("document.querySelector('.tree').scrollTop") == top
    expect(page.locator("#panel")).to_contain_text("fetch 41")
    expect(page.locator(".waterfall [aria-current]")).to_contain_text("fetch 41")


def test_the_list_grows_at_its_top_and_keeps_still_for_who_reads(site: Site, page: Page) -> None:
    page.goto("/traces")
    first, second = new_trace(), new_trace()
    now = time.time_ns()
    send(site.server, traces.step(first, 1, None, "first of them", now, None))
    expect(page.locator("tbody tr").first).to_contain_text("first of them")
    page.keyboard.press("j")
    expect(page.locator(f"#t-{first} a[data-row]")).to_be_focused()
    send(site.server, traces.step(second, 1, None, "second of them", now + traces.MS, 10))
    news = page.get_by_role("button", name="1 new trace. Show")
    expect(news).to_be_visible()
    expect(page.locator(f"#t-{second}")).to_have_count(0)
    # What stands there is brought up to date all the same.
    send(site.server, traces.step(first, 1, None, "first of them", now, 10))
    expect(page.locator(f"#t-{first} .c-took")).to_contain_text("10 ms")
    expect(page.locator(f"#t-{first} a[data-row]")).to_be_focused()
    news.click()
    expect(page.locator("tbody tr").first).to_contain_text("second of them")
    expect(news).to_have_count(0)
    expect(page.locator(f"#t-{first}")).to_have_class(re.compile("s-ok"), timeout=15_000)


def test_older_rows_that_were_loaded_stay(site: Site, page: Page) -> None:
    page.goto("/traces")
    page.get_by_role("link", name="Load older").click()
    expect(page.locator("tbody tr[id^=t-]").nth(60)).to_be_attached()
    many = page.locator("tbody tr[id^=t-]").count()
    trace = new_trace()
    send(site.server, traces.step(trace, 1, None, "one more", time.time_ns(), 10))
    page.get_by_role("button", name="1 new trace. Show").click()
    expect(page.locator(f"#t-{trace}")).to_be_attached()
    assert page.locator("tbody tr[id^=t-]").count() >= many


def test_an_empty_project_turns_into_the_list(tmp_path: Path, visit: Visit) -> None:
    with Server(tmp_path / "server") as server:
        page = visit(server, sign_in(server, server.email, server.password))
        page.goto("/traces")
        send(server, traces.step(new_trace(), 1, None, "the very first", time.time_ns(), 10))
        expect(page.locator("tbody tr").first).to_contain_text("the very first")


def test_an_empty_overview_turns_into_numbers_that_follow(tmp_path: Path, visit: Visit) -> None:
    with Server(tmp_path / "server") as server:
        page = visit(server, sign_in(server, server.email, server.password))
        page.goto("/")
        for count in (1, 2):
            send(server, traces.step(new_trace(), 1, None, "one of them", time.time_ns(), 10))
            expect(page.locator("#number-traces .value a")).to_have_text(str(count), timeout=15_000)


def test_paused_nothing_moves_and_resumed_it_catches_up(site: Site, page: Page) -> None:
    page.goto("/traces")
    page.keyboard.press("p")
    expect(page.locator("#said")).to_have_text("Live updates are paused")
    page.reload()
    expect(page.locator(".stream")).to_have_text("Paused")
    trace = new_trace()
    send(site.server, traces.step(trace, 1, None, "while it was paused", time.time_ns(), 10))
    page.wait_for_timeout(1500)
    expect(page.locator(f"#t-{trace}")).to_have_count(0)
    page.locator(".stream").click()
    expect(page.locator(f"#t-{trace}")).to_have_count(1)
    expect(page.locator(".stream")).to_have_text("Live")


def test_counters_violations_and_approvals_follow(site: Site, visit: Visit) -> None:
    pages = {
        path: visit(site.server, site.people["governor"]) for path in ("/violations", "/approvals", "/constitution")
    }
    for path, each in pages.items():
        each.goto(path)
    trace = new_trace()
    site.governed.send(tool_span(trace, 1, "purge_orders", {"count": 7654}, agent="janitor"))
    expect(pages["/violations"].locator("tbody")).to_contain_text("7,654 rows")
    before = pages["/constitution"].locator("#waiting-approvals").inner_text()
    id_ = site.governed.check("wire_transfer", {"to": trace})["approval_id"]
    card = pages["/approvals"].locator(f"#card-{id_}")
    expect(card).to_be_visible()
    expect(pages["/constitution"].locator("#waiting-approvals")).not_to_have_text(before)
    one = visit(site.server, site.people["governor"])
    one.goto(f"/approvals/{id_}")
    card.get_by_role("button", name="Approve").click()
    expect(one.get_by_text("Approved, not used yet")).to_be_visible()


def test_a_page_kept_open_while_the_server_is_killed_catches_up(tmp_path: Path, visit: Visit, watch: Watch) -> None:
    watch.expect(*AWAY)
    trace, now = new_trace(), time.time_ns()
    with Server(tmp_path / "server") as server:
        send(server, traces.step(trace, 1, None, "night-watch", now, None))
        page = visit(server, sign_in(server, server.email, server.password))
        page.goto(f"/traces/{trace}")
        expect(page.locator(".stream")).to_have_text("Live")
        server.kill()
        expect(page.locator(".stream")).to_have_text("Reconnecting")
        server.start()
        send(server, traces.step(trace, 2, 1, "after it", now + traces.MS, 1))
        expect(page.locator(f"#s-{traces.span_id(2)}")).to_have_count(1, timeout=30_000)
        expect(page.locator(".stream")).to_have_text("Live")


def test_whoever_is_signed_out_is_told(site: Site, visit: Visit) -> None:
    cookies = sign_in(site.server, site.server.email, site.server.password, "tests")
    page, other = visit(site.server, cookies), visit(site.server, cookies)
    page.goto("/traces")
    other.goto("/settings")
    other.locator("details.person > summary").click()
    other.get_by_role("button", name="Sign out").click()
    expect(page.locator(".stream")).to_have_text("Not live", timeout=20_000)
    expect(page.locator("#said")).to_contain_text("signed out")
