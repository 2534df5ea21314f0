"""Log records: which say something of a span, and what; and joining that to the span in any order."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from audittrail.ingest.joining import join
from audittrail.ingest.normalise import normalise
from audittrail.ingest.otlp import IGNORED, decode_json_logs, decode_protobuf_logs
from audittrail.model.errors import Invalid
from audittrail.model.record import Event, SpanRecord
from audittrail.model.span import Message, Part
from tests.make import TRACE, record, span_id

SPAN = span_id(1)


def log(name: str = "gen_ai.user.message", content: Any = "hello", **fields: Any) -> dict[str, Any]:
    """A log record as OTLP/JSON has it, its name among its attributes and its content in its body."""
    body = {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": content}}]}}
    named = [{"key": "event.name", "value": {"stringValue": name}}]
    return {"traceId": TRACE, "spanId": SPAN, "timeUnixNano": "5", "body": body, "attributes": named} | fields


def request(*logs: Any) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(logs)}]}]}).encode()


def protobuf(*, text: str = "hello", name: str = "", span: bytes = b"\1" * 8) -> ExportLogsServiceRequest:
    body = ExportLogsServiceRequest()
    one = body.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"\2" * 16, span_id=span)
    one.observed_time_unix_nano = 7
    one.event_name = name or "gen_ai.choice"
    one.body.kvlist_value.values.add(key="message").value.string_value = text
    return body


def test_of_a_spans_events_one_record_is_made() -> None:
    decoded = decode_json_logs(request(log(), log("gen_ai.choice", "hi", timeUnixNano="6"), log(spanId=span_id(2))))
    assert decoded.refused == []
    assert decoded.records == [
        SpanRecord(
            trace_id=TRACE,
            span_id=SPAN,
            events=(
                Event("gen_ai.user.message", 5, {"content": "hello"}),
                Event("gen_ai.choice", 6, {"content": "hi"}),
            ),
        ),
        SpanRecord(trace_id=TRACE, span_id=span_id(2), events=(Event("gen_ai.user.message", 5, {"content": "hello"}),)),
    ]


def test_the_same_in_protobuf() -> None:
    decoded = decode_protobuf_logs(protobuf().SerializeToString())
    event = Event("gen_ai.choice", 7, {"message": "hello"})
    assert decoded.records == [SpanRecord(trace_id="02" * 16, span_id="01" * 8, events=(event,))]
    assert decode_protobuf_logs(b"").records == []


@pytest.mark.parametrize(
    "other",
    [
        log("my.event"),
        log(name=""),
        log(traceId=""),
        log(spanId="0" * 16),
        log(traceId="zz" * 16),
        {"body": {"stringValue": "a line"}},
        {},
    ],
)
def test_what_says_nothing_of_a_span_is_counted(other: dict[str, Any]) -> None:
    decoded = decode_json_logs(request(other, log()))
    assert [one.reason for one in decoded.refused] == [IGNORED]
    assert len(decoded.records) == 1


@pytest.mark.parametrize("bad", ["text", 5, None, [], log(attributes=5), log(timeUnixNano="x"), log(body=5)])
def test_one_bad_record_costs_no_other(bad: Any) -> None:
    decoded = decode_json_logs(request(bad, log()))
    assert len(decoded.records) == 1
    assert [one.where for one in decoded.refused] == ["resourceLogs[0].scopeLogs[0].logRecords[0]"]
    assert decoded.refused[0].reason != IGNORED


@pytest.mark.parametrize("body", [b"[", b"[]", b'{"resourceLogs": 5}', b'{"resourceLogs": [1]}', b"[" * 100_000])
def test_what_is_no_request_in_json(body: bytes) -> None:
    with pytest.raises(Invalid):
        decode_json_logs(body)


def test_what_is_no_request_in_protobuf_and_what_can_be_mended() -> None:
    whole = protobuf(text="caf\u00e9").SerializeToString()
    with pytest.raises(Invalid, match="ExportLogsServiceRequest"):
        decode_protobuf_logs(whole[:-3])
    mended = decode_protobuf_logs(whole.replace("\u00e9".encode(), b"\xe9\xe9")).records
    assert mended[0].events[0].attributes == {"message": "caf\ufffd\ufffd"}


def test_a_text_for_a_body_is_the_content_and_the_name_may_stand_in_its_own_field() -> None:
    one = log(body={"stringValue": "hello"}, attributes=[], eventName="gen_ai.system.message")
    assert decode_json_logs(request(one)).records[0].events == (
        Event("gen_ai.system.message", 5, {"content": "hello"}),
    )


def said(n: int, *, pii: dict[str, int] | None = None) -> SpanRecord:
    role = "user" if n < 3 else "assistant"
    event = Event(f"gen_ai.{role}.message", n, {"content": f"message {n}"})
    return SpanRecord(trace_id=TRACE, span_id=SPAN, events=(event,), pii=pii or {})


def test_joined_in_any_order_and_more_than_once_it_is_the_same() -> None:
    own = record(1, events=(Event("exception", 2, {}),), pii={"EMAIL": 1})
    fragments = [said(n, pii={"EMAIL": 1} if n == 1 else {"CARD": 2}) for n in (1, 2, 3)]
    whole = join(own, fragments)
    assert [event.time_ns for event in whole.events] == [1, 2, 2, 3]
    assert whole.pii == {"EMAIL": 2, "CARD": 4}
    assert join(whole, fragments) is whole
    assert join(own, []) is own
    dice = random.Random(4)
    for _ in range(20):
        found = own
        dice.shuffle(fragments)
        for fragment in fragments:
            found = join(found, [fragment, fragment])
        assert sorted(map(repr, found.events)) == sorted(map(repr, whole.events))
        assert [event.time_ns for event in found.events] == [1, 2, 2, 3] and found.pii == whole.pii


def test_what_was_joined_is_the_messages_of_the_span() -> None:
    chat = record(1, attributes={"gen_ai.operation.name": "chat"})
    found = normalise(join(chat, [said(1), SpanRecord(trace_id=TRACE, span_id=SPAN, events=(_choice(),))]))
    assert found.input == (Message("user", (Part("text", "message 1"),)),)
    assert found.output == (Message("assistant", (Part("text", "done"),), "stop"),)


def _choice() -> Event:
    return Event("gen_ai.choice", 9, {"finish_reason": "stop", "message": {"role": "assistant", "content": "done"}})
