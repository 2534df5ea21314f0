"""The HTML pages: filter, query, view, page."""

from audittrail.web.pages import accounts, approvals, constitution, pending, settings, traces, violations

ROUTES = [
    *accounts.ROUTES,
    *settings.ROUTES,
    *traces.ROUTES,
    *violations.ROUTES,
    *approvals.ROUTES,
    *constitution.ROUTES,
    *pending.ROUTES,
]
