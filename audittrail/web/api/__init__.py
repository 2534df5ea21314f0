"""The JSON API. Lists are {"data": […], "next": cursor|null}; errors are problem+json (RFC 9457)."""

from audittrail.web.api import (
    ablations,
    accounts,
    activity,
    analytics,
    approvals,
    check,
    ingest,
    keys,
    metrics,
    operations,
    otlp,
    projects,
    reports,
    rules,
    traces,
    violations,
)

ROUTES = [
    *otlp.ROUTES,
    *ingest.ROUTES,
    *operations.ROUTES,
    *metrics.ROUTES,
    *traces.ROUTES,
    *analytics.ROUTES,
    *check.ROUTES,
    *approvals.ROUTES,
    *violations.ROUTES,
    *rules.ROUTES,
    *ablations.ROUTES,
    *reports.ROUTES,
    *accounts.ROUTES,
    *projects.ROUTES,
    *keys.ROUTES,
    *activity.ROUTES,
]
