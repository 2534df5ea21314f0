"""A rule as it was written, checked; and a set of them with its hash."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Literal, get_args

import msgspec

from audittrail.constitution.canonical import canonical
from audittrail.model.span import Span
from audittrail.model.summary import TraceRow
from audittrail.model.verdict import Action, Approval, Effect, Mode, Outcome, Severity, Stage

Scope = Literal["span", "trace"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Match(msgspec.Struct, frozen=True, gc=False):
    """The cheap filter before any condition: each list that is not empty must hold the span's value.

    `kind` and `status` are exact; the others are globs (`delete_*`) without regard to case.
    """

    kind: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()


class Example(msgspec.Struct, frozen=True):
    """One of a rule's own tests: what is judged, at which stage, and the outcome it must have."""

    subject: Span | TraceRow | Action
    stage: Stage
    expect: Outcome
    name: str = ""
    line: int = 0
    column: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule file. `version` is the SHA-256 of its content: comments and layout do not change it, all else does."""

    id: str
    title: str
    description: str = ""
    severity: Severity
    stages: tuple[Stage, ...]
    scope: Scope
    match: Match = Match()
    params: dict[str, Any] = {}  # bool, int, float, str, or a tuple of str
    when: str
    effect: Effect
    approval: Approval | None = None
    mode: Mode = "enforce"
    message: str
    controls: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tests: tuple[Example, ...] = ()
    version: str
    file: str = ""
    source: str = ""  # the file's text, to be shown

    @property
    def outcome(self) -> Outcome:
        """What a verdict says where the condition holds."""
        return "violation" if self.effect in ("deny", "require_approval") else "warning"


def version_of(content: Any) -> str:
    """The hash of a rule's content, whatever order its keys were written in."""
    return hashlib.sha256(canonical(content)).hexdigest()


def set_hash(rules: tuple[Rule, ...]) -> str:
    """The hash of a set: of its rules' ids and versions, in order."""
    return hashlib.sha256(canonical([[rule.id, rule.version] for rule in rules])).hexdigest()


ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
