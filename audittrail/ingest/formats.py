"""The encodings in which spans may come, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from audittrail.ingest.native import decode_spans, decode_trace
from audittrail.ingest.otlp import Decoded, decode_json, decode_protobuf

Format = Literal["otlp-protobuf", "otlp-json", "native-spans", "native-trace"]
DECODERS: dict[Format, Callable[[bytes], Decoded]] = {
    "otlp-protobuf": decode_protobuf,
    "otlp-json": decode_json,
    "native-spans": decode_spans,
    "native-trace": decode_trace,
}
