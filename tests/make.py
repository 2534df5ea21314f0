"""Spans and records made by hand, with defaults for what a test does not care about."""

from __future__ import annotations

from typing import Any

from audittrail.ingest.pipeline import prepare
from audittrail.model.batch import Batch, Prepared
from audittrail.model.record import SpanRecord

TRACE = "0af7651916cd43dd8448eb211c80319c"


def span_id(number: int) -> str:
    """A span id that is easy to recognise."""
    return f"{number:016x}"


def record(number: int = 1, *, parent: int | None = None, trace_id: str = TRACE, **fields: Any) -> SpanRecord:
    """A span of one second that ended, unless told otherwise."""
    values: dict[str, Any] = {
        "trace_id": trace_id,
        "span_id": span_id(number),
        "parent_id": span_id(parent) if parent is not None else None,
        "name": f"step {number}",
        "started_ns": 1_795_000_000_000_000_000 + number * 1_000_000,
        "ended_ns": 1_795_000_001_000_000_000 + number * 1_000_000,
    }
    return SpanRecord(**(values | fields))


def llm(number: int = 1, *, tokens: tuple[int, int] = (10, 5), **fields: Any) -> SpanRecord:
    """A model's call that reports its usage."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        **fields.pop("attributes", {}),
    }
    return record(number, attributes=attributes, **fields)


def prepared(*records: SpanRecord) -> tuple[Prepared, ...]:
    """As the pipeline leaves them."""
    return prepare(records)


def batch(*records: SpanRecord, project: int = 1) -> Batch:
    """One request's worth."""
    return Batch(project, prepare(records))
