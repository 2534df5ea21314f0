"""The encodings in which spans, and what is said of them, may come, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from audittrail.ingest.native import decode_spans, decode_trace
from audittrail.ingest.otlp import Decoded, decode_json, decode_json_logs, decode_protobuf, decode_protobuf_logs

Format = Literal["otlp-protobuf", "otlp-json", "otlp-protobuf-logs", "otlp-json-logs", "native-spans", "native-trace"]
DECODERS: dict[Format, Callable[[bytes], Decoded]] = {
    "otlp-protobuf": decode_protobuf,
    "otlp-json": decode_json,
    "otlp-protobuf-logs": decode_protobuf_logs,
    "otlp-json-logs": decode_json_logs,
    "native-spans": decode_spans,
    "native-trace": decode_trace,
}
