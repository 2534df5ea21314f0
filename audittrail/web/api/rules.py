"""The rules in force."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get

from audittrail.constitution import Rule
from audittrail.model.verdict import Approval, Effect, Mode, Severity, Stage
from audittrail.model.violation import RuleCount
from audittrail.runtime import Runtime
from audittrail.store import verdicts as verdict_store
from audittrail.web.api.listing import Listing
from audittrail.web.auth import access

_Request = Request[Any, Any, Any]


class RuleInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, and how often it was judged in this project."""

    id: str
    title: str
    description: str
    severity: Severity
    stages: tuple[Stage, ...]
    scope: str
    when: str
    params: dict[str, Any]
    effect: Effect
    approval: Approval | None
    mode: Mode
    message: str
    controls: tuple[str, ...]
    tags: tuple[str, ...]
    tests: int
    version: str
    file: str
    source: str
    counts: RuleCount

    @classmethod
    def of(cls, rule: Rule, counts: RuleCount) -> RuleInForce:
        """With its counts."""
        shared = set(cls.__struct_fields__) & set(Rule.__struct_fields__) - {"tests"}
        return cls(**{name: getattr(rule, name) for name in shared}, tests=len(rule.tests), counts=counts)


@get("/api/v1/rules", tags=["govern"], summary="The rules in force, in the order of their files")
async def list_rules(request: _Request, runtime: Runtime) -> Listing[RuleInForce]:
    """All of them."""
    who = await access(request, runtime)
    async with runtime.db.read() as conn:
        counts = await verdict_store.counts(conn, who.project_id)
    rules = runtime.constitution.rules.rules
    return Listing([RuleInForce.of(rule, counts.get(rule.id) or RuleCount(rule.id)) for rule in rules])


ROUTES = [list_rules]
