"""Sends takes to a server as an instrumented agent would: stock OpenTelemetry over HTTP, one service for each agent."""

from __future__ import annotations

import logging
import random

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, Status, StatusCode, Tracer, set_span_in_context

from tests.demo.take import Take


class Ids(IdGenerator):
    """The same ids for the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(f"{seed}/ids")

    def generate_span_id(self) -> int:
        return self.dice.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return self.dice.getrandbits(128) or 1


class Wire:
    """The exporters of all agents."""

    def __init__(self, url: str, key: str, seed: int) -> None:
        self.url, self.key, self.ids = url, key, Ids(seed)
        self.providers: dict[str, TracerProvider] = {}
        # A server that stops before its agents is the demo's normal end, and no news.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)

    def tracer(self, agent: str) -> Tracer:
        """Of the agent's own process, as it were."""
        if agent not in self.providers:
            resource = Resource.create(
                {
                    "service.name": f"nordfell-{agent}",
                    "service.version": "2026.11.3",
                    "deployment.environment.name": "production",
                }
            )
            provider = TracerProvider(resource=resource, id_generator=self.ids, shutdown_on_exit=False)
            exporter = OTLPSpanExporter(
                endpoint=f"{self.url}/v1/traces",
                headers={"Authorization": f"Bearer {self.key}"},
                compression=Compression.Gzip,
                timeout=30,
            )
            provider.add_span_processor(
                BatchSpanProcessor(
                    exporter, max_queue_size=100_000, schedule_delay_millis=1_000, max_export_batch_size=512
                )
            )
            self.providers[agent] = provider
        return self.providers[agent].get_tracer("nordfell.agents", "3.1.0")

    def send(self, take: Take) -> str:
        """A take of the past, all of it, under its own times. Returns the trace's id."""
        part = Part(take, self)
        for number in range(len(take.pieces)):
            part.begin(number, take.at)
        # Children before their parents, as a process ends them.
        for number in reversed(range(len(take.pieces))):
            part.end(number, take.at)
        return part.trace_id

    def flush(self) -> None:
        """Returns when all that has ended is on the server's disk."""
        for provider in self.providers.values():
            if not provider.force_flush(60_000):
                raise RuntimeError("the server did not take the spans within a minute")

    def close(self) -> None:
        """Sends what is left, and ends the threads."""
        for provider in self.providers.values():
            provider.shutdown()


class Part:
    """The spans of one take, begun and ended one by one. Times are of the take's beginning, in seconds since 1970."""

    def __init__(self, take: Take, wire: Wire) -> None:
        self.take, self.tracer = take, wire.tracer(take.agent)
        self.spans: dict[int, Span] = {}

    @property
    def trace_id(self) -> str:
        """Of the spans begun so far."""
        return f"{self.spans[0].get_span_context().trace_id:032x}"

    def span_id(self, number: int) -> str:
        """Of a span that has begun."""
        return f"{self.spans[number].get_span_context().span_id:016x}"

    def begin(self, number: int, began: float) -> None:
        """The piece's span begins."""
        piece = self.take.pieces[number]
        context = Context() if piece.parent is None else set_span_in_context(self.spans[piece.parent], Context())
        self.spans[number] = self.tracer.start_span(
            piece.name, context, attributes=piece.attributes, start_time=_ns(began + piece.start)
        )

    def end(self, number: int, began: float) -> None:
        """It ends, with its events; and is never seen when its process died first."""
        piece = self.take.pieces[number]
        if piece.parent is None and self.take.lost_root:
            return
        span = self.spans[number]
        for at, name, attributes in piece.events:
            span.add_event(name, attributes, _ns(began + at))
        if piece.failure:
            span.set_status(Status(StatusCode.ERROR, piece.failure.message))
        span.end(_ns(began + piece.end))


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000) * 1_000
