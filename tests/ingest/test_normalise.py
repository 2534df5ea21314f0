"""Times, status, errors, identity; and that nothing a client can send is too much for it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audittrail.ingest.dialects import DIALECTS
from audittrail.ingest.jsontext import MAX_DEPTH, clean
from audittrail.ingest.normalise import normalise
from audittrail.model.record import Event, Link, SpanRecord
from audittrail.model.span import KINDS, STATUSES, Span, SpanError


def span(attributes: dict[str, Any] | None = None, **fields: Any) -> Span:
    fields = {"name": "step", "trace_id": "a" * 32, "span_id": "b" * 16, "started_ns": 1000, "ended_ns": 2000, **fields}
    return normalise(SpanRecord(attributes=attributes or {}, **fields))


def test_times_are_floored_to_microseconds():
    found = span(started_ns=1795485234768061747, ended_ns=1795485234768061999)
    assert (found.started_us, found.ended_us, found.notes) == (1795485234768061, 1795485234768061, ())
    latest = span(started_ns=2**64 - 1, ended_ns=2**64 - 1)
    assert latest.started_us == latest.ended_us == (2**64 - 1) // 1000 < 2**63


def test_an_end_before_the_start_is_mended_and_noted():
    found = span(started_ns=9_000_000, ended_ns=4_000_000)
    assert (found.started_us, found.ended_us) == (9000, 9000)
    assert found.notes == ("It was sent with an end 5000 µs before its start; the start is shown as both.",)


@pytest.mark.parametrize(
    ("ended", "code", "status"),
    [(2000, 0, "ok"), (2000, 1, "ok"), (2000, 2, "error"), (None, 0, "running"), (None, 2, "error"), (2000, 7, "ok")],
)
def test_status(ended, code, status):
    assert span(ended_ns=ended, status_code=code).status == status


def exception(kind: str, message: str) -> Event:
    return Event(
        "exception", 1, {"exception.type": kind, "exception.message": message, "exception.stacktrace": "Trace"}
    )


def test_an_error_is_told_by_status_attribute_and_the_last_exception():
    events = (exception("KeyError", "first"), exception("TimeoutError", "upstream"), Event("log"))
    assert span(status_code=2, events=events).error == SpanError("upstream", "TimeoutError", "Trace")
    assert span({"error.type": "429"}, status_code=2, status_message="said", events=events).error == SpanError(
        "said", "429", "Trace"
    )
    assert span(status_code=2).error == SpanError()
    assert span({"error.message": "why"}, status_code=2).error == SpanError("why")


def test_an_exception_that_was_caught_is_no_error():
    found = span({"error.type": "X"}, status_code=1, events=(exception("KeyError", "caught"),))
    assert (found.status, found.error) == ("ok", None)


def test_identity():
    assert span({"session.id": "s", "gen_ai.conversation.id": "c"}).session_id == "s"
    assert span({"gen_ai.conversation.id": "c"}).session_id == "c"
    assert span({"session.id": "", "gen_ai.conversation.id": "c"}).session_id == "c"
    assert span({"user.id": 7}).end_user == "7"
    assert span({"enduser.id": "u"}).end_user == "u"
    assert span().session_id is None


@pytest.mark.parametrize(
    ("name", "service"),
    [("shop", "shop"), ("unknown_service", None), ("unknown_service:python", None), ("", None), (5, "5"), ([], None)],
)
def test_service(name, service):
    assert span(resource={"service.name": name}).service == service


def test_an_agent_without_a_name_is_named_by_its_span():
    assert span({"openinference.span.kind": "AGENT"}, name="steward").agent == "steward"
    assert span({"gen_ai.operation.name": "invoke_agent"}, name="invoke_agent steward").agent == "steward"
    assert span({"gen_ai.operation.name": "chat", "gen_ai.agent.name": "steward"}).agent == "steward"
    assert span({"openinference.span.kind": "CHAIN"}, name="steward").agent is None


def test_what_was_sent_goes_through_untouched():
    record = SpanRecord(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_id="b" * 16,
        name="n",
        attributes={"x": {"y": [1]}},
        events=(Event("e", 5, {"k": "v"}),),
        links=(Link("c" * 32, "d" * 16),),
        resource={"r": 1},
    )
    found = normalise(record)
    assert (found.attributes, found.events, found.links) == (record.attributes, record.events, record.links)
    assert (found.parent_id, found.resource, found.name) == (record.parent_id, record.resource, "n")


def test_a_large_text_is_not_cut():
    huge = "x" * 2_000_000
    found = span({"gen_ai.input.messages": json.dumps([{"role": "user", "content": huge}])})
    assert found.input[0].parts[0].text == huge


@pytest.mark.parametrize("depth", [65, 400, 2000, 200_000])
def test_hostile_depth_in_json_text_stays_text(depth):
    for deep in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth):
        found = span({"gen_ai.input.messages": deep, "gen_ai.output.messages": deep})
        assert (found.input, found.output) == (deep, deep)
        tool = span({"openinference.span.kind": "TOOL", "input.value": deep}).tool
        assert tool is not None
        assert tool.args == deep


def test_what_json_text_hides_is_storable_too():
    found = span({"gen_ai.input.messages": '[{"role":"user","content":"a\\u0000b\\ud800"}]'})
    assert found.input[0].parts[0].text == "a\\u0000b\\ud800"


WORDS = st.sampled_from(
    [
        "user",
        "assistant",
        "tool",
        "system",
        "chat",
        "execute_tool",
        "invoke_agent",
        "LLM",
        "TOOL",
        "AGENT",
        "text",
        "tool_call",
        "tool_use",
        "reasoning",
        "application/json",
        "text/plain",
        "{}",
        "[]",
        "[{",
        "5",
        "-1",
        "99999999999999999999",
        "NaN",
        "0.1",
        "true",
        "null",
        "human",
        "ai",
    ]
) | st.text(max_size=6)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
KEYS = WORDS | st.sampled_from(
    [
        "role",
        "parts",
        "content",
        "type",
        "text",
        "id",
        "name",
        "arguments",
        "tool_calls",
        "function",
        "message",
        "messages",
        "choices",
        "finish_reason",
        "toolUse",
        "toolResult",
        "functionCall",
        "data",
        "model",
        "tool_call_id",
        "response",
        "result",
        "summary",
        "input",
        "output",
    ]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
ITEMS = st.dictionaries(KEYS, VALUES, max_size=5)
SENT = VALUES | st.lists(ITEMS, max_size=3) | st.builds(json.dumps, VALUES | st.lists(ITEMS, max_size=3))

STEPS = st.sampled_from(
    [
        "0",
        "1",
        "7",
        "message",
        "role",
        "content",
        "contents",
        "message_content",
        "text",
        "type",
        "tool_calls",
        "tool_call",
        "function",
        "name",
        "arguments",
        "id",
        "document",
        "metadata",
        "embedding",
        "image",
        "tool_call_id",
        "finish_reason",
        "x",
    ]
)
EXACT = sorted(name for dialect in DIALECTS for name in dialect.names)
PREFIXES = sorted(prefix for dialect in DIALECTS for prefix in dialect.prefixes)
PATHS = st.builds(
    lambda prefix, steps: prefix + ".".join(steps), st.sampled_from(PREFIXES), st.lists(STEPS, max_size=7)
)
NAMES = st.sampled_from(EXACT) | PATHS | st.text(max_size=5) | st.sampled_from(["session.id", "user.id", "error.type"])
ATTRIBUTES = st.dictionaries(NAMES, SENT, max_size=12)
EVENT_NAMES = st.sampled_from(
    [
        "exception",
        "gen_ai.user.message",
        "gen_ai.tool.message",
        "gen_ai.choice",
        "gen_ai.content.prompt",
        "gen_ai.content.completion",
        "gen_ai.client.inference.operation.details",
        "gen_ai.new",
        "other",
    ]
)
EVENT_KEYS = st.sampled_from(
    [
        "content",
        "message",
        "role",
        "id",
        "tool_calls",
        "finish_reason",
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "exception.type",
        "exception.message",
        "exception.stacktrace",
    ]
)
EVENTS = st.lists(
    st.builds(Event, EVENT_NAMES, st.integers(0, 2**64 - 1), st.dictionaries(EVENT_KEYS, SENT, max_size=4)), max_size=3
)
RECORDS = st.builds(
    SpanRecord,
    trace_id=st.just("a" * 32),
    span_id=st.just("b" * 16),
    parent_id=st.none() | st.just("b" * 16),
    name=st.text(max_size=8)
    | st.sampled_from(["execute_tool x", "agent run", "running tool", "chat m", "invoke_agent \0"]),
    started_ns=st.integers(0, 2**64 - 1),
    ended_ns=st.none() | st.integers(0, 2**64 - 1),
    otel_kind=st.integers(0, 6),
    status_code=st.integers(0, 3),
    status_message=st.text(max_size=5),
    attributes=ATTRIBUTES,
    events=EVENTS.map(tuple),
    resource=st.dictionaries(st.just("service.name"), SENT),
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list | tuple):
        return 1 + max(map(depth, value), default=0)
    return 0


@settings(max_examples=1000, deadline=None)
@given(RECORDS)
def test_every_record_has_a_meaning(record):
    found = normalise(record)
    assert found.kind in KINDS
    assert found.status in STATUSES
    assert found.ended_us is None or 0 <= found.started_us <= found.ended_us < 2**63
    assert (found.tool is not None) == (found.kind == "tool")
    assert (found.error is not None) == (found.status == "error")
    assert set(found.unmapped) <= set(record.attributes)
    for count in msgspec.structs.astuple(found.tokens):
        assert count is None or (type(count) is int and 0 <= count < 2**63)
    for name in ("agent", "session_id", "end_user", "model", "provider", "service"):
        value = getattr(found, name)
        assert value is None or (isinstance(value, str) and value)
    assert found.cost is None or 0 <= found.cost < 10**9
    assert normalise(record) == found


@settings(deadline=None)
@given(RECORDS)
def test_what_decoding_would_let_through_comes_back_from_json_as_its_own_type(record):
    kept = msgspec.structs.replace(
        record,
        name=clean(record.name),
        attributes=clean(record.attributes),
        events=tuple(Event(e.name, e.time_ns, clean(e.attributes)) for e in record.events),
        resource=clean(record.resource),
        status_message=clean(record.status_message),
    )
    found = normalise(kept)
    encoded = msgspec.json.encode(found)
    back = msgspec.json.decode(encoded)
    assert b"\\u0000" not in encoded.replace(b"\\\\u0000", b"")
    assert back["trace_id"] == found.trace_id
    assert depth(back["tool"]) <= 2 * MAX_DEPTH
