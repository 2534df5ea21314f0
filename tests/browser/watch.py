"""Whatever a page complains about while a test uses it."""

from __future__ import annotations

import re

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

# What the policy forbids is reported by an event; the console shows it as well, but not in every case.
_POLICY = """
addEventListener("securitypolicyviolation", (e) => {
  console.error("policy violated:", e.effectiveDirective, e.blockedURI, e.sourceFile, e.lineNumber, e.sample);
});
"""


class Watch:
    """Console errors, exceptions, policy violations, dialogs, requests that failed, answers of 500 and above."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected: list[str] = []

    def expect(self, *patterns: str) -> None:
        """These are meant to happen; a test that expects something asserts elsewhere that it did."""
        self._expected += patterns

    def begin(self) -> None:
        """Forgets what was seen and expected: another test uses the same pages."""
        self._seen.clear()
        self._expected.clear()

    def over(self, page: Page) -> None:
        """Watches a page from now on."""
        page.add_init_script(_POLICY)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._seen.append(f"exception: {error}"))
        page.on("dialog", self._dialog)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def faults(self) -> list[str]:
        """What was seen and not expected."""
        return [line for line in self._seen if not any(re.search(p, line) for p in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._seen.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _dialog(self, dialog: Dialog) -> None:
        self._seen.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()

    def _failed(self, request: Request) -> None:
        # A navigation ends what the page before it was still asking for.
        if request.failure != "net::ERR_ABORTED":
            self._seen.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self._seen.append(f"answer {response.status}: {response.request.method} {response.url}")
