import json

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from audittrail.ingest.reply import explain, failure, success
from audittrail.model.batch import Refusal

REFUSED = [Refusal("The name must be text.", f"spans[{i}]") for i in range(5)] + [
    Refusal("The id is zero.", "spans[9]")
]


def test_all_taken_is_an_empty_message():
    assert success("protobuf") == b""
    assert success("json") == b"{}"


def test_refused_spans_are_counted_and_explained_in_protobuf():
    partial = ExportTraceServiceResponse.FromString(success("protobuf", REFUSED)).partial_success
    assert partial.rejected_spans == 6
    assert partial.error_message == explain(REFUSED)


def test_refused_spans_are_counted_and_explained_in_json():
    partial = json.loads(success("json", REFUSED))["partialSuccess"]
    assert partial == {"rejectedSpans": "6", "errorMessage": explain(REFUSED)}


def test_an_explanation_gives_each_reason_once_with_its_first_places():
    assert explain(REFUSED) == (
        "spans[0], spans[1], spans[2] and 2 more: The name must be text. spans[9]: The id is zero."
    )
    many = [Refusal(f"Reason {i}.", f"spans[{i}]") for i in range(1000)]
    assert explain(many).endswith("spans[4]: Reason 4. 995 more for other reasons.")


@pytest.mark.parametrize("message", ["The body is cut off.", "Größer als 16 MiB"])
def test_a_failure_is_a_status_in_the_encoding_of_the_request(message):
    status = Status.FromString(failure("protobuf", 3, message))
    assert (status.code, status.message) == (3, message)
    assert json.loads(failure("json", 3, message)) == {"code": 3, "message": message}
