"""A report made, looked at, downloaded and deleted, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import Site


def test_a_report_is_made_looked_at_downloaded_and_deleted(site: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit(site.server, site.people["governor"])
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile("/reports$"))
    page.get_by_label("Title").fill("What we found")
    page.get_by_role("button", name="Make the report").click()
    expect(page).to_have_url(re.compile("/reports/rep_"))
    expect(page.get_by_role("heading", level=1)).to_have_text("What we found")
    preview = page.locator(".sheet-of")
    expect(preview).to_contain_text("Violations, newest first", timeout=30_000)
    expect(preview).to_contain_text("bulk-delete-prevention")
    with page.expect_download() as got:
        page.get_by_role("link", name="Download PDF").click()
    assert re.fullmatch(r"audit-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.pdf", got.value.suggested_filename)
    got.value.save_as(tmp_path / "made.pdf")
    assert (tmp_path / "made.pdf").read_bytes().startswith(b"%PDF-")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/reports$"))
    expect(page.locator("#made")).not_to_contain_text("What we found")


def test_a_trace_has_its_sheet_without_scripts(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["onlooker"], javascript=False)
    page.goto(site.governed.trace)
    page.get_by_role("button", name="Report").click()
    expect(page).to_have_url(re.compile("/reports/rep_"))
    page.reload()
    expect(page.locator(".sheet-of")).to_contain_text("SHA-256 of the record")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
