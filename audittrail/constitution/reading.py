"""One rule file's text, read into a rule that is ready to judge, or into everything that is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from audittrail.constitution.condition import ConditionError, Language
from audittrail.constitution.document import Node, parse
from audittrail.constitution.engine import try_rule
from audittrail.constitution.faults import Fault, RuleError, quoted
from audittrail.constitution.form import Form
from audittrail.constitution.message import mistakes, names, spelled
from audittrail.constitution.rule import ID, SCOPES, Example, Match, Rule, Scope, version_of
from audittrail.constitution.ruleset import Ready, params_of
from audittrail.constitution.specimen import action, action_of, span, trace
from audittrail.constitution.vocabulary import BY_SCOPE
from audittrail.model.span import KINDS, STATUSES, Span
from audittrail.model.verdict import EFFECTS, MODES, OUTCOMES, SEVERITIES, STAGES, Approval, Stage

KEYS = [
    "id",
    "title",
    "description",
    "severity",
    "stages",
    "scope",
    "match",
    "params",
    "when",
    "effect",
    "approval",
    "mode",
    "message",
    "controls",
    "tests",
    "tags",
]
REQUIRED = ["id", "title", "severity", "stages", "when", "effect", "message", "tests"]
MATCH_KEYS: dict[Scope, list[str]] = {
    "span": ["kind", "status", "name", "tool", "agent", "model", "provider"],
    "trace": ["status", "name", "agent"],
}
MAX_PARAMS, MAX_TESTS, MAX_LIST = 50, 100, 200
MAX_TIMEOUT = 604_800  # a week

_PARAM = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "true",
        "false",
        "null",
        "var",
        "void",
        "while",
    ]
)


def read_rule(file: str, text: str, index: int) -> Ready | list[RuleError]:
    """`index` is the rule's place in its set: it keeps the parameters of rules apart."""
    faults: list[Fault] = []
    try:
        node = parse(text)
        ready = _Reader(node, faults, file, text).read(index)
    except Fault as fault:
        return [RuleError(file, fault.line, fault.column, fault.message)]
    if ready is not None and not faults:
        return ready
    rule_id = node.value.get("id") if isinstance(node.value, dict) else None
    name = quoted(rule_id.value) if rule_id is not None and isinstance(rule_id.value, str) else ""
    ordered = sorted(faults, key=lambda fault: (fault.line, fault.column))
    return [RuleError(file, fault.line, fault.column, fault.message, name) for fault in ordered]


class _Reader:
    def __init__(self, node: Node, faults: list[Fault], file: str, text: str) -> None:
        self.form = Form(node, faults, KEYS)
        self.node, self.faults, self.file, self.text = node, faults, file, text

    def read(self, index: int) -> Ready | None:
        form = self.form
        form.require(*REQUIRED)
        rule_id = form.text("id", 64)
        if rule_id and not ID.fullmatch(rule_id):
            form.fault(form.fields["id"], '"id" is lower-case words joined by hyphens, such as no-bulk-deletes')
        scope = form.choice("scope", SCOPES, "span")
        stages = form.choices("stages", STAGES)
        effect = form.choice("effect", EFFECTS, "warn")
        params = self._params()
        when, message = form.text("when", 20_000), form.text("message", 1_000)
        self._check_message(message, scope, params)
        rule = Rule(
            id=rule_id,
            title=form.text("title", 120),
            description=form.text("description", 4_000),
            severity=form.choice("severity", SEVERITIES, "info"),
            stages=stages,
            scope=scope,
            match=self._match(scope),
            params=params,
            when=when,
            effect=effect,
            approval=self._approval(effect),
            mode=form.choice("mode", MODES, "enforce"),
            message=message,
            controls=form.texts("controls", 80),
            tags=form.texts("tags", 40),
            tests=self._tests(scope, stages),
            version=version_of(self.node.plain()) if not self.faults else "",
            file=self.file,
            source=self.text,
        )
        if not when:
            return None
        try:
            condition = Language(scope).compile(when, params, index)
        except ConditionError as error:
            self.faults.append(self._within(form.fields["when"], error))
            return None
        if self.faults:
            return None
        ready = Ready(rule, condition, index)
        self._check_use(ready)
        self._run_tests(ready)
        return ready

    def _params(self) -> dict[str, Any]:
        form = self.form
        if not form.has("params"):
            return {}
        node = form.fields["params"]
        if not isinstance(node.value, dict):
            form.fault(node, f'"params" is a mapping of names to values, not {node.kind}')
            return {}
        if len(node.value) > MAX_PARAMS:
            form.fault(node, f'"params" holds more than {MAX_PARAMS} values')
        found: dict[str, Any] = {}
        for name, value in node.value.items():
            if not _PARAM.fullmatch(name) or name in _RESERVED:
                form.fault(node.keys[name], f'"{quoted(name)}" cannot name a parameter; use a-z, 0-9 and _')
            elif _holds_nul(value):
                form.fault(value, f'"{name}" holds a NUL character')
            elif isinstance(value.value, list):
                texts = [item.value for item in value.value]
                if not texts or len(texts) > MAX_LIST or not all(isinstance(text, str) for text in texts):
                    form.fault(value, f'"{name}" should be a list of 1 to {MAX_LIST} texts; put quotes around each')
                else:
                    found[name] = texts
            elif value.value is None or isinstance(value.value, dict):
                form.fault(value, f'"{name}" should be a number, a text, true or false, or a list of texts')
            else:
                found[name] = value.value
        return params_of(found)

    def _check_message(self, message: str, scope: Scope, params: dict[str, Any]) -> None:
        form = self.form
        known = {*BY_SCOPE[scope], *(f"params.{name}" for name in params)}
        if message:
            node = form.fields["message"]
            for at, problem in mistakes(message, known):
                # Only a text on one line can be pointed into; of a folded one the place is where it begins.
                exact = node.style in ("", "'", '"') and message in self.text.split("\n")[node.line - 1]
                self.faults.append(Fault(node.line, node.column + (at + (node.style != "") if exact else 0), problem))

    def _check_use(self, ready: Ready) -> None:
        """A parameter that nothing reads is a misspelt one."""
        used = {*ready.condition.names, *names(ready.rule.message)}
        for name in ready.rule.params:
            if f"params.{name}" not in used:
                key = self.form.fields["params"].keys[name]
                problem = f'the parameter "{name}" is used neither in "when" nor in "message"; remove it'
                self.form.fault(key, problem)

    def _match(self, scope: Scope) -> Match:
        form = self.form
        if not form.has("match"):
            return Match()
        inner = Form(form.fields["match"], self.faults, MATCH_KEYS[scope], f"match of a {scope} rule")
        globs = {key: inner.texts(key, 100) for key in ("name", "tool", "agent", "model", "provider")}
        return Match(kind=inner.choices("kind", KINDS), status=inner.choices("status", STATUSES), **globs)

    def _approval(self, effect: str) -> Approval | None:
        form = self.form
        if effect != "require_approval":
            if form.has("approval"):
                form.fault(form.fields["approval"], '"approval" belongs to "effect: require_approval"; remove one')
            return None
        if not form.has("approval"):
            return Approval()
        inner = Form(form.fields["approval"], self.faults, ("timeout", "on_timeout"), "approval")
        timeout = inner.whole("timeout", 300, least=1, most=MAX_TIMEOUT) or 300
        return Approval(timeout, inner.choice("on_timeout", ("deny", "allow"), "deny"))

    def _tests(self, scope: Scope, stages: tuple[Stage, ...]) -> tuple[Example, ...]:
        form = self.form
        if not form.has("tests"):
            return ()
        node = form.fields["tests"]
        if not isinstance(node.value, list) or not node.value:
            form.fault(node, f'"tests" is a list of examples, not {node.kind}')
            return ()
        if len(node.value) > MAX_TESTS:
            form.fault(node, f'"tests" holds more than {MAX_TESTS} examples')
        found = [example for item in node.value[:MAX_TESTS] if (example := self._test(item, scope, stages))]
        expected = {example.expect for example in found}
        if found and not self.faults and ("pass" not in expected or not expected - {"pass"}):
            missing = "passes" if "pass" not in expected else "violates"
            form.fault(node, f'"tests" needs at least one example that {missing}')
        return tuple(found)

    def _test(self, node: Node, scope: Scope, stages: tuple[Stage, ...]) -> Example | None:
        subjects = ("span", "action") if scope == "span" else ("trace",)
        form = Form(node, self.faults, (*subjects, "stage", "expect", "name"), "a test")
        if not isinstance(node.value, dict):
            return None
        form.require("expect")
        given = [key for key in subjects if form.has(key)]
        if len(given) != 1:
            form.fault(node, f"a test holds {' or '.join(subjects)}: one of them")
            return None
        before = given[0] == "action" or (stages == ("before",) and scope == "span")
        default: Stage = "before" if before or stages == ("before",) else "after"
        stage = form.choice("stage", STAGES, default)
        if stages and stage not in stages:
            form.fault(
                form.fields.get("stage", node), f"the rule is not asked {stage}; its stages are {', '.join(stages)}"
            )
        subject: Any = {"span": span, "trace": trace, "action": action}[given[0]](form.fields[given[0]], self.faults)
        if isinstance(subject, Span) and stage == "before":
            subject = action_of(subject)
        expect = form.choice("expect", OUTCOMES, "pass")
        return Example(subject, stage, expect, form.text("name", 200), node.line, node.column)

    def _run_tests(self, ready: Ready) -> None:
        for number, example in enumerate(ready.rule.tests, 1):
            verdict = try_rule(ready, example.subject, example.stage)
            if verdict.outcome == example.expect:
                continue
            told = f"test {number}" + (f' ("{example.name}")' if example.name else "")
            saw = ", ".join(f"{name} = {spelled(name, value) or 'empty'}" for name, value in verdict.values.items())
            why = verdict.message if verdict.outcome == "error" else saw
            problem = f"{told} expects {example.expect} {example.stage} and gets {verdict.outcome}"
            self.faults.append(Fault(example.line, example.column, f"{problem}: {why}" if why else problem))

    def _within(self, node: Node, error: ConditionError) -> Fault:
        """The place in the file of a place in the condition, as exactly as the way it was written allows."""
        lines = self.text.split("\n")
        message = f'in "when": {error.message}'
        if node.style == "|":
            at = node.line + error.line - 1  # the text begins on the line after the `|`
            written = lines[at] if at < len(lines) else ""
            indent = len(lines[node.line]) - len(lines[node.line].lstrip()) if node.line < len(lines) else 0
            return Fault(at + 1, min(indent + error.column, len(written) + 1), message)
        written = lines[node.line - 1][node.column - 1 :] if node.line <= len(lines) else ""
        source = node.value if isinstance(node.value, str) else ""
        if source in written:
            return Fault(node.line, node.column + (node.style != "") + error.column - 1, message)
        return Fault(node.line, node.column, message)


def _holds_nul(node: Node) -> bool:
    items = node.value if isinstance(node.value, list) else [node]
    return any(isinstance(item.value, str) and "\0" in item.value for item in items)
