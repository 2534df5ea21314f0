"""What came out of a request's body: the spans, and what was refused of it."""

from __future__ import annotations

import msgspec

from audittrail.model.batch import Refusal
from audittrail.model.record import SpanRecord

# The largest number of nanoseconds OTLP's fixed64 can say: the year 2554.
MAX_NS = 2**64 - 1


class Decoded(msgspec.Struct, frozen=True):
    """The spans of a body in their order, and the refused ones."""

    records: list[SpanRecord]
    refused: list[Refusal]


class Unfit(Exception):
    """This one span cannot be taken. The message is the refusal's reason."""


def place(block: int, scope: int, span: int) -> str:
    """Where a span stands in its request."""
    return f"resourceSpans[{block}].scopeSpans[{scope}].spans[{span}]"
