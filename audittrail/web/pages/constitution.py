"""The rules."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from audittrail.model.errors import NotFound
from audittrail.model.violation import RuleCount, ViolationFilter
from audittrail.runtime import Runtime
from audittrail.store import verdicts as verdict_store
from audittrail.web.auth import require_project, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page
from audittrail.web.views.constitution import ConstitutionView, RuleLine, RuleView

RECENT = 10
_Request = Request[Any, Any, Any]


@get("/constitution", include_in_schema=False)
async def constitution(request: _Request, runtime: Runtime) -> Response[str]:
    """All rules in force, and what is wrong with the files."""
    who = await viewer(request, runtime)
    member = require_project(who)
    state = runtime.constitution
    async with runtime.db.read() as conn:
        counts = await verdict_store.counts(conn, member.project.id)
        open_ = await verdict_store.open_by_rule(conn, member.project.id)
    lines = [RuleLine(r, counts.get(r.id) or RuleCount(r.id), open_.get(r.id, 0)) for r in state.rules.rules]
    view = ConstitutionView(
        lines=tuple(lines),
        errors=state.errors,
        loaded=state.loaded,
        hash=state.rules.hash,
        folder=str(runtime.settings.rules_dir or ""),
        can_see_files=member.role == "owner" or who.is_admin,
    )
    return page(request, "pages/constitution.html", view, chrome_of(request, runtime, who))


@get("/constitution/{rule_id:str}", include_in_schema=False)
async def rule(request: _Request, runtime: Runtime, rule_id: str) -> Response[str]:
    """In words, as it was written, its tests, and what it found."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    found = runtime.constitution.rules.rule(rule_id)
    if found is None:
        raise NotFound("No rule of that id is in force. It may have been renamed or taken out.")
    async with runtime.db.read() as conn:
        counts = await verdict_store.counts(conn, project_id)
        want = ViolationFilter(rule=found.id, size=RECENT)
        recent = await verdict_store.list_violations(conn, project_id, want, runtime.now_us())
    view = RuleView(
        rule=found,
        counts=counts.get(found.id) or RuleCount(found.id),
        recent=recent.items,
        now_us=runtime.now_us(),
    )
    return page(request, "pages/rule.html", view, chrome_of(request, runtime, who))


ROUTES = [constitution, rule]
