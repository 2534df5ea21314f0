"""With htmx a click brings one fragment; without any script the same links and forms bring the same pages."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser import traces
from tests.browser.conftest import Visit
from tests.browser.site import Site, sign_in
from tests.browser.watch import Watch


class Answers:
    """What the server was asked for since the last look."""

    def __init__(self, page: Page) -> None:
        self._seen: list[Response] = []
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        # Not the list's own method: Playwright takes no built-in function.
        self._seen.append(response)

    def since(self) -> list[Response]:
        """Pages and fragments that a person asked for: no files, which the browser keeps, and nothing of the stream."""
        found = [
            r
            for r in self._seen
            if "/static/" not in r.url and "/events" not in r.url and "audittrail-live" not in r.request.headers
        ]
        self._seen.clear()
        return found


def one_fragment(answers: Answers, target: str) -> int:
    """The bytes of the one answer there was, which went into `target`."""
    (answer,) = answers.since()
    assert answer.request.headers["hx-request"] == "true"
    assert answer.request.headers["hx-target"] == target
    assert answer.status == 200
    assert "<html" not in answer.text()
    return len(answer.body())


def mark(page: Page, *selectors: str) -> None:
    """Leaves a property on elements, which only the same elements keep."""
    for selector in selectors:
        page.locator(selector).first.evaluate("el => { el.__kept = true; }")


def kept(page: Page, selector: str) -> bool:
    return bool(page.locator(selector).first.evaluate("el => el.__kept === true"))


def test_a_span_comes_alone(site: Site, page: Page) -> None:
    page.goto(site.trace("big", span=1))
    whole = len(page.content())
    answers = Answers(page)
    mark(page, ".waterfall", ".waterfall > li", ".trace-head", "#panel")
    page.locator(".waterfall a[data-row]").nth(20).click()
    expect(page.locator("#panel h2")).to_have_text("fetch page 21")
    expect(page).to_have_url(re.compile(f"span={traces.span_id(21)}"))
    expect(page.locator(".waterfall [aria-current]")).to_have_text("fetch page 21")
    size = one_fragment(answers, "panel")
    assert size < 20_000 and size * 10 < whole
    assert all(kept(page, s) for s in (".waterfall", ".waterfall > li", ".trace-head", "#panel"))
    # A tab the same
    page.locator("#panel").get_by_role("link", name="Attributes").click()
    expect(page.locator("#panel .tabs [aria-current]")).to_have_text("Attributes")
    expect(page).to_have_url(re.compile("tab=attributes"))
    one_fragment(answers, "panel")
    assert kept(page, ".waterfall > li")
    # Back and forth in the history
    page.go_back()
    expect(page).not_to_have_url(re.compile("tab="))
    expect(page.locator("#panel .tabs [aria-current]")).to_have_text("Input/Output")
    page.go_back()
    expect(page.locator("#panel h2")).to_have_text("crawler")
    expect(page.locator(".waterfall [aria-current]")).to_have_text("crawler")
    page.go_forward()
    expect(page.locator("#panel h2")).to_have_text("fetch page 21")
    # The address alone leads there
    page.reload()
    expect(page.locator("#panel h2")).to_have_text("fetch page 21")


def test_the_tree_folds_and_filters_beside_the_open_span(site: Site, page: Page) -> None:
    page.goto(site.trace("broken", span=3))
    answers = Answers(page)
    mark(page, "#panel .panel-body", ".trace-head")
    page.locator("#only-errors").click()
    expect(page.locator(".waterfall a[data-row]")).to_have_count(3)
    one_fragment(answers, "tree")
    expect(page).to_have_url(re.compile("only=errors"))
    page.locator("#only-errors").click()
    expect(page.locator(".waterfall a[data-row]")).to_have_count(6)
    one_fragment(answers, "tree")
    page.locator(".waterfall .fold").click()
    expect(page.locator(".waterfall a[data-row]")).to_have_count(1)
    expect(page.locator(".waterfall")).to_contain_text("+5")
    one_fragment(answers, "tree")
    page.get_by_role("link", name="Unfold all").click()
    expect(page.locator(".waterfall a[data-row]")).to_have_count(6)
    one_fragment(answers, "tree")
    page.get_by_label("Find in this trace").fill("ledger")
    page.get_by_label("Find in this trace").press("Enter")
    expect(page.locator(".tree-bar")).to_contain_text("1 match")
    one_fragment(answers, "tree")
    assert kept(page, "#panel .panel-body") and kept(page, ".trace-head")
    expect(page.locator("#panel h2")).to_have_text("execute_tool get_order")


def test_closing_the_panel_and_opening_it_again(site: Site, page: Page) -> None:
    page.goto(site.trace("broken"))
    page.locator("#panel [data-close]").click()
    expect(page.locator("#panel h2")).to_have_count(0)
    expect(page.locator(".waterfall [aria-current]")).to_have_count(0)
    page.locator(".failure a").click()
    expect(page.locator("#panel h2")).to_have_text("execute_tool query_ledger")
    expect(page.locator(".waterfall [aria-current]")).to_have_text("execute_tool query_ledger")


def test_more_lines_are_appended(site: Site, page: Page) -> None:
    page.goto(site.trace("big", span=1))
    answers = Answers(page)
    mark(page, ".waterfall > li")
    lines = page.locator(".waterfall a[data-row]")
    assert lines.count() == 500
    page.get_by_role("link", name="Show the next 500").click()
    expect(lines).to_have_count(1000)
    one_fragment(answers, "more")
    assert kept(page, ".waterfall > li")
    expect(page.locator("#more")).to_have_count(1)
    expect(page.locator("#more")).to_contain_text("2,000 lines left")
    # And what was appended works as the rest does.
    lines.nth(700).click()
    expect(page.locator("#panel h2")).to_have_text("fetch page 701")
    one_fragment(answers, "panel")
    assert kept(page, ".waterfall > li")


def test_a_filter_brings_the_results_alone(page: Page) -> None:
    page.goto("/traces")
    answers = Answers(page)
    mark(page, ".rail", "#results", "h1")
    page.get_by_label("Status").select_option("error")
    expect(page).to_have_url(re.compile(r"/traces\?status=error$"))
    expect(page.locator("a.whole", has_text="refund-agent")).to_have_count(1)
    expect(page.locator("a.whole", has_text="ping")).to_have_count(0)
    one_fragment(answers, "results")
    page.get_by_label("Query").fill("ledger")
    page.get_by_label("Query").press("Enter")
    expect(page).to_have_url(re.compile("q=ledger"))
    expect(page.locator("a.whole")).to_have_count(1)
    one_fragment(answers, "results")
    page.get_by_role("link", name="24h").click()
    expect(page).to_have_url(re.compile("range=24h"))
    one_fragment(answers, "results")
    # A chip takes its filter away again
    page.locator(".chip", has_text="status").click()
    expect(page).not_to_have_url(re.compile("status="))
    one_fragment(answers, "results")
    assert all(kept(page, s) for s in (".rail", "#results", "h1"))
    page.go_back()
    expect(page).to_have_url(re.compile("status=error"))
    expect(page.get_by_label("Status")).to_have_value("error")
    expect(page.get_by_label("Query")).to_have_value("ledger")


def test_a_query_that_is_not_understood_says_so_in_place(page: Page, watch: Watch) -> None:
    watch.expect("status of 400", "Response Status Error Code 400")
    page.goto("/traces")
    mark(page, ".rail")
    page.get_by_label("Query").fill("status:wrong")
    page.get_by_label("Query").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="The status is one of")).to_be_visible()
    expect(page.get_by_label("Query")).to_have_value("status:wrong")
    expect(page.get_by_label("Query")).to_have_attribute("aria-invalid", "true")
    assert kept(page, ".rail")


def test_older_traces_are_appended(page: Page) -> None:
    page.goto("/traces")
    answers = Answers(page)
    mark(page, "tbody tr")
    rows = page.locator("a.whole")
    assert rows.count() == 50
    page.get_by_role("link", name="Load older").click()
    expect(rows).to_have_count(77)
    one_fragment(answers, "more")
    assert kept(page, "tbody tr")
    expect(page.get_by_role("link", name="Load older")).to_have_count(0)
    names = [urlsplit(a.get_attribute("href") or "").path for a in rows.all()]
    assert len(set(names)) == 77
    expect(page).to_have_url(re.compile("/traces$"))


def test_the_session_ending_leads_to_sign_in(visit: Visit, site: Site) -> None:
    page = visit(site.server, sign_in(site.server, site.server.email, site.server.password, "tests"))
    with page.expect_response("**/events*"):  # else the stream would be the first to be refused
        page.goto(site.trace("broken"))
    page.context.clear_cookies()
    page.locator(".waterfall a[data-row]").nth(1).click()
    expect(page).to_have_url(re.compile("/login"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail").fill(site.server.email)
    page.get_by_label("Password").fill(site.server.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#panel h2")).to_have_text("chat gpt-4.1-mini")


def test_a_server_that_does_not_answer_is_said(site: Site, page: Page, watch: Watch) -> None:
    watch.expect("ERR_CONNECTION_REFUSED", "htmx:(sendError|afterRequest)")
    page.goto(site.trace("broken"))
    page.route("**/traces/**", lambda route: route.abort("connectionrefused"))
    page.locator(".waterfall a[data-row]").nth(1).click()
    expect(page.locator("#problem")).to_contain_text("The server did not answer")
    page.unroute_all()
    page.locator(".waterfall a[data-row]").nth(1).click()
    expect(page.locator("#panel h2")).to_have_text("chat gpt-4.1-mini")
    expect(page.locator("#problem")).to_be_empty()


@pytest.fixture
def plain(visit: Visit, site: Site) -> Page:
    """A browser that runs no script."""
    cookies = sign_in(site.server, site.server.email, site.server.password, "tests")
    return visit(site.server, cookies, javascript=False)


def test_without_scripts_the_list(plain: Page, site: Site) -> None:
    plain.goto("/traces")
    plain.get_by_label("Status").select_option("error")
    plain.get_by_label("Query").fill("ledger")
    plain.get_by_role("button", name="Filter").click()
    expect(plain).to_have_url(re.compile("status=error"))
    expect(plain.locator("a.whole")).to_have_count(1)
    plain.get_by_role("link", name="24h").click()
    expect(plain).to_have_url(re.compile("range=24h"))
    expect(plain.locator("a.whole")).to_have_count(1)
    plain.locator(".chip", has_text="status").click()
    expect(plain).not_to_have_url(re.compile("status="))
    plain.get_by_role("link", name="Clear all").click()
    expect(plain.locator("a.whole")).to_have_count(50)
    plain.get_by_role("link", name="Load older").click()
    expect(plain.locator("a.whole")).to_have_count(27)
    plain.get_by_role("link", name="Back to the newest").click()
    expect(plain.locator("a.whole")).to_have_count(50)


def test_without_scripts_a_trace(plain: Page, site: Site) -> None:
    plain.goto("/traces?q=ledger")
    plain.locator("a.whole").click()
    panel = plain.locator("#panel")
    expect(panel.locator("h2")).to_have_text("execute_tool query_ledger")
    plain.locator(".waterfall a[data-row]").nth(1).click()
    expect(panel.locator("h2")).to_have_text("chat gpt-4.1-mini")
    expect(plain.locator(".waterfall [aria-current]")).to_have_text("chat gpt-4.1-mini")
    for tab, text in (("Input/Output", "arrived broken"), ("Attributes", "gen_ai.request.model"), ("Record", "gpt")):
        panel.get_by_role("link", name=tab).click()
        expect(panel.locator(".tabs [aria-current]")).to_have_text(tab)
        expect(panel).to_contain_text(text)
    plain.locator("#only-errors").click()
    expect(plain.locator(".waterfall a[data-row]")).to_have_count(3)
    plain.locator("#only-errors").click()
    plain.locator(".waterfall .fold").first.click()
    expect(plain.locator(".waterfall a[data-row]")).to_have_count(1)
    plain.get_by_role("link", name="Unfold all").click()
    plain.get_by_label("Find in this trace").fill("notify")
    plain.get_by_label("Find in this trace").press("Enter")
    expect(plain.locator(".tree-bar")).to_contain_text("1 match")
    plain.get_by_role("link", name="Show all", exact=True).click()
    expect(plain.locator(".waterfall a[data-row]")).to_have_count(6)
    panel.get_by_role("link", name="Close").click()
    expect(panel.locator("h2")).to_have_count(0)
    # The next lines of a long one, and back
    plain.goto(site.trace("big"))
    plain.get_by_role("link", name=re.compile("Show the next")).click()
    expect(plain.locator(".waterfall a[data-row]")).to_have_count(500)
    expect(plain.locator(".waterfall")).not_to_contain_text("crawler")
    plain.get_by_role("link", name="Show the lines before").click()
    expect(plain.locator(".waterfall a[data-row]").first).to_have_text("crawler")


def test_without_scripts_settings(plain: Page) -> None:
    plain.goto("/settings")
    plain.get_by_label("Name", exact=True).fill("Ada")
    plain.get_by_role("button", name="Save").click()
    expect(plain.locator("main").get_by_role("status").filter(has_text="saved")).to_be_visible()
    expect(plain.locator(".rail")).to_contain_text("Ada")
    # Nothing is offered that needs a script
    expect(
        plain.locator("button[data-copy], button[data-help], [data-theme-choice]").filter(visible=True)
    ).to_have_count(0)
    # Another project: made, chosen in the rail, chosen in the settings
    plain.get_by_role("navigation", name="Settings").get_by_role("link", name="Project").click()
    plain.locator("#f-new-name").fill("without scripts")
    plain.get_by_role("button", name="Make the project").click()
    expect(plain.locator(".rail .project .name")).to_have_text("without scripts")
    plain.locator("details.project > summary").click()
    plain.locator(".float button", has_text="tests").click()
    expect(plain.locator(".rail .project .name")).to_have_text("tests")
    plain.goto("/settings/project")
    plain.get_by_role("button", name="Switch to without scripts").click()
    expect(plain.locator(".rail .project .name")).to_have_text("without scripts")
    # A key
    plain.goto("/settings/keys")
    plain.get_by_label("Name", exact=True).fill("plain")
    plain.get_by_role("button", name="Make the key").click()
    expect(plain.locator(".secret code")).to_contain_text("sk-at-")
    plain.get_by_role("button", name="Revoke plain").click()
    expect(plain.get_by_role("row", name=re.compile("plain"))).to_contain_text("Revoked")
    # A member
    plain.goto("/settings/members")
    plain.get_by_label("E-mail").fill("colleague@example.org")
    plain.get_by_role("button", name="Add", exact=True).click()
    row = plain.get_by_role("row", name=re.compile("Colleague"))
    row.get_by_label(re.compile("Role of")).select_option("reviewer")
    row.get_by_role("button", name=re.compile("Save")).click()
    expect(row.get_by_label(re.compile("Role of"))).to_have_value("reviewer")
    row.get_by_role("button", name=re.compile("Remove")).click()
    expect(row).to_have_count(0)


def test_a_phone_shows_the_trace_and_its_span_in_turn(visit: Visit, site: Site) -> None:
    page = visit(site.server, site.people["owner"], width=360, height=640)
    page.goto(site.trace("broken"))
    page.locator(".waterfall a[data-row]").nth(1).click()
    close = page.locator("#panel [data-close]")
    expect(close).to_be_in_viewport()
    expect(page.locator("#panel h2")).to_be_in_viewport()
    close.click()
    expect(page.locator("#panel h2")).to_have_count(0)
    expect(page.locator(".waterfall a[data-row]").nth(1)).to_be_in_viewport()
