"""Every page that a person can come to, each with who sees it there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from audittrail.web.views.links import session_path
from tests.browser import traces
from tests.browser.conftest import Visit
from tests.browser.site import Site, setup_link
from tests.browser.traces import BREAKOUT, IMAGE, SCRIPT
from tests.browser.watch import Watch

# A page: opened with the options that `visit` takes.
Open = Callable[[Site, Visit, Watch, dict[str, object]], Page]
TABS = ("conversation", "io", "attributes", "record")


def at(path: str | Callable[[Site], str], who: str = "owner", status: int = 200) -> Open:
    """A page that has an address."""

    def open_it(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
        if status >= 400:
            watch.expect(f"status of {status}")
        page = visit(site.server, site.people[who], **options)
        answer = page.goto(path if isinstance(path, str) else path(site), wait_until="load")
        assert answer is not None and answer.status == status, f"{answer and answer.status} for {page.url}"
        return page

    return open_it


def the_setup(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The form for the first account."""
    page = visit(site.fresh, **options)
    page.goto(setup_link(site.fresh), wait_until="load")
    expect(page.get_by_role("heading", level=1)).to_have_text("Make the first account")
    return page


def setup_refused(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The same form after a password that is too short."""
    watch.expect("status of 422")
    page = the_setup(site, visit, watch, options)
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Name", exact=True).fill("Ann")
    page.get_by_label("Password").fill("passwordpassword")
    page.get_by_label("First project").fill("shop")
    page.get_by_role("button", name="Make the account").click()
    expect(page.locator("[aria-invalid]")).to_have_count(1)
    return page


def login_before_setup(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """Signing in where nobody has an account."""
    page = visit(site.fresh, **options)
    page.goto("/login", wait_until="load")
    return page


def login_refused(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """After a wrong password."""
    watch.expect("status of 422")
    page = visit(site.server, **options)
    page.goto("/login")
    page.get_by_label("E-mail").fill("colleague@example.org")
    page.get_by_label("Password").fill("not the right words")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


def key_made(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The answer that shows a key's secret; of the empty project, so that the other's list does not grow."""
    page = visit(site.server, site.people["empty"], **options)
    page.goto("/settings/keys")
    page.get_by_label("Name", exact=True).fill("looked at")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", name="Copy the secret now")).to_be_visible()
    return page


def member_invited(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The answer that shows an invitation's link."""
    page = visit(site.server, site.people["empty"], **options)
    page.goto("/settings/members")
    page.get_by_label("E-mail").fill("invited@example.org")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Send this link")).to_be_visible()
    return page


def with_menu(name: str) -> Open:
    """The list of traces with one of the rail's menus open."""

    def open_it(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
        page = at("/traces?q=ping+1")(site, visit, watch, options)
        page.locator(f"details.{name} > summary").click()
        expect(page.locator(f"details.{name} .float")).to_be_visible()
        return page

    return open_it


def with_more(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The overview on a phone, with the places that its bar has no room for."""
    page = at("/", "governor")(site, visit, watch, options)
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator("details.more-places > summary").click()
    expect(page.locator("details.more-places .float")).to_be_visible()
    return page


def with_table(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The overview with the table behind a chart."""
    page = at("/?range=30d")(site, visit, watch, options)
    page.locator("#chart-latency summary").click()
    expect(page.locator("#chart-latency table")).to_be_visible()
    return page


def with_help(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The list of traces with the keyboard's dialog open."""
    page = at("/traces?q=ping+1")(site, visit, watch, options)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


def denied_without_a_reason(site: Site, visit: Visit, watch: Watch, options: dict[str, object]) -> Page:
    """The answer to a denial that says nothing."""
    watch.expect("status of 422")
    page = at(lambda site: f"/approvals/{site.governed.approval['waiting']}", "governor")(site, visit, watch, options)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert").filter(has_text="Say why it is denied")).to_be_visible()
    return page


PLACES: dict[str, Open] = {
    "login": at("/login", "stranger"),
    "login-refused": login_refused,
    "login-before-setup": login_before_setup,
    "setup": the_setup,
    "setup-refused": setup_refused,
    "setup-link-wrong": at("/setup?token=wrong", "stranger", 404),
    "invite": at(lambda site: site.invitation, "stranger"),
    "invite-wrong": at("/invite/wrong", "stranger", 404),
    "overview": at("/"),
    "overview-governed": at("/?range=1h", "governor"),
    "overview-table": with_table,
    "overview-more-menu": with_more,
    "overview-empty-project": at("/", "empty"),
    "overview-range-unknown": at("/?range=2h", status=400),
    "sessions": at("/sessions"),
    "sessions-none-ever": at("/sessions", "governor"),
    "sessions-range-unknown": at("/sessions?range=2h", status=400),
    "session": at("/sessions/sess-weather"),
    "session-hostile": at(session_path(SCRIPT + IMAGE + BREAKOUT)),
    "session-long": at(session_path("s" * 200)),
    "session-rtl": at(session_path("جلسة")),
    "session-unknown": at("/sessions/nobody-called-it-so", status=404),
    "agents": at("/agents"),
    "agents-none-ever": at("/agents", "empty"),
    "agents-governed": at("/agents?range=7d", "governor"),
    "traces": at("/traces"),
    "traces-by-tool-and-model": at("/traces?tool=get_forecast&model=gpt-4.1-mini&range=24h"),
    "traces-filtered": at("/traces?q=tool&status=error&agent=refund-agent&range=24h"),
    "traces-empty-project": at("/traces", "empty"),
    "traces-no-match": at("/traces?q=nothing-is-called-so&range=1h"),
    "traces-query-error": at("/traces?q=status:wrong", status=400),
    "traces-project-menu": with_menu("project"),
    "traces-person-menu": with_menu("person"),
    "traces-help": with_help,
    "trace-small": at(lambda site: site.trace("small")),
    "trace-broken": at(lambda site: site.trace("broken")),
    "trace-broken-conversation": at(lambda site: site.trace("broken", span=6, tab="conversation")),
    "trace-broken-io": at(lambda site: site.trace("broken", span=3, tab="io")),
    "trace-broken-attributes": at(lambda site: site.trace("broken", span=4, tab="attributes")),
    "trace-broken-record": at(lambda site: site.trace("broken", span=4, tab="record")),
    "trace-broken-closed": at(lambda site: site.trace("broken", span="none")),
    "trace-errors-only": at(lambda site: site.trace("broken", only="errors")),
    "trace-nothing-found": at(lambda site: site.trace("broken", find="nothing-is-called-so")),
    "trace-unknown-span": at(lambda site: site.trace("broken", span="ffffffffffffffff")),
    "trace-big": at(lambda site: site.trace("big")),
    "trace-long": at(lambda site: site.trace("long")),
    "trace-long-attributes": at(lambda site: site.trace("long", span=2, tab="attributes")),
    "trace-rtl": at(lambda site: site.trace("rtl")),
    "trace-hostile": at(lambda site: site.trace("hostile")),
    "trace-running": at(lambda site: site.trace("running")),
    **{
        f"trace-graph-{name}": at(lambda site, name=name: site.trace(name, view="graph"))  # type: ignore[misc]
        for name in ("small", "broken", "big", "long", "rtl", "hostile", "running")
    },
    "trace-graph-closed": at(lambda site: site.trace("broken", view="graph", span="none", edges="calls,feeds")),
    "trace-graph-no-edges": at(lambda site: site.trace("broken", view="graph", edges="none")),
    "trace-graph-unfolded": at(lambda site: site.trace("big", view="graph", open=traces.span_id(1))),
    "trace-flow": at(lambda site: site.trace("broken", view="flow")),
    "trace-flow-tokens": at(lambda site: site.trace("hostile", view="flow", measure="tokens")),
    "trace-flow-time": at(lambda site: site.trace("big", view="flow", measure="time", span="none")),
    "trace-flow-of-nothing": at(lambda site: site.trace("long", view="flow")),
    "trace-summary": at(lambda site: site.trace("broken", view="summary")),
    "trace-summary-long": at(lambda site: site.trace("long", view="summary", span="none")),
    "trace-summary-hostile": at(lambda site: site.trace("hostile", view="summary")),
    "trace-summary-violated": at(lambda site: f"{site.governed.trace}?view=summary", "governor"),
    "trace-verdicts": at(lambda site: f"{site.governed.trace}?view=verdicts", "governor"),
    "trace-verdicts-none": at(lambda site: site.trace("rtl", view="verdicts", span="none")),
    "trace-graph-violated": at(lambda site: f"{site.governed.trace}?view=graph", "governor"),
    "trace-raw": at(lambda site: site.trace("hostile", view="raw")),
    "trace-raw-big": at(lambda site: site.trace("big", view="raw", span="none")),
    "trace-violated": at(lambda site: site.governed.trace, "governor"),
    "trace-violated-verdicts": at(lambda site: f"{site.governed.trace}?span={1:016x}&tab=verdicts", "governor"),
    "trace-violated-hostile": at(lambda site: f"{site.governed.trace}?span={2:016x}&tab=verdicts", "governor"),
    "violations": at("/violations", "governor"),
    "violations-open": at("/violations?status=open&outcome=violation", "governor"),
    "violations-of-a-viewer": at("/violations?rule=no-gossip", "onlooker"),
    "violations-none-ever": at("/violations", "empty"),
    "violations-no-match": at("/violations?q=nothing-is-called-so&range=1h", "governor"),
    "violations-query-error": at("/violations?q=status:wrong", "governor", 400),
    "violation": at(lambda site: f"/violations/{site.governed.violation['deleted']}", "governor"),
    "violation-hostile": at(lambda site: f"/violations/{site.governed.violation['hostile']}", "governor"),
    "violation-long-of-a-viewer": at(lambda site: f"/violations/{site.governed.violation['long']}", "onlooker"),
    "explain": at("/explain", "governor"),
    "explain-none-ever": at("/explain"),
    "explain-a-trace": at(lambda site: f"/explain?trace={site.governed.trace.rpartition('/')[2]}", "governor"),
    "explained": at(lambda site: f"/explain/{site.governed.ablation['deleted']}", "governor"),
    "explained-hostile": at(lambda site: f"/explain/{site.governed.ablation['hostile']}", "governor"),
    "explained-absent": at(lambda site: f"/explain/{site.governed.ablation['absent']}", "governor"),
    "reports": at("/reports", "governor"),
    "reports-none-ever": at("/reports", "empty"),
    "reports-of-a-trace": at(lambda site: f"/reports?trace={site.governed.trace.rpartition('/')[2]}", "onlooker"),
    "report-audit": at(lambda site: f"/reports/{site.governed.report['audit']}", "governor"),
    "report-trace": at(lambda site: f"/reports/{site.governed.report['trace']}", "onlooker"),
    "report-hostile": at(lambda site: f"/reports/{site.governed.report['hostile']}", "governor"),
    "report-unknown": at("/reports/rep_" + "0" * 32, "governor", 404),
    "approvals": at("/approvals", "governor"),
    "approvals-denied": at("/approvals?status=denied", "governor"),
    "approvals-of-a-viewer": at("/approvals", "onlooker"),
    "approvals-none-ever": at("/approvals", "empty"),
    "approval": at(lambda site: f"/approvals/{site.governed.approval['waiting']}", "governor"),
    "approval-hostile": at(lambda site: f"/approvals/{site.governed.approval['hostile']}", "governor"),
    "approval-long-of-a-viewer": at(lambda site: f"/approvals/{site.governed.approval['long']}", "onlooker"),
    "approval-denied": at(lambda site: f"/approvals/{site.governed.approval['denied']}", "governor"),
    "approval-used": at(lambda site: f"/approvals/{site.governed.approval['approved']}", "governor"),
    "approval-denied-without-a-reason": denied_without_a_reason,
    "constitution": at("/constitution", "governor"),
    "constitution-of-nothing-judged": at("/constitution", "empty"),
    "rule": at("/constitution/bulk-delete-prevention", "governor"),
    "rule-observed": at("/constitution/no-gossip", "onlooker"),
    "settings-profile": at("/settings"),
    "settings-project": at("/settings/project"),
    "settings-members": at("/settings/members"),
    "settings-members-of-a-viewer": at("/settings/members", "viewer"),
    "settings-member-invited": member_invited,
    "settings-keys": at("/settings/keys"),
    "settings-keys-none": at("/settings/keys", "viewer"),
    "settings-key-made": key_made,
    "settings-ingest": at("/settings/ingest"),
    "settings-activity": at("/settings/activity"),
    "settings-activity-governed": at("/settings/activity?limit=100", "governor"),
    "settings-activity-no-match": at("/settings/activity?actor=nobody-is-called-so"),
    "settings-activity-of-a-viewer": at("/settings/activity", "viewer"),
    "settings-activity-query-error": at("/settings/activity?action=wrong", status=400),
    "settings-data": at("/settings/data"),
    "settings-data-of-a-viewer": at("/settings/data", "viewer"),
    "trace-delete": at(lambda site: site.trace("hostile").partition("?")[0] + "/delete"),
    "session-delete": at(session_path(SCRIPT + IMAGE + BREAKOUT) + "/delete"),
    "trace-delete-of-a-viewer": at(lambda site: site.trace("small").partition("?")[0] + "/delete", "viewer", 403),
    "problem-403": at("/traces", "nobody", 403),
    "problem-404": at("/traces/" + "0" * 32, "owner", 404),
    "problem-404-stranger": at("/nothing-here", "stranger", 404),
}

every_place = pytest.mark.parametrize("name", list(PLACES))
