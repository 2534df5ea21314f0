"""Views of the rules: all of them, and one."""

from __future__ import annotations

import msgspec

from audittrail.constitution import Rule, RuleError
from audittrail.model import human
from audittrail.model.violation import RuleCount, Violation
from audittrail.web.views.outline import compact
from audittrail.web.views.violations import Seen, step_href

KIND_WORDS = {
    "llm": "model calls",
    "tool": "tool calls",
    "retriever": "retrievals",
    "embedding": "embeddings",
    "reranker": "rerankings",
    "guardrail": "guardrails",
    "agent": "agents",
    "chain": "chains",
}
EFFECT_WORDS = {
    "deny": "Denies",
    "require_approval": "Asks a person",
    "warn": "Warns",
    "log": "Logs",
}


def when_words(rule: Rule) -> str:
    """What is judged, and when: `Tool calls, before the action and after it was recorded`."""
    stages = {"before": "before the action", "after": "after it was recorded"}
    what = ["every trace" if rule.scope == "trace" else "every step"]
    if rule.match.kind:
        what = [KIND_WORDS.get(kind, f"{kind} steps") for kind in rule.match.kind]
    narrowed = [
        f"{name} {human.listed(values, 'or')}"
        for name in ("status", "name", "tool", "agent", "model", "provider")
        if (values := getattr(rule.match, name))
    ]
    words = human.listed(what) + (f" with {', '.join(narrowed)}" if narrowed else "")
    return f"{words[0].upper()}{words[1:]}, {human.listed([stages[stage] for stage in rule.stages])}"


def effect_words(rule: Rule) -> str:
    """What it does: `Asks a person, who has 5 min; then it is denied`."""
    words = EFFECT_WORDS[rule.effect]
    if rule.approval is not None and rule.effect == "require_approval":
        then = "denied" if rule.approval.on_timeout == "deny" else "allowed"
        words += f", who has {human.duration(rule.approval.timeout * 1_000_000)}; after that it is {then}"
    return f"{words}; only observes, blocks nothing" if rule.mode == "observe" else words


class RuleLine(msgspec.Struct, frozen=True):
    """A rule in the list."""

    rule: Rule
    counts: RuleCount
    open: int  # its open violations, warnings and errors; counted no further than 100

    @property
    def when(self) -> str:
        """What is judged, and when."""
        return when_words(self.rule)

    @property
    def effect(self) -> str:
        """What it does."""
        return effect_words(self.rule)


class ConstitutionView(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force. Template: pages/constitution.html (GET /constitution)."""

    lines: tuple[RuleLine, ...]
    errors: tuple[RuleError, ...]  # why the files as they are now are not in force
    loaded: bool  # False: no set was ever good, so every check is denied
    hash: str  # of the set
    folder: str  # where the files are, or "" for those that come with AuditTrail
    can_see_files: bool  # whether the messages of errors and the folder may be shown: to owners and administrators


class RuleTest(msgspec.Struct, frozen=True):
    """One of the rule's own tests."""

    name: str
    stage: str
    expect: str
    line: int


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Template: pages/rule.html (GET /constitution/{rule_id})."""

    rule: Rule
    counts: RuleCount
    recent: tuple[Violation, ...]  # what it found last
    now_us: int

    @property
    def when(self) -> str:
        """What is judged, and when."""
        return when_words(self.rule)

    @property
    def effect(self) -> str:
        """What it does."""
        return effect_words(self.rule)

    @property
    def params(self) -> tuple[Seen, ...]:
        """Its parameters."""
        return tuple(Seen(name, compact(value)) for name, value in self.rule.params.items())

    @property
    def tests(self) -> tuple[RuleTest, ...]:
        """Its own tests, all of which held when it was loaded."""
        return tuple(
            RuleTest(
                one.name or f"{type(one.subject).__name__.removesuffix('Row').lower()} {i}",
                one.stage,
                one.expect,
                one.line,
            )
            for i, one in enumerate(self.rule.tests, 1)
        )

    def step(self, one: Violation) -> str:
        """Where the step is."""
        return step_href(one)
