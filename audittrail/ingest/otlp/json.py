"""OTLP in JSON: ids in hex, 64-bit integers as text or number.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import re
from typing import Any

from audittrail.ingest.jsontext import TooDeep, parse
from audittrail.ingest.otlp.decoded import MAX_NS, Decoded, Unfit, place
from audittrail.ingest.otlp.json_value import attributes, field, integer
from audittrail.ingest.text import storable
from audittrail.model.batch import Refusal
from audittrail.model.errors import Invalid
from audittrail.model.record import Event, Link, Scope, SpanRecord

_HEX = re.compile(r"[0-9a-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_KINDS = {
    "SPAN_KIND_UNSPECIFIED": 0,
    "SPAN_KIND_INTERNAL": 1,
    "SPAN_KIND_SERVER": 2,
    "SPAN_KIND_CLIENT": 3,
    "SPAN_KIND_PRODUCER": 4,
    "SPAN_KIND_CONSUMER": 5,
}
_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_INT32 = 2**31 - 1


def decode_json(data: bytes) -> Decoded:
    """The spans of an ExportTraceServiceRequest in JSON; `{}` is an empty one. Raises Invalid if it is none at all.

    Fields it does not know are ignored, as the specification asks.
    """
    request = body(data, "resourceSpans")
    records: list[SpanRecord] = []
    refused: list[Refusal] = []
    for i, block in enumerate(blocks(request, "resourceSpans", "")):
        where = f"resourceSpans[{i}]"
        resource = _shared(_object(block, "resource", where))
        for j, group in enumerate(blocks(block, "scopeSpans", where)):
            scope = _scope(_object(group, "scope", f"{where}.scopeSpans[{j}]"))
            for k, span in enumerate(items(group, "spans", f"{where}.scopeSpans[{j}]")):
                try:
                    records.append(_record(span, resource, scope))
                except Unfit as reason:
                    refused.append(Refusal(str(reason), place(i, j, k)))
    return Decoded(records, refused)


def body(data: bytes, of: str) -> dict[str, Any]:
    """The object that a request is; `of` is what it must hold. Raises Invalid."""
    try:
        request = parse(data)
    except TooDeep:
        raise Invalid("The JSON body is nested too deeply to be read.") from None
    except ValueError:
        raise Invalid("The body is not valid JSON; was it cut off?") from None
    if not isinstance(request, dict):
        raise Invalid(f"The JSON body must be an object with {of}, as OTLP/JSON defines it.")
    return request


def items(parent: dict[str, Any], key: str, where: str) -> list[Any]:
    """The array below that key; where there is none, an empty one. Raises Invalid."""
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{where}.{key} must be an array.".lstrip("."))
    return value


def blocks(parent: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """The same, of objects. Raises Invalid."""
    found = items(parent, key, where)
    for i, item in enumerate(found):
        if not isinstance(item, dict):
            raise Invalid(f"{where}.{key}[{i}] must be an object.".lstrip("."))
    return found


def _object(parent: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{where}.{key} must be an object.")
    return value


def _record(span: Any, resource: dict[str, Any], scope: Scope) -> SpanRecord:
    if not isinstance(span, dict):
        raise Unfit("The span must be an object.")
    status = field(span, "status", dict)
    return SpanRecord(
        trace_id=_id(span, "traceId", 32),
        span_id=_id(span, "spanId", 16),
        parent_id=hex_id(span.get("parentSpanId"), 16) or None,
        name=storable(field(span, "name", str)),
        started_ns=nanoseconds(span, "startTimeUnixNano"),
        ended_ns=nanoseconds(span, "endTimeUnixNano") or None,
        otel_kind=_enum(span, "kind", _KINDS, "span"),
        status_code=_enum(status, "code", _CODES, "status"),
        status_message=storable(field(status, "message", str, "status")),
        trace_state=storable(field(span, "traceState", str)),
        attributes=attributes(span, "attributes"),
        events=tuple([_event(item) for item in field(span, "events", list)]),
        links=tuple([_link(item) for item in field(span, "links", list)]),
        dropped=_dropped(span),
        resource=resource,
        scope=scope,
    )


def _id(span: dict[str, Any], key: str, digits: int) -> str:
    value = field(span, key, str)
    found = hex_id(value, digits)
    if found:
        return found
    if len(value) != digits and _BASE64.fullmatch(value) and len(value) in (24, 22, 12, 11):
        raise Unfit(f"The {key} looks like base64; OTLP/JSON writes ids as {digits} hex digits.")
    raise Unfit(f"The {key} must be {digits} hex digits that are not all zero.")


def hex_id(value: Any, digits: int) -> str:
    """The id in lower case, or nothing where it is none: a parent or link that cannot be followed costs no span."""
    if not isinstance(value, str) or len(value) != digits:
        return ""
    value = value.lower()
    return value if _HEX.fullmatch(value) and value.strip("0") else ""


def nanoseconds(parent: dict[str, Any], key: str) -> int:
    """A time; 0 where there is none. Raises Unfit."""
    value = parent.get(key)
    if value is None or value == "":
        return 0
    found = integer(value)
    if found is None or not 0 <= found <= MAX_NS:
        raise Unfit(f"The field {key} of the span must be nanoseconds since 1970, from 0 to 2^64-1.")
    return found


def _enum(parent: dict[str, Any], key: str, names: dict[str, int], owner: str) -> int:
    value = parent.get(key)
    if value is None:
        return 0
    if isinstance(value, str) and value in names:
        return names[value]
    found = integer(value)
    if found is not None and -_INT32 - 1 <= found <= _INT32:
        return found
    # A name from a later version of the protocol reads as unspecified, as protobuf's JSON mapping does it.
    if isinstance(value, str):
        return 0
    raise Unfit(f"The field {key} of the {owner} must be a whole number.")


def _dropped(span: dict[str, Any]) -> dict[str, int]:
    out = {}
    for name in ("attributes", "events", "links"):
        count = integer(span.get(f"dropped{name.capitalize()}Count"))
        if count and 0 < count < 2**32:
            out[name] = count
    return out


def _event(event: Any) -> Event:
    if not isinstance(event, dict):
        raise Unfit("Each event of the span must be an object.")
    name = storable(field(event, "name", str, "event"))
    return Event(name, nanoseconds(event, "timeUnixNano"), attributes(event, "attributes"))


def _link(link: Any) -> Link:
    if not isinstance(link, dict):
        raise Unfit("Each link of the span must be an object.")
    return Link(hex_id(link.get("traceId"), 32), hex_id(link.get("spanId"), 16), attributes(link, "attributes"))


def _shared(owner: dict[str, Any]) -> dict[str, Any]:
    """A resource's or scope's attributes: what is wrong there costs itself, not all the spans below."""
    pairs = owner.get("attributes")
    kept: dict[str, Any] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        try:
            kept |= attributes({"attributes": [pair]}, "attributes")
        except Unfit:
            continue
    return kept


def _scope(scope: dict[str, Any]) -> Scope:
    name, version = scope.get("name"), scope.get("version")
    return Scope(
        storable(name) if isinstance(name, str) else "",
        storable(version) if isinstance(version, str) else "",
        _shared(scope),
    )
