"""The HTML pages: filter, query, view, page."""

from audittrail.web.pages import accounts, settings, traces

ROUTES = [*accounts.ROUTES, *settings.ROUTES, *traces.ROUTES]
