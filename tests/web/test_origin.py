"""Which requests a browser's headers let through, and where a form may lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Request
from litestar.testing import RequestFactory

from audittrail.model.errors import Forbidden
from audittrail.web.auth import check_origin
from audittrail.web.forms import local_path


def request(**headers: str) -> Request:  # type: ignore[type-arg]
    return RequestFactory().post("/", headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin", "origin": "https://proxy-hid-the-host.example"},
        {"origin": "https://audit.example", "host": "audit.example"},
        {"origin": "http://AUDIT.example:8000", "host": "audit.example:8000"},
        {"origin": "http://[::1]:8000", "host": "[::1]:8000"},
    ],
)
def test_what_ones_own_page_or_a_program_sends_passes(headers: dict[str, str]):
    assert check_origin(request(**headers)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "something-new"},
        {"sec_fetch_site": "cross-site", "origin": "https://audit.example", "host": "audit.example"},
        {"origin": "https://evil.example", "host": "audit.example"},
        {"origin": "https://audit.example:8443", "host": "audit.example"},
        {"origin": "https://audit.example.evil.example", "host": "audit.example"},
        {"origin": "null", "host": "audit.example"},
        {"origin": "null", "host": ""},
        {"origin": "audit.example", "host": "audit.example"},
        {"origin": "https://[", "host": "audit.example"},
    ],
)
def test_what_another_sites_page_sends_is_refused(headers: dict[str, str]):
    with pytest.raises(Forbidden):
        check_origin(request(**headers))


@pytest.mark.parametrize("path", ["/", "/traces", "/traces?q=a%20b&after=x", "/settings/keys#new", "/tracé"])
def test_a_path_of_this_server_is_kept(path: str):
    assert local_path(path) == path


@given(st.text(max_size=30) | st.text(alphabet="/\\:\t\n.@ ahtps%25C", max_size=30))
def test_no_text_leads_to_another_server(text: str):
    kept = local_path(text)
    # As the URL standard reads a relative reference: tabs and line ends go, a backslash is a slash.
    read = "".join(c for c in kept if c not in "\t\r\n").replace("\\", "/")
    assert read.startswith("/") and not read.startswith("//")
