"""AuditTrail's own JSON becomes the same spans as OpenTelemetry's."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.ingest.native import decode_spans, decode_trace
from audittrail.ingest.normalise import normalise
from audittrail.model.errors import Invalid
from audittrail.model.span import Span

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "00000000000000aa"
LEAST = {"trace_id": TRACE, "span_id": SPAN, "started_us": 5}


def one(**fields: Any) -> Span:
    decoded = decode_spans(json.dumps(LEAST | fields).encode())
    assert decoded.refused == []
    return normalise(decoded.records[0])


def refusal(value: Any) -> tuple[str, str]:
    decoded = decode_spans(json.dumps(value).encode())
    assert decoded.records == []
    (refused,) = decoded.refused
    return refused.where, refused.reason


def test_the_least_is_a_running_step() -> None:
    span = one()
    assert (span.trace_id, span.span_id, span.kind, span.status, span.started_us) == (
        TRACE,
        SPAN,
        "other",
        "running",
        5,
    )


def test_every_field_arrives() -> None:
    span = one(
        parent_id="00000000000000BB",
        name="n",
        kind="tool",
        ended_us=9,
        agent="a",
        session_id="s",
        end_user="u",
        model="m",
        provider="p",
        tokens={"input": 10, "output": 5, "cache_read": 4, "cache_write": 1, "reasoning": 2},
        cost="0.0125",
        tool={"name": "t", "call_id": "c", "args": {"x": [1]}, "result": "r"},
        attributes={"mine": {"deep": True}},
        events=[{"name": "e", "time_us": 7, "attributes": {"k": "v"}}],
        links=[{"trace_id": TRACE, "span_id": SPAN}],
    )
    assert (span.parent_id, span.name, span.kind, span.status, span.ended_us) == (
        "00000000000000bb",
        "n",
        "tool",
        "ok",
        9,
    )
    assert (span.agent, span.session_id, span.end_user, span.model, span.provider) == ("a", "s", "u", "m", "p")
    t = span.tokens
    assert (t.input, t.output, t.cache_read, t.cache_write, t.reasoning) == (10, 5, 4, 1, 2)
    assert span.cost == Decimal("0.0125")
    assert span.tool
    assert (span.tool.name, span.tool.call_id, span.tool.args, span.tool.result) == ("t", "c", {"x": [1]}, "r")
    assert span.attributes["mine"] == {"deep": True}
    assert (span.events[0].name, span.events[0].time_ns) == ("e", 7000)
    assert span.links[0].span_id == SPAN
    assert span.unmapped == ("mine",)


def test_messages_become_a_conversation_and_other_json_stays() -> None:
    span = one(kind="llm", input=[{"role": "user", "content": "hi"}], output={"text": "x"})
    assert span.input[0].role == "user"
    assert span.output == {"text": "x"}


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"error": "boom"}, "error", "boom"),
        ({"error": {"message": "boom", "type": "E", "stacktrace": "at"}}, "error", "boom"),
        ({"status": "error"}, "error", ""),
        ({"status": "blocked"}, "blocked", None),
        ({"status": "ok", "error": "handled"}, "ok", None),
        ({"status": "running"}, "ok", None),
    ],
)
def test_statuses(fields: dict[str, Any], status: str, message: str | None) -> None:
    span = one(ended_us=9, **fields)
    assert span.status == status
    assert (span.error.message if span.error else None) == message


@pytest.mark.parametrize("cost", [0.0125, "0.0125", 1, "1e-3"])
def test_a_cost_is_a_number_or_its_text(cost: Any) -> None:
    assert one(kind="llm", cost=cost).cost == Decimal(str(cost))


def test_uuids_and_times_as_people_write_them() -> None:
    span = one(
        trace_id="0AF76519-16CD-43DD-8448-EB211C80319C",
        span_id="01890a5d-ac96-774b-bcce-b302099a8057",
        started_us=None,
        started_at="2026-11-24T10:00:00.000001+02:00",
        ended_at="2026-11-24T08:00:01Z",
    )
    assert (span.trace_id, span.span_id) == (TRACE, "bcceb302099a8057")
    assert span.ended_us is not None
    assert span.ended_us - span.started_us == 999_999


@pytest.mark.parametrize(
    ("fields", "where", "reason"),
    [
        ({"trace_id": "xyz"}, "spans[0]", "trace_id is not 32 hex digits"),
        ({"trace_id": "0" * 32}, "spans[0]", "is zero"),
        ({"span_id": "12"}, "spans[0]", "span_id is not 16 hex digits"),
        ({"parent_id": "12"}, "spans[0]", "parent_id is not 16 hex digits"),
        ({"kind": "secret kind"}, "spans[0].kind", "none of those allowed"),
        ({"tokens": {"input": "many"}}, "spans[0].tokens.input", "Expected int | null, got str"),
        ({"tokens": {"input": -1}}, "spans[0].tokens.input", "Expected int >= 0"),
        ({"surprise": 1}, "spans[0].surprise", "a field that spans do not have"),
        ({"started_us": None}, "spans[0]", "no started_us"),
        ({"started_at": "2026-01-01T00:00:00Z"}, "spans[0]", "send one"),
        ({"started_us": None, "started_at": "yesterday"}, "spans[0].started_at", "none of those allowed"),
        ({"started_us": None, "started_at": "1960-01-01T00:00:00Z"}, "spans[0]", "before 1970"),
        ({"started_us": -5}, "spans[0].started_us", "Expected int >= 0"),
        ({"started_us": 2**70}, "spans[0].started_us", "Expected"),
    ],
)
def test_a_span_that_cannot_be_taken_says_where_and_why(fields: dict[str, Any], where: str, reason: str) -> None:
    found = refusal(LEAST | fields)
    assert found[0] == where
    assert reason in found[1]
    assert "secret" not in found[1], "what was sent is not counted and shown as a reason"


def test_one_bad_span_loses_no_other() -> None:
    body = {"spans": [LEAST, {"nonsense": 1}, 7, LEAST | {"span_id": "00000000000000ab"}]}
    decoded = decode_spans(json.dumps(body).encode())
    assert [record.span_id for record in decoded.records] == [SPAN, "00000000000000ab"]
    assert [refused.where for refused in decoded.refused] == ["spans[1].nonsense", "spans[2]"]


def test_a_trace_says_once_what_holds_for_its_spans() -> None:
    body = {
        "trace_id": TRACE,
        "session_id": "s",
        "agent": "a",
        "spans": [
            {"span_id": SPAN, "started_us": 1},
            {"span_id": "00000000000000ab", "started_us": 2, "agent": "other"},
        ],
    }
    spans = [normalise(record) for record in decode_trace(json.dumps(body).encode()).records]
    assert [(s.trace_id, s.session_id, s.agent) for s in spans] == [(TRACE, "s", "a"), (TRACE, "s", "other")]


@pytest.mark.parametrize("body", [b"", b"no", b"[" * 100_000, b"\xff\xfe", b'{"spans": 5}'])
def test_a_body_that_is_no_json_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Invalid):
        decode_spans(body)
    with pytest.raises(Invalid):
        decode_trace(body)


@pytest.mark.parametrize("body", [[], {}, {"trace_id": 5}, {"trace_id": TRACE, "spans": [], "more": 1}])
def test_a_trace_that_is_none_is_refused_in_words(body: Any) -> None:
    with pytest.raises(Invalid, match="trace"):
        decode_trace(json.dumps(body).encode())


def test_text_that_no_database_takes_is_kept_escaped() -> None:
    decoded = decode_spans(
        b'{"trace_id":"%s","span_id":"%s","started_us":1,"name":"a\\u0000\\ud800"}' % (TRACE.encode(), SPAN.encode())
    )
    assert decoded.records[0].name == "a\\u0000\\ud800"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*LEAST, "kind", "tool", "spans", "x"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_comes_is_taken_or_refused(value: Any) -> None:
    body = json.dumps(value).encode()
    for decode in (decode_spans, decode_trace):
        try:
            decoded = decode(body)
        except Invalid:
            continue
        for record in decoded.records:
            assert normalise(record).trace_id == record.trace_id
