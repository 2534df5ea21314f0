"""OpenTelemetry's trace and log export requests, in both encodings."""

from audittrail.ingest.otlp.decoded import Decoded
from audittrail.ingest.otlp.json import decode_json
from audittrail.ingest.otlp.logs import IGNORED, decode_json_logs, decode_protobuf_logs
from audittrail.ingest.otlp.protobuf import decode_protobuf

__all__ = [
    "IGNORED",
    "Decoded",
    "decode_json",
    "decode_json_logs",
    "decode_protobuf",
    "decode_protobuf_logs",
]
