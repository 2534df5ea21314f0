"""OpenTelemetry's trace export requests, in both encodings."""

from audittrail.ingest.otlp.decoded import Decoded
from audittrail.ingest.otlp.json import decode_json
from audittrail.ingest.otlp.protobuf import decode_protobuf

__all__ = ["Decoded", "decode_json", "decode_protobuf"]
