"""What every response tells the browser, whoever makes it."""

from __future__ import annotations

from urllib.parse import urlsplit

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # Off: the filter that it switched is gone from browsers, and in old ones it was a hole of its own (OWASP).
    ("x-xss-protection", "0"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)
_A_YEAR = ("strict-transport-security", "max-age=31536000")


def security_headers(base_url: str) -> list[tuple[str, str]]:
    """Of every response, for a server that people reach at this address."""
    address = urlsplit(base_url)
    # Browsers would keep it for every port of localhost, where other programs speak HTTP.
    if address.scheme == "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
        return [*_HEADERS, _A_YEAR]
    return list(_HEADERS)
