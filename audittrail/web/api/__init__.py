"""The JSON API. Lists are {"data": […], "next": cursor|null}; errors are problem+json (RFC 9457)."""

from audittrail.web.api import accounts, ingest, keys, operations, otlp, projects, traces

ROUTES = [
    *otlp.ROUTES,
    *ingest.ROUTES,
    *operations.ROUTES,
    *traces.ROUTES,
    *accounts.ROUTES,
    *projects.ROUTES,
    *keys.ROUTES,
]
