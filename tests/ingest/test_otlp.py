"""Both encodings of OTLP: what is taken, what is refused and why, and that they agree."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from audittrail.ingest.otlp import decode_json, decode_protobuf
from audittrail.model.batch import Refusal
from audittrail.model.errors import Invalid
from audittrail.model.record import Event, Link, Scope, SpanRecord, decode, encode
from tests.ingest.otlp import SPAN, TRACE, json_request, json_span, pairs, pb_request, pb_span

FIRST = "resourceSpans[0].scopeSpans[0].spans[0]"


def pb_one(span: Span) -> SpanRecord:
    decoded = decode_protobuf(pb_request(span))
    assert decoded.refused == []
    return decoded.records[0]


def json_one(**fields) -> SpanRecord:
    decoded = decode_json(json_request(json_span(**fields)))
    assert decoded.refused == []
    return decoded.records[0]


def json_refused(span) -> str:
    decoded = decode_json(json_request(json_span(spanId="00000000000000aa"), span))
    assert [r.span_id for r in decoded.records] == ["00000000000000aa"]  # the others are taken
    assert [r.where for r in decoded.refused] == ["resourceSpans[0].scopeSpans[0].spans[1]"]
    return decoded.refused[0].reason


def attribute(value) -> dict:
    return {"attributes": [{"key": "k", "value": value}]}


def test_an_empty_request_is_an_empty_answer():
    for decoded in (
        decode_protobuf(b""),
        decode_json(b"{}"),
        decode_json(b'{"resourceSpans": []}'),
        decode_json(b'{"x":1}'),
    ):
        assert (decoded.records, decoded.refused) == ([], [])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b'"text"', b"null", b'{"resourceSpans": [', b"\xff\xfe", b"[" * 10**6]
)
def test_a_body_that_is_no_otlp_json_is_invalid(body):
    with pytest.raises(Invalid, match=r"\w\.|\?$"):
        decode_json(body)


@pytest.mark.parametrize(
    "body",
    [b'{"resourceSpans": 1}', b'{"resourceSpans": [1]}', b'{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}'],
)
def test_json_of_another_shape_says_where(body):
    with pytest.raises(Invalid, match="resourceSpans"):
        decode_json(body)


def test_a_protobuf_body_cut_off_anywhere_never_passes_for_whole():
    whole = pb_request(pb_span({"a": "b"}), pb_span(span_id=b"12345678"), resource={"service.name": "s"})
    for at in range(1, len(whole)):
        with pytest.raises(Invalid):
            decode_protobuf(whole[:at])
    for body in (b"{}", b"\x00", b"\xff" * 30, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"):
        with pytest.raises(Invalid):
            decode_protobuf(body)


@pytest.mark.parametrize("parent", [b"", bytes(8), b"123", bytes(16)])
def test_protobuf_ids(parent):
    record = pb_one(pb_span(parent_span_id=parent))
    assert (record.trace_id, record.span_id, record.parent_id) == (TRACE, SPAN, None)
    assert pb_one(pb_span(parent_span_id=b"abcdefgh")).parent_id == b"abcdefgh".hex()


@pytest.mark.parametrize(
    "bad",
    [{"trace_id": b""}, {"trace_id": bytes(16)}, {"trace_id": b"123"}, {"span_id": bytes(8)}, {"span_id": bytes(9)}],
)
def test_a_protobuf_span_without_a_true_id_is_refused_alone(bad):
    decoded = decode_protobuf(pb_request(pb_span(), pb_span(**bad)))
    assert [r.span_id for r in decoded.records] == [SPAN]
    assert [r.where for r in decoded.refused] == ["resourceSpans[0].scopeSpans[0].spans[1]"]
    assert "not all zero" in decoded.refused[0].reason


def test_json_ids_are_hex_in_any_case():
    record = json_one(traceId=TRACE.upper(), spanId=SPAN.upper(), parentSpanId="ABCDEF0123456789")
    assert (record.trace_id, record.span_id, record.parent_id) == (TRACE, SPAN, "abcdef0123456789")
    for parent in ("", "0" * 16, "abc", "zz" * 8, None, 7):
        assert json_one(parentSpanId=parent).parent_id is None


@pytest.mark.parametrize("bad", ["", "0" * 32, "ab", "g" * 32, None, "Ａ" * 32, "à" * 32])
def test_a_json_span_without_a_true_id_is_refused_alone(bad):
    assert "32 hex digits" in json_refused(json_span(traceId=bad))


def test_json_ids_in_base64_are_refused_and_said_to_be():
    assert "base64" in json_refused(json_span(traceId="CvdlGRbNQ92ESOshHIAxnA=="))
    assert "base64" in json_refused(json_span(spanId="t61rcWkgMzE="))


def test_every_field_arrives_from_protobuf():
    span = pb_span(
        {
            "s": "ü",
            "b": True,
            "i": -5,
            "d": 0.5,
            "raw": b"\0\xff",
            "list": [1, "x", None],
            "map": {"a": {"b": 1}},
            "none": None,
        },
        trace_state="k=v",
        kind=3,
        start_time_unix_nano=1795485234768061747,
        end_time_unix_nano=2**64 - 1,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        status={"code": 2, "message": "failed"},
        events=[Span.Event(name="e", time_unix_nano=5, attributes=pairs({"a": 1}))],
        links=[Span.Link(trace_id=b"x" * 16, span_id=b"y" * 8), Span.Link(trace_id=b"short")],
    )
    assert pb_one(span) == SpanRecord(
        trace_id=TRACE,
        span_id=SPAN,
        name="step",
        started_ns=1795485234768061747,
        ended_ns=2**64 - 1,
        otel_kind=3,
        status_code=2,
        status_message="failed",
        trace_state="k=v",
        attributes={
            "s": "ü",
            "b": True,
            "i": -5,
            "d": 0.5,
            "raw": "AP8=",
            "list": [1, "x", None],
            "map": {"a": {"b": 1}},
            "none": None,
        },
        events=(Event("e", 5, {"a": 1}),),
        links=(Link("78" * 16, "79" * 8), Link("", "")),
        dropped={"attributes": 1, "events": 2, "links": 3},
    )


def test_a_link_that_leads_nowhere_keeps_its_attributes_without_an_id():
    pb = pb_span(links=[Span.Link(trace_id=bytes(16), span_id=bytes(8), attributes=pairs({"a": 1}))])
    listed = [{"key": "a", "value": {"intValue": 1}}]
    json_links = [{"traceId": "0" * 32, "spanId": "CvdlGRbNQ92ESOshHIAxnA==", "attributes": listed}]
    assert pb_one(pb).links == json_one(links=json_links).links == (Link("", "", {"a": 1}),)


def test_a_span_without_an_end_is_running():
    assert pb_one(pb_span(start_time_unix_nano=5)).ended_ns is None
    assert json_one(startTimeUnixNano=5, endTimeUnixNano="0").ended_ns is None
    assert json_one().started_ns == 0


def test_an_end_before_the_start_is_kept_as_sent():
    record = pb_one(pb_span(start_time_unix_nano=9, end_time_unix_nano=4))
    assert (record.started_ns, record.ended_ns) == (9, 4)


def test_resource_and_scope_are_shared_by_the_spans_of_a_block():
    decoded = decode_protobuf(pb_request(pb_span(), pb_span(span_id=b"12345678"), resource={"service.name": "s"}))
    one, two = decoded.records
    assert one.resource == {"service.name": "s"}
    assert one.resource is two.resource
    assert one.scope is two.scope


def test_numbers_json_cannot_say_become_text():
    attributes = pb_one(pb_span({"nan": math.nan, "inf": math.inf, "neg": [-math.inf]})).attributes
    assert attributes == {"nan": "NaN", "inf": "Infinity", "neg": ["-Infinity"]}


def test_nul_and_surrogates_become_their_escapes_everywhere():
    record = pb_one(
        pb_span({"k\0": "v\0", "m": {"\0": ["\0"]}}, name="n\0", status={"message": "\0"}, trace_state="\0")
    )
    assert record.attributes == {"k\\u0000": "v\\u0000", "m": {"\\u0000": ["\\u0000"]}}
    assert (record.name, record.status_message, record.trace_state) == ("n\\u0000", "\\u0000", "\\u0000")
    record = decode_json(
        b'{"resourceSpans":[{"resource":{"attributes":[{"key":"r\\ud800","value":{"stringValue":"\\u0000"}}]},'
        b'"scopeSpans":[{"scope":{"name":"s\\u0000"},"spans":[{"traceId":"'
        + TRACE.encode()
        + b'","spanId":"'
        + SPAN.encode()
        + b'","name":"a\\ud83d b\\ud83d\\ude00"}]}]}]}'
    ).records[0]
    assert (record.name, record.resource, record.scope) == ("a\\ud83d b😀", {"r\\ud800": "\\u0000"}, Scope("s\\u0000"))
    assert decode(encode(record)) == record


def broken_utf8(name: bytes) -> bytes:
    """A request whose second span of three has these bytes for its name, and for an attribute's key and value."""
    mark = "#" * len(name)
    body = pb_request(
        pb_span(name="first"),
        pb_span({mark: mark, "good": 1.5}, span_id=b"22222222", kind=3, start_time_unix_nano=7, name=mark),
        pb_span(name="third", span_id=b"33333333"),
        resource={"service.name": "s"},
    )
    return body.replace(mark.encode(), name)


def test_text_that_is_not_utf8_is_mended_and_costs_no_other_span():
    decoded = decode_protobuf(broken_utf8(b"caf\xe9 \xff!"))
    assert decoded.refused == []
    assert [r.name for r in decoded.records] == ["first", "caf\ufffd \ufffd!", "third"]
    mended = decoded.records[1]
    assert mended.attributes == {"caf\ufffd \ufffd!": "caf\ufffd \ufffd!", "good": 1.5}
    assert (mended.otel_kind, mended.started_ns, mended.resource) == (3, 7, {"service.name": "s"})


def test_a_resource_that_is_not_utf8_is_mended():
    body = pb_request(pb_span(), resource={"service.name": "####"}).replace(b"####", b"\xc3\x28ab")
    assert decode_protobuf(body).records[0].resource == {"service.name": "\ufffd(ab"}


def test_a_span_of_broken_bytes_is_refused_and_costs_no_other():
    body = broken_utf8(b"\xff\xff\xff\xff")
    inner = b"\x3d\x01"  # a 32-bit field with one byte of its four
    bad = b"\x12" + bytes([len(inner)]) + inner
    group = b"\x12" + bytes([len(bad)]) + bad
    decoded = decode_protobuf(body + b"\x0a" + bytes([len(group)]) + group)
    assert len(decoded.records) == 3
    assert [r.where for r in decoded.refused] == ["resourceSpans[1].scopeSpans[0].spans[0]"]
    assert "not a valid protobuf message" in decoded.refused[0].reason


def field(number: int, body: bytes) -> bytes:
    """A length-delimited field made by hand: the library refuses to write what it refuses to read."""
    size, out = len(body), bytearray([number << 3 | 2])
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    return bytes(out) + bytes([size]) + body


def test_mending_is_bounded_and_what_it_cannot_mend_costs_itself():
    ids = field(1, b"t" * 16) + field(2, b"s" * 8)
    many = field(2, ids + field(5, b"\xff") + field(9, b"") * 100_001)
    bad_resource = field(1, field(1, field(1, b"\xff") * 100_001))
    decoded = decode_protobuf(
        field(1, field(2, many + field(2, ids))) + field(1, bad_resource + field(2, field(2, ids)))
    )
    assert len(decoded.records) == 2
    assert [r.where for r in decoded.refused] == [FIRST]
    assert "too many to mend" in decoded.refused[0].reason
    assert decoded.records[1].resource == {}


def test_a_resource_with_a_value_too_deep_does_not_take_its_spans_along():
    value = field(1, b"leaf")
    for _ in range(60):
        value = field(5, field(1, value))
    resource = field(1, field(1, field(1, b"k") + field(2, value)))
    span = field(2, field(2, field(1, b"t" * 16) + field(2, b"s" * 8)))
    decoded = decode_protobuf(field(1, resource + span))
    assert [(r.span_id, r.resource) for r in decoded.records] == [(b"s".hex() * 8, {})]


def nested(depth: int):
    value = "leaf"
    for _ in range(depth):
        value = [value]
    return value


def pb_nested(depth: int) -> bytes:
    """A span with a value nested that deep, made by hand: the library refuses to."""

    value = field(1, b"leaf")
    for _ in range(depth):
        value = field(5, field(1, value))
    span = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, field(1, b"k") + field(2, value))
    good = field(1, b"t" * 16) + field(2, b"g" * 8)
    return field(1, field(2, field(2, span) + field(2, good)))


@pytest.mark.parametrize("depth", [30, 46, 60, 65, 200, 5000])
def test_depth_is_bounded_in_protobuf(depth):
    decoded = decode_protobuf(pb_nested(depth))
    assert decoded.records[-1].span_id == b"g".hex() * 8
    if depth <= 46:
        assert decoded.records[0].attributes == {"k": nested(depth)}
    else:
        assert "nested" in decoded.refused[0].reason


@pytest.mark.parametrize("depth", [30, 64, 65, 200])
def test_depth_is_bounded_in_json(depth):
    value = {"stringValue": "leaf"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    decoded = decode_json(json_request(json_span(**attribute(value)), json_span()))
    if depth <= 64:
        assert decoded.records[0].attributes == {"k": nested(depth)}
    else:
        assert "64 levels" in decoded.refused[0].reason
        assert len(decoded.records) == 1


def test_depth_that_no_parser_follows_is_invalid():
    deep = b'{"arrayValue":{"values":[' * 3000
    with pytest.raises(Invalid, match=r"nested too deeply|not valid JSON"):
        decode_json(b'{"resourceSpans":[{"x":' + deep)
    with pytest.raises(Invalid, match="nested too deeply"):
        decode_json(b'{"resourceSpans":' + b"[" * 50_000 + b"]" * 50_000 + b"}")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"stringValue": "x"}, "x"),
        ({"stringValue": ""}, ""),
        ({"boolValue": False}, False),
        ({"intValue": "-5"}, -5),
        ({"intValue": 5}, 5),
        ({"intValue": 5.0}, 5),
        ({"intValue": "9223372036854775807"}, 2**63 - 1),
        ({"intValue": "9223372036854775808"}, "9223372036854775808"),
        ({"intValue": 10**30}, str(10**30)),
        ({"intValue": "-" + "9" * 500}, "-" + "9" * 500),
        ({"doubleValue": 0.5}, 0.5),
        ({"doubleValue": 3}, 3.0),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"doubleValue": "-Infinity"}, "-Infinity"),
        ({"doubleValue": "0.5"}, 0.5),
        ({"bytesValue": "AP8="}, "AP8="),
        ({"arrayValue": {}}, []),
        ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, [1, None]),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}, {"a": 1}),
        ({}, None),
        (None, None),
        ({"unknownValue": 1}, None),
        ({"unknownValue": 1, "intValue": 2}, 2),
    ],
)
def test_json_values(value, kept):
    assert json_one(**attribute(value)).attributes == {"k": kept}


@pytest.mark.parametrize(
    "value",
    [
        1,
        [],
        {"stringValue": 5},
        {"intValue": "five"},
        {"intValue": 1.5},
        {"intValue": True},
        {"boolValue": "true"},
        {"doubleValue": "much"},
        {"doubleValue": True},
        {"doubleValue": []},
        {"arrayValue": [1]},
        {"arrayValue": {"values": 1}},
        {"kvlistValue": {"values": [{"key": 1}]}},
    ],
)
def test_a_malformed_value_refuses_its_span_alone(value):
    assert json_refused(json_span(**attribute(value))).endswith(".")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": 5},
        {"kind": []},
        {"kind": 1.5},
        {"kind": 2**40},
        {"status": "bad"},
        {"status": {"code": {}}},
        {"attributes": {}},
        {"attributes": [1]},
        {"attributes": [{"key": 5}]},
        {"events": [1]},
        {"events": [{"name": 1}]},
        {"links": [1]},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": -1},
        {"startTimeUnixNano": 2**64},
        {"startTimeUnixNano": True},
        {"endTimeUnixNano": 1.5},
    ],
)
def test_a_malformed_field_refuses_its_span_alone_and_is_named(fields):
    name = next(iter(fields))
    assert name.rstrip("s").removesuffix("UnixNano")[:5].lower() in json_refused(json_span(**fields)).lower()
    assert "must be an object" in json_refused(7)


def test_the_last_of_two_equal_keys_wins():
    pair = {"key": "k", "value": {"intValue": 1}}
    assert json_one(attributes=[pair, {"key": "k", "value": {"intValue": 2}}]).attributes == {"k": 2}
    span = pb_span()
    span.attributes.extend([*pairs({"k": 1}), *pairs({"k": "two"})])
    assert pb_one(span).attributes == {"k": "two"}


def test_enums_come_as_numbers_or_names():
    assert json_one(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"}).otel_kind == 3
    assert json_one(kind="3", status={"code": "2"}).status_code == 2
    assert json_one(kind="SPAN_KIND_NEW").otel_kind == 0
    assert json_one(kind=99).otel_kind == pb_one(pb_span(kind=99)).otel_kind == 99


def test_json_with_a_byte_order_mark_or_bytes_that_are_no_utf8_is_read():
    body = json_request(json_span(name="##"))
    assert decode_json(b"\xef\xbb\xbf" + body).records[0].name == "##"
    assert decode_json(body.replace(b"##", b"\xff\xfe")).records[0].name == "\ufffd\ufffd"


def test_an_attribute_of_a_resource_that_is_wrong_costs_only_itself():
    resource = {"attributes": [{"key": "a", "value": {"intValue": "x"}}, 5, {"key": "b", "value": {"intValue": 1}}]}
    assert decode_json(json_request(json_span(), resource=resource)).records[0].resource == {"b": 1}
    assert decode_json(json_request(json_span(), resource={"attributes": 5})).records[0].resource == {}


def test_a_refusal_never_repeats_what_was_sent():
    secret = "secret@example.org"
    for fields in (
        {"traceId": secret},
        {"startTimeUnixNano": secret},
        attribute({"intValue": secret}),
        attribute(secret),
    ):
        assert secret not in json_refused(json_span(**fields))


def test_base64_refusals_are_structs_of_reason_and_place():
    refused = decode_json(json_request(json_span(traceId="CvdlGRbNQ92ESOshHIAxnA=="))).refused
    assert refused == [Refusal("The traceId looks like base64; OTLP/JSON writes ids as 32 hex digits.", FIRST)]


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def in_json(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        text = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return {"doubleValue": value if math.isfinite(value) else text}
    if isinstance(value, bytes):
        import base64

        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [in_json(v) for v in value]}}
    return {"kvlistValue": {"values": [{"key": k, "value": in_json(v)} for k, v in value.items()]}}


@settings(deadline=None)
@given(
    attributes=st.dictionaries(st.text(max_size=5), VALUES, max_size=4),
    name=st.text(max_size=10),
    start=st.integers(0, 2**64 - 1),
    end=st.integers(0, 2**64 - 1),
    kind=st.integers(0, 5),
    code=st.integers(0, 2),
)
def test_both_encodings_of_a_span_give_the_same_record_and_it_survives_storing(
    attributes, name, start, end, kind, code
):
    times = {"start_time_unix_nano": start, "end_time_unix_nano": end}
    event = Span.Event(name=name, time_unix_nano=end, attributes=pairs(attributes))
    span = pb_span(attributes, name=name, kind=kind, status={"code": code, "message": name}, events=[event], **times)
    listed = [{"key": k, "value": in_json(v)} for k, v in attributes.items()]
    body = json_request(
        json_span(
            name=name,
            kind=kind,
            status={"code": code, "message": name},
            startTimeUnixNano=str(start),
            endTimeUnixNano=end,
            attributes=listed,
            events=[{"name": name, "timeUnixNano": end, "attributes": listed}],
        )
    )
    one, two = pb_one(span), decode_json(body).records[0]
    assert one == two
    assert decode(encode(one)) == one
    assert "\\u0000" not in encode(one).decode().replace("\\\\u0000", "")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_protobuf_reader(data):
    try:
        decode_protobuf(data)
    except Invalid:
        return
    decode_protobuf(data)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=6), st.integers(0, 400), st.integers(0, 400))
def test_no_damage_breaks_the_protobuf_reader(noise, at, length):
    body = broken_utf8(b"\xff\xff\xff\xff")
    damaged = body[: at % len(body)] + noise + body[at % len(body) + length % 9 :]
    try:
        decoded = decode_protobuf(damaged)
    except Invalid:
        return
    for record in decoded.records:
        assert decode(encode(record)) == record


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceSpans",
                    "scopeSpans",
                    "spans",
                    "resource",
                    "attributes",
                    "key",
                    "value",
                    "stringValue",
                    "intValue",
                    "arrayValue",
                    "values",
                    "traceId",
                    "spanId",
                    "name",
                    "kind",
                    "status",
                    "code",
                    "events",
                    "links",
                    "startTimeUnixNano",
                    "kvlistValue",
                    "doubleValue",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSONISH)
def test_no_json_breaks_the_json_reader(value):
    for body in (
        value,
        {"resourceSpans": [{"scopeSpans": [{"spans": [value, {**json_span(), "attributes": [value]}]}]}]},
    ):
        try:
            decoded = decode_json(json.dumps(body).encode())
        except Invalid:
            continue
        for record in decoded.records:
            assert decode(encode(record)) == record


def test_an_integer_in_a_json_double_is_a_number_if_it_can_be():
    assert "number" in json_refused(json_span(**attribute({"doubleValue": 10**400})))
    assert json_one(**attribute({"doubleValue": 10**30})).attributes == {"k": 1e30}
