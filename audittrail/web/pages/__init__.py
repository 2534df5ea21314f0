"""The HTML pages: filter, query, view, page."""

from audittrail.web.pages import (
    accounts,
    activity,
    approvals,
    constitution,
    deletion,
    explain,
    overview,
    pending,
    reports,
    sessions,
    settings,
    traces,
    violations,
)

ROUTES = [
    *accounts.ROUTES,
    *settings.ROUTES,
    *activity.ROUTES,
    *overview.ROUTES,
    *traces.ROUTES,
    *sessions.ROUTES,
    *deletion.ROUTES,
    *violations.ROUTES,
    *approvals.ROUTES,
    *constitution.ROUTES,
    *explain.ROUTES,
    *reports.ROUTES,
    *pending.ROUTES,
]
