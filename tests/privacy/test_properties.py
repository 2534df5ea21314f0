"""Whatever comes in: no exception, a second look finds nothing, JSON stays JSON, the gate hides no find."""

# ruff: noqa: E501

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audittrail.model.record import Event, Link, Scope
from audittrail.privacy import escapes
from audittrail.privacy.finding import Text
from audittrail.privacy.redactor import DETECTORS, Redactor
from tests.make import TRACE, record, span_id
from tests.privacy.keys import JWT, KEYS, PEM
from tests.privacy.test_types import CASES, MARKED

REDACTOR = Redactor(b"a key of the tests")
FINDS = [MARKED.sub(lambda m: m[1], text) for _, text in CASES]

pieces = st.one_of(
    st.sampled_from([*FINDS, *KEYS.values(), JWT, PEM]),
    st.sampled_from(
        ["password", "token", "phone", "=", ": ", '"', "'", "\\", '\\"', "\\n", "\\u0040", "\\ud83d", "<EMAIL:12345678>",
         "<WITHHELD:5 bytes>", "<", ">", "@", "://", ":", ".", "-----BEGIN ", " ", "\n", "\0", "\x01", "\x1d", "555-", "+1 ", "é", "请"]
    ),
    st.text(max_size=8),
    st.integers(0, 10**19).map(str),
)  # fmt: skip
texts = st.lists(pieces, max_size=12).map("".join)
values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
# 8,000 and more of each held on 24 November 2026, and 1,500 records: enough here to catch what breaks later.
EXAMPLES = 200
objects = st.dictionaries(texts, values, max_size=4)


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts)
def test_a_second_look_finds_nothing(text: str) -> None:
    once, _ = REDACTOR.redact_text(text)
    assert REDACTOR.redact_text(once) == (once, {})


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(objects, objects, texts)
def test_any_record(attributes: dict[str, Any], other: dict[str, Any], text: str) -> None:
    sent = record(
        name=text,
        status_message=text,
        attributes=attributes,
        events=(Event(text, 1, other),),
        links=(Link(TRACE, span_id(2), other),),
        scope=Scope(text, text, other),
        resource=other,
    )
    kept, counts = REDACTOR.redact(sent)
    assert (kept is sent) == (not counts)
    again, more = REDACTOR.redact(kept)
    assert more == {}
    assert again is kept


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.sampled_from(["\\", "n", "t", "x", "\\u0041"]), max_size=24).map("".join), st.integers(1, 9))
def test_windows_do_not_show(text: str, size: int) -> None:
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(escapes, "_WINDOW", size)
        in_windows = escapes.read(data)[0]
    assert in_windows == escapes.read(data)[0]


@settings(max_examples=EXAMPLES, deadline=None)
@given(values, st.booleans())
def test_json_stays_json(value: Any, ascii_only: bool) -> None:
    # A string of nothing but digits is a text ("card": "4111…"), though a parser takes it for a document.
    assume(type(value) not in (int, float))
    text = json.dumps({"a": value, "b": json.dumps(value)}, ensure_ascii=ascii_only)
    kept = REDACTOR.redact_text(text)[0]
    if "WITHHELD" not in kept:
        assert isinstance(json.loads(json.loads(kept)["b"]), type(value) | str)


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts)
def test_the_gate_opens_for_every_detector_that_finds(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass").replace(b"\0", b"\2")
    view, _ = escapes.read(data)
    doors = REDACTOR._doors(data, view)
    for number, detector in enumerate(DETECTORS):
        if number not in doors:
            assert list(detector.search(Text(view, data))) == [], detector.name
