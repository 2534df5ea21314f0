"""Rule files made by hand: a good one, and what a test changes of it."""

from __future__ import annotations

from typing import Any

from audittrail.constitution import Rule, RuleError, RuleSet, load

GOOD = """\
id: one-rule
title: A rule
severity: high
stages: [before, after]
match: {kind: tool}
params: {most: 10}
when: span.affected_rows > params.most
effect: require_approval
message: "{span.tool.name} would touch {span.affected_rows} rows"
tests:
  - {span: {tool: {name: delete, args: {count: 11}}}, expect: violation}
  - {span: {tool: {name: delete, args: {count: 10}}}, expect: pass}
"""


def changed(**keys: str | None) -> str:
    """The good rule with whole lines replaced, added, or (None) left out. `tests` replaces the examples."""
    text, _, tests = GOOD.partition("tests:\n")
    lines = dict(line.split(":", 1) for line in text.splitlines())
    tests = keys.pop("tests", tests) or ""
    for key, value in keys.items():
        lines[key] = f" {value}" if value is not None else ""
        if value is None:
            del lines[key]
    return "".join(f"{key}:{value}\n" for key, value in lines.items()) + (f"tests:\n{tests}" if tests else "")


def simple(when: str, *, violates: str, passes: str, **keys: str | None) -> str:
    """A rule without parameters that denies, with one example each."""
    examples = f"  - {{span: {violates}, expect: violation}}\n  - {{span: {passes}, expect: pass}}\n"
    keys = {"params": None, "match": None, "effect": "deny", "message": "no", "stages": "[after]"} | keys
    return changed(when=when, tests=examples, **keys)


def good(*texts: str) -> RuleSet:
    """The set of rule files that are all right."""
    found = load({f"{number}.yaml": text for number, text in enumerate(texts)})
    assert isinstance(found, RuleSet), "\n".join(map(str, found))
    return found


def errors(text: str | bytes) -> list[RuleError]:
    """What is wrong with one file."""
    found = load({"rule.yaml": text})
    assert isinstance(found, list), "the rule was taken"
    return found


def only(text: str) -> Rule:
    """The rule of one file."""
    return good(text).rules[0]


def untested(when: str, **keys: Any) -> RuleSet:
    """A rule whose condition is under test, with examples that any condition of `span.name` meets."""
    violates, passes = "{kind: llm, name: 'yes'}", "{kind: llm, name: 'no'}"
    return good(
        simple(f"span.name == 'yes' || (span.name != 'no' && ({when}))", violates=violates, passes=passes, **keys)
    )
