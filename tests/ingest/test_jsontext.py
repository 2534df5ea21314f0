import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audittrail.ingest.jsontext import MAX_DEPTH, TooDeep, clean, loads, structure
from audittrail.ingest.text import storable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "x\\u0000y"}', {"a": "x\\u0000y"}),
        ('{"\\u0000": 1}', {"\\u0000": 1}),
        ('["\\ud800"]', ["\\ud800"]),
        ('["\\ud83d\\ude00"]', ["😀"]),
        ('["é\\ud83d x"]', ["é\\ud83d x"]),
        ("[NaN, Infinity, -Infinity, 1e999]", ["NaN", "Infinity", "-Infinity", "Infinity"]),
        ("[9223372036854775807, 9223372036854775808]", [2**63 - 1, "9223372036854775808"]),
        ("[-9223372036854775808, -9223372036854775809]", [-(2**63), "-9223372036854775809"]),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('["tab\there"]', ["tab\there"]),
        ('"\\u0000"', "\\u0000"),
        ("true", True),
        ("null", None),
    ],
)
def test_what_json_can_say_and_a_database_cannot_becomes_text(text, value):
    assert loads(text) == value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nul", '{"a"}', "1" * 5000, "[1]x", "\ud800"])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        loads(text)


def test_depth_is_bounded():
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    for depth in (MAX_DEPTH + 1, 500, 100_000):
        with pytest.raises(TooDeep):
            loads("[" * depth + "]" * depth)
        with pytest.raises(ValueError):
            loads('{"a":' * depth)


def test_a_text_that_is_no_structure_stays_as_it_is():
    for text in ("plain", "12", '"quoted"', "[cut off", "{" * 9000, "", " ", 7, None, [1], True):
        assert structure(text) == text
    assert structure(' \n {"a": 1}') == {"a": 1}
    assert structure("[]") == []


@settings(deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_storable_text_is_utf8_without_nul(text):
    kept = storable(text)
    assert "\0" not in kept.encode().decode()
    assert (kept == text) == ("\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text))


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    )
)
def test_the_quick_way_and_the_slow_way_agree(value):
    text = json.dumps(value)
    assert loads(text) == clean(json.loads(text))
