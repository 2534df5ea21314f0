"""The JSON API. Lists are {"data": […], "next": cursor|null}; errors are problem+json (RFC 9457)."""

from audittrail.web.api import accounts, keys, operations, otlp, projects, traces

ROUTES = [*otlp.ROUTES, *operations.ROUTES, *traces.ROUTES, *accounts.ROUTES, *projects.ROUTES, *keys.ROUTES]
