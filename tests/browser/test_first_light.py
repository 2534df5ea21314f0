"""From an empty server to the first own trace on the screen, as a person does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.site import PASSWORD, setup_link, until, without_accounts
from tests.live import Server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has an account on."""
    with without_accounts(tmp_path / "server") as server:
        yield server
    for unwanted in ("Unexpected error", "Traceback", PASSWORD, "sk-at-"):
        assert unwanted not in server.log


def send(server: Server, secret: str) -> None:
    """One run of an agent that meets a failing tool, by the stock SDK."""
    session = requests.Session()
    session.trust_env = False  # a proxy of the developer's own machine
    exporter = OTLPSpanExporter(
        endpoint=f"{server.url}/v1/traces", headers={"Authorization": f"Bearer {secret}"}, session=session
    )
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    asked = '[{"role": "user", "parts": [{"type": "text", "content": "Pay my order, please."}]}]'
    answered = '[{"role": "assistant", "parts": [{"type": "text", "content": "The bank says no."}]}]'
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "cashier"}
    with tracer.start_as_current_span("invoke_agent cashier", attributes=agent) as root:
        root.set_attributes({"gen_ai.input.messages": asked, "gen_ai.output.messages": answered})
        chat = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4.1-mini",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 321,
            "gen_ai.usage.output_tokens": 45,
            "gen_ai.input.messages": asked,
            "gen_ai.output.messages": answered,
        }
        with tracer.start_as_current_span("chat gpt-4.1-mini", attributes=chat):
            pass
        tool = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "charge_card",
            "gen_ai.tool.call.arguments": '{"amount": 79.9, "currency": "EUR"}',
        }
        with tracer.start_as_current_span("execute_tool charge_card", attributes=tool) as failing:
            failing.record_exception(TimeoutError("the bank did not answer"))
            failing.set_status(Status(StatusCode.ERROR, "the bank did not answer"))
        with tracer.start_as_current_span("chat gpt-4.1-mini", attributes=chat):
            pass
        root.set_status(Status(StatusCode.ERROR, "not paid"))
    provider.shutdown()


def row(page: Page, name: str) -> str:
    """The text of the trace's line, or nothing."""
    found = page.locator("tbody tr", has_text=name)
    return found.inner_text() if found.count() else ""


def test_from_nothing_to_the_step_that_failed(fresh: Server, visit: Visit) -> None:
    page = visit(fresh)
    page.goto("/")
    expect(page).to_have_url(re.compile("/login"))
    expect(page.locator("main")).to_contain_text("setup link")

    # The first account
    page.goto(setup_link(fresh))
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Name", exact=True).fill("Ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("First project").fill("web shop")
    page.get_by_role("button", name="Make the account").click()

    # An empty project says how to begin
    expect(page).to_have_url(f"{fresh.url}/")
    main = page.locator("main")
    expect(main).to_contain_text("Nothing has arrived in this project yet")
    expect(main).to_contain_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={fresh.url}")
    expect(page.locator(".rail")).to_contain_text("web shop")
    assert f"{fresh.url}/v1/traces" in (page.locator("details", has_text="curl").text_content() or "")

    # A key
    page.get_by_role("link", name="Make a key").click()
    expect(page).to_have_url(re.compile("/settings/keys$"))
    page.get_by_label("Name", exact=True).fill("cashier")
    page.get_by_role("button", name="Make the key").click()
    once = page.get_by_role("region", name="New key")
    secret = once.locator(".secret code").inner_text().strip()
    assert re.fullmatch(r"sk-at-\S{20,}", secret)
    expect(once).to_contain_text(f"Authorization=Bearer%20{secret}")
    page.goto("/settings/keys")
    expect(page.get_by_role("cell", name="cashier", exact=True)).to_be_visible()
    assert secret not in page.content()

    # A trace
    send(fresh, secret)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Traces").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    until(lambda: page.reload() and "not paid" in row(page, "cashier"))
    until(lambda: page.reload() and page.get_by_role("img", name="Error", exact=True).count() == 1)

    # Found by what it is, and not by what it is not
    def results(count: int) -> None:
        expect(page.locator("a.whole")).to_have_count(count)

    page.get_by_label("Status").select_option("error")
    expect(page).to_have_url(re.compile(r"\bstatus=error\b"))
    results(1)
    page.get_by_label("Agent").select_option("cashier")
    expect(page).to_have_url(re.compile(r"\bagent=cashier\b"))
    results(1)
    page.get_by_role("navigation", name="Time range").get_by_role("link", name="1h").click()
    expect(page).to_have_url(re.compile(r"\brange=1h\b"))
    results(1)
    page.get_by_label("Query").fill("charge_card")
    page.get_by_label("Query").press("Enter")
    expect(page).to_have_url(re.compile(r"\bq=charge_card\b"))
    results(1)
    assert all(part in page.url for part in ("status=error", "agent=cashier", "range=1h"))
    expect(page.get_by_role("list", name="Filters in force").get_by_role("listitem")).to_have_count(4)
    page.get_by_label("Status").select_option("ok")
    expect(page.get_by_role("heading", name="No trace matches")).to_be_visible()
    page.get_by_role("link", name="Clear all filters").click()
    expect(page).to_have_url(re.compile("/traces$"))
    results(1)

    # Two clicks from "something is wrong" to the step that is wrong: the first of them opens it
    page.locator("a.whole").click()
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", level=2)).to_have_text("execute_tool charge_card")
    expect(panel.locator(".note.error")).to_contain_text("the bank did not answer")
    expect(page.locator(".failure")).to_contain_text("charge_card")
    expect(page.locator(".waterfall a[data-row]")).to_have_count(4)
    expect(page.locator(".waterfall [aria-current]")).to_have_text("execute_tool charge_card")
    header = page.locator(".trace-head")
    expect(header).to_contain_text("Pay my order, please.")
    expect(header).to_contain_text("The bank says no.")
    expect(header).to_contain_text("642 → 90")

    # Its tabs
    expect(panel).to_contain_text("79.9")
    tabs = panel.get_by_role("navigation", name="Of this step")
    tabs.get_by_role("link", name="Attributes").click()
    expect(panel.get_by_role("table", name="Attributes", exact=True)).to_contain_text("gen_ai.tool.name")
    expect(panel).to_contain_text("service.name")
    expect(panel).to_contain_text("exception.message")
    tabs.get_by_role("link", name="Record").click()
    expect(panel.get_by_role("heading", name="Record")).to_be_visible()
    expect(panel.get_by_role("region", name="record")).to_contain_text("charge_card")

    # Another step
    page.locator(".waterfall a[data-row]").nth(1).click()
    expect(panel.get_by_role("heading", level=2)).to_have_text("chat gpt-4.1-mini")
    for tab, text in (
        ("Input/Output", "Pay my order"),
        ("Attributes", "gen_ai.usage.input_tokens"),
        ("Record", "gpt-4.1-mini"),
        ("Conversation", "The bank says no."),
    ):
        tabs.get_by_role("link", name=tab).click()
        expect(tabs.locator("[aria-current]")).to_have_text(tab)
        expect(panel).to_contain_text(text)

    # Out and in again
    page.locator("details.person > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("You are signed out")
    page.goto("/traces?status=error")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/traces\?status=error$"))
    results(1)
