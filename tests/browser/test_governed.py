"""Journeys of those who govern: an approval, a violation from inbox to step, a rule from its words to its verdicts."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.governed import tool_span
from tests.browser.site import Site
from tests.live import ROOT

_numbers = itertools.count(0xEF00)


@pytest.fixture
def page(visit: Visit, site: Site) -> Page:
    """As the owner of the project that is governed sees it."""
    return visit(site.server, site.people["governor"])


def new_trace() -> str:
    return f"{next(_numbers):032x}"


SCRIPT = """
import sys
KEY, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
{documented}
action = {{"kind": "tool", "name": "delete_records", "args": {{"table": "customers", "count": count}}}}
print("deleted" if allowed(action) else "left alone")
"""


def start_script(site: Site, tmp_path: Path, count: int) -> subprocess.Popen[str]:
    """The client that docs/check.md shows, about to delete records."""
    documented = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "check.md").read_text(), re.DOTALL)
    assert documented is not None
    text = SCRIPT.format(documented=documented[1].replace('"http://127.0.0.1:8000"', "url"))
    path = tmp_path / "agent.py"
    path.write_text(text)
    command = [sys.executable, str(path), site.governed.key, site.server.url, str(count)]
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(script: subprocess.Popen[str]) -> str:
    out, errors = script.communicate(timeout=60)
    assert script.returncode == 0, errors
    return out.strip()


def waiting(page: Page, count: int) -> None:
    """On the desk, once the request with that count is there."""
    page.goto("/approvals")
    card = page.locator("article, li, section", has_text=f'"count":{count}').last
    for _ in range(100):
        if card.count():
            break
        page.wait_for_timeout(100)
        page.goto("/approvals")
    expect(card).to_be_visible()
    card.get_by_role("link", name="All arguments").click()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()


def test_a_script_asks_a_person_approves_and_the_script_goes_on(site: Site, page: Page, tmp_path: Path) -> None:
    script = start_script(site, tmp_path, 777)
    waiting(page, 777)
    assert script.poll() is None, "it must not go on before somebody answered"
    expect(page.get_by_text("would touch 777 rows")).to_be_visible()
    page.get_by_label("Reason").fill("Ticket 4711")
    page.get_by_role("button", name="Approve").click()
    expect(page).to_have_url(re.compile("/approvals"))
    assert ended(script) == "deleted"
    page.goto("/approvals?status=used")
    row = page.locator("tbody tr", has_text='"count":777')
    expect(row).to_contain_text("Ticket 4711")
    expect(row).to_contain_text(site.server.email)


def test_denied_by_keyboard_alone(site: Site, page: Page, tmp_path: Path) -> None:
    script = start_script(site, tmp_path, 888)
    waiting(page, 888)
    page.get_by_label("Reason").focus()
    page.keyboard.type("Nobody asked for that")
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Deny":
            break
    page.keyboard.press("Enter")
    # A denial may ask once more.
    if page.get_by_role("dialog").is_visible():
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/approvals"))
    assert ended(script) == "left alone"


def test_two_people_answer_and_the_second_is_told(site: Site, page: Page, visit: Visit, watch: object) -> None:
    watch.expect("status of 409")  # type: ignore[attr-defined]
    id_ = site.governed.check("wire_transfer", {"to": "two people"})["approval_id"]
    other = visit(site.server, site.people["governor"])
    for each in (page, other):
        each.goto(f"/approvals/{id_}")
    other.keyboard.press("p")  # else the second would see it before answering
    page.get_by_role("button", name="Approve").click()
    expect(page).to_have_url(re.compile("/approvals"))
    other.get_by_label("Reason").fill("No")
    other.get_by_role("button", name="Deny").click()
    expect(other.get_by_text("nothing was changed")).to_be_visible()


def test_a_viewer_sees_and_cannot_answer(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["onlooker"])
    page.goto(f"/approvals/{site.governed.approval['waiting']}")
    expect(page.get_by_text("ACME Ltd", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    page.goto(f"/violations/{site.governed.violation['deleted']}")
    expect(page.get_by_role("button", name="Resolve")).to_have_count(0)


def test_new_requests_announce_themselves_and_take_nothing_away(site: Site, page: Page) -> None:
    page.goto("/approvals")
    reason = page.get_by_label("Reason").first
    reason.fill("half a sentence")
    site.governed.check("wire_transfer", {"to": new_trace()})
    expect(page.locator("[data-news]")).to_contain_text("new", timeout=15_000)
    expect(reason).to_have_value("half a sentence")


def test_a_violation_from_the_inbox_to_its_step_and_done(site: Site, page: Page) -> None:
    trace = new_trace()
    site.governed.send(tool_span(trace, 1, "purge_orders", {"count": 4321}, agent="janitor"))
    page.goto("/traces")
    page.get_by_role("link", name=re.compile("Violations")).click()
    row = page.locator("tbody tr", has_text="4,321 rows")
    expect(row).to_be_visible()
    row.locator("a[data-row]").click()
    expect(page.get_by_text("purge_orders would touch 4,321 rows").first).to_be_visible()
    page.locator(f"a[href^='/traces/{trace}?']").first.click()
    expect(page).to_have_url(re.compile(f"/traces/{trace}"))
    panel = page.locator("#panel")
    expect(panel).to_contain_text("purge_orders would touch 4,321 rows")
    expect(panel).to_contain_text("span.affected_rows")
    panel.get_by_text("Acknowledge or resolve").click()
    panel.get_by_label("Note").fill("It was the yearly clean-up")
    panel.get_by_role("button", name="Resolve").click()
    expect(page.locator("#panel")).to_contain_text("It was the yearly clean-up")
    page.goto("/violations?status=open")
    expect(page.locator("tbody tr", has_text="4,321 rows")).to_have_count(0)
    page.goto("/violations?status=resolved")
    expect(page.locator("tbody tr", has_text="4,321 rows")).to_have_count(1)


def test_several_violations_are_acknowledged_at_once(site: Site, page: Page) -> None:
    trace = new_trace()
    site.governed.send(*[tool_span(trace, n, "purge_orders", {"count": 900 + n}) for n in range(1, 4)])
    page.goto(f"/violations?trace={trace}")
    expect(page.locator("tbody tr")).to_have_count(3)
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("2 violations")).to_be_visible()
    page.goto(f"/violations?trace={trace}&status=acknowledged")
    expect(page.locator("tbody tr")).to_have_count(2)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_rule_from_its_words_to_its_verdicts(site: Site, visit: Visit, javascript: bool) -> None:
    trace = new_trace()
    site.governed.send(tool_span(trace, 1, "truncate_table", {"name": "orders"}))
    page = visit(site.server, site.people["governor"], javascript=javascript)
    page.goto("/constitution")
    page.get_by_role("link", name="No bulk deletes without a person").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No bulk deletes without a person")
    expect(page.get_by_text("span.affected_rows > params.max_rows").first).to_be_visible()
    page.locator(f"a[href^='/traces/{trace}?']").first.click()
    expect(page.locator("#panel")).to_contain_text("truncate_table")
    page.goto("/constitution/bulk-delete-prevention")
    page.locator("a[href^='/violations?rule=bulk-delete-prevention']").first.click()
    expect(page.locator("tbody tr", has_text="truncate_table").first).to_be_visible()


def test_the_navigation_counts_and_leads_there_by_keyboard(site: Site, page: Page) -> None:
    page.goto("/traces")
    for keys, address in (("gv", "/violations"), ("ga", "/approvals"), ("gc", "/constitution"), ("gt", "/traces")):
        for key in keys:
            page.keyboard.press(key)
        expect(page).to_have_url(re.compile(re.escape(site.server.url + address)))
        page.wait_for_load_state()  # a key that is pressed before the page is there goes nowhere
    expect(page.get_by_role("link", name=re.compile(r"Approvals.*\d"))).to_be_visible()
