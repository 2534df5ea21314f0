"""What a rule file may say, and the error for each thing that it may not: place, and what to do."""

import time

import pytest

from audittrail.constitution import RuleSet, load
from audittrail.constitution.document import MAX_BYTES, parse
from audittrail.constitution.faults import Fault
from tests.constitution.write import GOOD, changed, errors, good, only


def test_a_good_rule_is_read_whole() -> None:
    rule = only(
        changed(description="Why", controls="[SOC2-CC7.2]", tags="data", approval="{timeout: 60, on_timeout: allow}")
    )
    assert (rule.id, rule.title, rule.severity, rule.stages) == ("one-rule", "A rule", "high", ("before", "after"))
    assert (rule.scope, rule.mode, rule.effect, rule.params) == ("span", "enforce", "require_approval", {"most": 10})
    assert (rule.controls, rule.tags, rule.description) == (("SOC2-CC7.2",), ("data",), "Why")
    assert rule.approval is not None and (rule.approval.timeout, rule.approval.on_timeout) == (60, "allow")
    assert len(rule.tests) == 2 and len(rule.version) == 64


# The change to a good file, the line of the error, and words of its message.
WRONG = [
    (changed(colour="red"), 10, 'unknown key "colour"'),
    (changed(severty="high"), 10, 'did you mean "severity"?'),
    (changed(severity="urgent"), 3, "use one of info, low, medium, high, critical"),
    (changed(severity=None), 1, '"severity" is missing'),
    (changed(title="[a, b]"), 2, '"title" should be text and is a list'),
    (changed(title="12"), 2, "put quotes around it"),
    (changed(title="''"), 2, '"title" is empty'),
    (changed(title="x" * 121), 2, "longer than 120 characters"),
    (changed(id="Not Good"), 1, "lower-case words joined by hyphens"),
    (changed(stages="[]"), 4, "empty list"),
    (changed(stages="[during]"), 4, '"stages" cannot be "during"; use one of before, after'),
    (changed(effect="block"), 8, "use one of deny, require_approval, warn, log"),
    (changed(mode="off"), 10, "use one of enforce, observe"),
    (changed(scope="session"), 10, "use one of span, trace"),
    (changed(approval="{timeout: 0}"), 10, "between 1 and"),
    (changed(approval="{timeout: soon}"), 10, "should be a whole number and is text"),
    (changed(approval="{timeout: 5}", effect="deny"), 10, "belongs to"),
    (changed(match="{kind: gadget}"), 5, "use one of agent, chain, llm"),
    (changed(match="{colour: red}"), 5, 'unknown key "colour" in match'),
    (changed(match="tool"), 5, "is a mapping of keys to values, not text"),
    (changed(match="{tool: [1]}"), 5, "put quotes around it"),
    (changed(params="{most: {a: 1}}"), 6, "should be a number, a text"),
    (changed(params="{most: 10, Max-Rows: 1}"), 6, "cannot name a parameter"),
    (changed(params="{most: 10, in: 1}"), 6, "cannot name a parameter"),
    (changed(params="{most: 10, spare: 1}"), 6, 'the parameter "spare" is used neither'),
    (changed(params="{most: [1, 2]}"), 6, "texts"),
    (changed(params='{most: 10, x: "a\\0b"}'), 6, "NUL"),
    (changed(params='{most: 10, x: ["a\\0b"]}'), 6, "NUL"),
    (changed(params="[1]"), 6, "mapping of names"),
    (changed(when="12"), 7, "should be text"),
    (changed(message='"{span.tool.nme}"'), 9, 'did you mean "span.tool.name"?'),
    (changed(message='"{params.least}"'), 9, "{params.least}, which does not exist"),
    (changed(message='"{trace.cost}"'), 9, "does not exist"),
    (changed(message='"{span.__class__}"'), 9, "does not exist"),
    (changed(message='"{0}"'), 9, "does not exist"),
    (changed(message='"a } b"'), 9, "write }} for the brace itself"),
    (changed(tests=None), 1, '"tests" is missing'),
    (changed(tests="  []\n"), 11, "is a list of examples"),
    (
        changed(tests="  - {span: {tool: {args: {count: 11}}}, expect: violation}\n"),
        11,
        "at least one example that passes",
    ),
    (changed(tests="  - {span: {}, expect: pass}\n"), 11, "at least one example that violates"),
    (changed(tests="  - {span: {}, expect: maybe}\n"), 11, "use one of pass, warning, violation, error"),
    (changed(tests="  - {trace: {}, expect: pass}\n"), 11, 'unknown key "trace" in a test'),
    (changed(tests="  - {expect: pass}\n"), 11, "a test holds span or action"),
    (changed(tests="  - {span: {}, action: {}, expect: pass}\n"), 11, "one of them"),
    (changed(tests="  - {span: {colour: red}, expect: pass}\n"), 11, 'unknown key "colour" in a test\'s span'),
    (changed(tests="  - {span: {cost: much}, expect: pass}\n"), 11, "US dollars"),
    (changed(tests="  - {span: {pii: {email: one}}, expect: pass}\n"), 11, "whole number"),
    (changed(tests="  - 12\n"), 11, "mapping"),
    (changed(stages="[after]", tests="  - {action: {name: x}, expect: pass}\n"), 11, "the rule is not asked before"),
    (GOOD + "title: again\n", 13, '"title" is given twice (first in line 2)'),
    ("- a\n- b\n", 1, "is a mapping of keys to values, not a list"),
    ("just text\n", 1, "is a mapping"),
    ("", 0, "the file is empty"),
    ("# only a comment\n", 0, "the file is empty"),
    ("id: [1\n", 2, "not valid YAML"),
    ("id: 'a\n", 2, "not valid YAML"),
    ("id: a\n---\nid: b\n", 2, "a file holds one rule"),
    ("? [a]\n: b\n", 1, "a key is a word"),
    (b"id: \xff\n", 1, "not UTF-8"),
]


@pytest.mark.parametrize(("text", "line", "words"), WRONG, ids=[w[2][:40] for w in WRONG])
def test_each_mistake_is_told_with_its_line_and_what_to_do(text: str | bytes, line: int, words: str) -> None:
    found = errors(text)
    assert any(words in e.message and e.line == line for e in found), "\n".join(map(str, found))


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    found = errors(changed(severity="urgent", stages="[never]", effect="block"))
    assert [e.line for e in found] == sorted(e.line for e in found)
    assert {e.line for e in found} >= {3, 4, 8}


def test_an_error_reads_as_a_compiler_writes_it() -> None:
    first = errors(changed(severity="urgent"))[0]
    assert str(first) == (
        'rule.yaml:3:11  rule "one-rule": "severity" cannot be "urgent"; use one of info, low, medium, high, critical'
    )


def test_a_rule_whose_own_test_fails_is_refused_and_says_what_it_saw() -> None:
    found = errors(GOOD.replace("count: 10}", "count: 12}"))
    assert len(found) == 1 and found[0].line == 12
    assert "test 2 expects pass after and gets violation: span.affected_rows = 12" in found[0].message


def test_an_expected_outcome_follows_the_effect() -> None:
    assert good(changed(effect="warn").replace("expect: violation", "expect: warning"))
    assert "gets warning" in errors(changed(effect="warn"))[0].message


@pytest.mark.parametrize(
    ("when", "line", "column", "words"),
    [
        ("span.affected_rows > params.most && span.tool.nme == ''", 7, 43, 'unknown variable "span.tool.nme"'),
        ("span.affected_rows > params.mst", 7, 28, 'did you mean "params.most"?'),
        ("'span.affected_rows > params.most && x'", 7, 44, 'unknown variable "x"'),
        ("span.affected_rows", 7, 7, "must be true or false"),
        ("span.affected_rows > params.most &&", 7, 42, "Syntax error"),
        ("span.affected_rows > 1.5", 7, 26, "write 1.0 for 1"),
        ("span.affected_rows > params.most && span.name.fuzzy('a')", 7, 58, 'unknown function "fuzzy"'),
        ("span.affected_rows > params.most && trace.cost > 1.0", 7, 43, "unknown variable"),
        ("span.affected_rows > params.most && span.name.matches('(')", 7, 52, "the pattern cannot be read"),
        ("span.affected_rows > params.most && span.name.matches(span.output_text)", 7, 52, "a pattern is written out"),
        ("span.affected_rows > params.most && span.name.matches('a' + span.agent)", 7, 52, "a pattern is written out"),
        ("span.affected_rows > params.most && matches(span.name, 'a')", 7, 43, "a pattern is written out"),
    ],
)
def test_a_condition_s_mistake_is_pointed_at(when: str, line: int, column: int, words: str) -> None:
    found = errors(changed(when=when))
    assert words in str(found[0]), str(found[0])
    assert found[0].line == line
    assert abs(found[0].column - column) <= 1, str(found[0])


def test_a_mistake_inside_a_block_is_pointed_at_in_its_own_line() -> None:
    found = errors(changed(when="|\n  span.affected_rows > params.most\n    && span.nope"))
    assert (found[0].line, found[0].column) == (9, 8), str(found[0])


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "id: &anchor x\n",
        "id: *nowhere\n",
        "id: !!python/object/apply:os.system [ls]\n",
        "id: !custom x\n",
        "id: !!binary aGk=\n",
        "[" * 60_000,
        "{a: " * 10_000,
        "- " * 30_000,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 300)),
        "k: [" + "1," * 30_000 + "]",
        "a" * 65_000 + ":",
        '"' + "\\x" * 10_000,
        "a: \x00",
        "a: \ud800",
        "%YAML 9.9\n---\na: 1",
        "\t- a",
        "? ? ? ?",
        "<<: {id: a}\n",
        "id: 1\n" * 3,
        "id: " + "9" * 5_000,
        "\ufeff",
    ],
    ids=range(22),
)
def test_hostile_yaml_is_refused_quickly_and_never_raises(text: str) -> None:
    began = time.process_time()
    assert errors(text)
    assert time.process_time() - began < 30


@pytest.mark.parametrize("text", ["x" * 10_000_000, b"x" * 10_000_000, "é" * (MAX_BYTES // 2 + 1), b"\xff" * 100_000])
def test_a_large_file_is_refused_for_its_size_alone(text: str | bytes) -> None:
    assert "larger than 64 KB" in errors(text)[0].message


def test_scalars_follow_the_core_schema_and_nothing_is_built() -> None:
    found = parse(
        "a: yes\nb: 012\nc: 2026-01-01\nd: 1_000\ne: .inf\nf: 1e3\ng: ~\nh: '12'\ni: 99999999999999999999\n"
    ).plain()
    assert found == {
        "a": "yes",
        "b": 12,
        "c": "2026-01-01",
        "d": "1_000",
        "e": ".inf",
        "f": 1000.0,
        "g": None,
        "h": "12",
        "i": "99999999999999999999",
    }


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert parse("<<: {a: 1}").plain() == {"<<": {"a": 1}}


def test_an_alias_is_refused_where_it_stands() -> None:
    with pytest.raises(Fault) as caught:
        parse("a: 1\nb: *x\n")
    assert (caught.value.line, caught.value.column) == (2, 4)


@pytest.mark.parametrize(
    "when",
    [
        "(" * 40 + "true" + ")" * 40,
        "span.name == '" + "a" * 5_000 + "'",
        "[1].all(a, [1].all(b, [1].all(c, " * 8 + "true" + ")))" * 8,
        "1" * 100 + " > 1",
        "\\x00",
        "span.name.matches('" + "(a*)*" * 400 + "')",
        "span.name.matches('a{1000}{1000}')",
        "[" + ",".join("1" * 900) + "].all(x, [" + ",".join("1" * 900) + "].all(y, x + y > 0))",
        "dyn(1) > 'a'",
        "1 / 0 == 1",
        "has(span.name)",
        "span",
        "",
    ],
    ids=range(13),
)
def test_hostile_conditions_are_refused_quickly_and_never_raise(when: str) -> None:
    began = time.process_time()
    assert isinstance(load({"rule.yaml": changed(when="|-\n  " + when)}), list)
    assert time.process_time() - began < 30


def test_the_version_is_of_the_content_and_not_of_its_layout() -> None:
    first = only(GOOD)
    assert only("# a comment\n" + GOOD.replace("match: {kind: tool}", "match:\n  kind: tool")).version == first.version
    lines = GOOD.splitlines(keepends=True)
    assert only("".join([lines[1], lines[0], *lines[2:]])).version == first.version
    assert only(GOOD.replace("A rule", "A Rule")).version != first.version
    assert only(GOOD.replace("most: 10}", "most: 10 }")).version == first.version


def test_a_set_is_in_the_order_of_its_files_and_has_a_hash() -> None:
    two = GOOD.replace("one-rule", "two-rule")
    found = load({"b.yaml": GOOD, "a.yaml": two})
    assert isinstance(found, RuleSet)
    assert [rule.id for rule in found.rules] == ["two-rule", "one-rule"]
    same = load({"a.yaml": two, "b.yaml": GOOD})
    assert isinstance(same, RuleSet) and same.hash == found.hash != good(GOOD).hash


def test_two_files_cannot_share_an_id() -> None:
    found = load({"a.yaml": GOOD, "b.yaml": GOOD})
    assert isinstance(found, list) and "the id is taken by a.yaml" in str(found[0])


def test_one_broken_file_refuses_the_set_and_is_named() -> None:
    found = load({"a.yaml": GOOD, "b.yaml": "id: [\n"})
    assert isinstance(found, list) and {e.file for e in found} == {"b.yaml"}


def test_no_files_are_a_set_without_rules() -> None:
    found = load({})
    assert isinstance(found, RuleSet) and len(found) == 0


def test_too_many_files_are_refused() -> None:
    assert isinstance(load({f"{n}.yaml": "" for n in range(301)}), list)
