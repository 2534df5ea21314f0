"""The HTML pages: filter, query, view, page."""

from audittrail.web.pages import (
    accounts,
    approvals,
    constitution,
    deletion,
    explain,
    overview,
    pending,
    sessions,
    settings,
    traces,
    violations,
)

ROUTES = [
    *accounts.ROUTES,
    *settings.ROUTES,
    *overview.ROUTES,
    *traces.ROUTES,
    *sessions.ROUTES,
    *deletion.ROUTES,
    *violations.ROUTES,
    *approvals.ROUTES,
    *constitution.ROUTES,
    *explain.ROUTES,
    *pending.ROUTES,
]
