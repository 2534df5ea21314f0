"""An approval is for one exact call: other key order is the same call, one changed character is another."""

import copy
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.constitution import action_hash
from audittrail.constitution.canonical import canonical
from audittrail.model.errors import Invalid
from audittrail.model.verdict import Action

RULES = [("bulk", "a" * 64), ("cost", "b" * 64)]
CALL = Action(
    name="delete_records", agent="bars", args={"table": "customers", "count": 250, "where": {"a": 1, "b": [1, 2]}}
)
HASH = action_hash(CALL, RULES)


def test_the_order_of_keys_and_rules_does_not_matter() -> None:
    args = {"where": {"b": [1, 2], "a": 1}, "count": 250, "table": "customers"}
    assert action_hash(msgspec.structs.replace(CALL, args=args), reversed(RULES)) == HASH
    assert action_hash(msgspec.structs.replace(CALL, args=json.loads(json.dumps(CALL.args))), RULES) == HASH


@pytest.mark.parametrize(
    "args",
    [
        {"table": "customerz", "count": 250, "where": {"a": 1, "b": [1, 2]}},
        {"table": "customers", "count": 251, "where": {"a": 1, "b": [1, 2]}},
        {"table": "customers", "count": "250", "where": {"a": 1, "b": [1, 2]}},
        {"table": "customers", "count": 250, "where": {"a": True, "b": [1, 2]}},
        {"table": "customers", "count": 250, "where": {"a": 1, "b": [2, 1]}},
        {"table": "customers", "count": 250, "where": {"a": 1, "b": [1, 2, None]}},
        {"table": "customers", "count": 250, "where": {"a": 1, "b": [1, 2]}, "x": None},
        {"table": "customers ", "count": 250, "where": {"a": 1, "b": [1, 2]}},
        {"Table": "customers", "count": 250, "where": {"a": 1, "b": [1, 2]}},
        None,
        [],
    ],
)
def test_one_changed_character_is_another_call(args: object) -> None:
    assert action_hash(msgspec.structs.replace(CALL, args=args), RULES) != HASH


@pytest.mark.parametrize("change", [{"name": "delete_record"}, {"agent": "bar"}, {"agent": None}, {"kind": "chain"}])
def test_agent_kind_and_tool_are_bound(change: dict[str, str]) -> None:
    assert action_hash(msgspec.structs.replace(CALL, **change), RULES) != HASH


def test_a_changed_rule_asks_again() -> None:
    assert action_hash(CALL, [("bulk", "a" * 64), ("cost", "c" * 64)]) != HASH
    assert action_hash(CALL, RULES[:1]) != HASH


def test_one_number_has_one_spelling_and_large_ones_keep_their_digits() -> None:
    assert canonical(250.0) == canonical(250) == b"250"
    assert canonical(2**53 + 1) != canonical(2**53)
    assert canonical(True) != canonical(1)
    assert canonical("\ud800") != canonical("\ud801")
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


def test_what_json_cannot_say_is_refused() -> None:
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    for value in (float("nan"), float("inf"), {1: 2}, {1}, b"x", deep, 10**5000):
        with pytest.raises(Invalid):
            canonical(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def shuffled(value: object) -> object:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else copy.copy(value)


@given(json_values, json_values)
def test_equal_values_and_only_they_share_a_spelling(one: object, other: object) -> None:
    assert canonical(one) == canonical(shuffled(one))
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical(one) == canonical(other)) is same
