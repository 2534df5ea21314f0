"""GET /metrics: everything that can be counted, as Prometheus reads it. Each number is read when it is asked for."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from litestar import Request, Response, get
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from audittrail import __version__
from audittrail.disk import space
from audittrail.identity.address import is_near
from audittrail.model.errors import Forbidden, Unavailable
from audittrail.runtime import Runtime
from audittrail.web.api.operations import search_lag_seconds
from audittrail.web.traffic import SECONDS, Traffic

# Any of them says that a proxy stands between: no client can keep Caddy from adding the first.
_PROXIED = ("x-forwarded-for", "forwarded", "via")


class _Readings:
    """What was read for one request, in the shape that the registry asks for."""

    def __init__(self, runtime: Runtime, traffic: Traffic, database_bytes: int | None) -> None:
        self._runtime = runtime
        self._traffic = traffic
        self._database_bytes = database_bytes

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._program()
        yield from self._spans()
        yield from self._requests()
        yield from self._tasks()

    def _program(self) -> Iterator[Metric]:
        runtime = self._runtime
        build = GaugeMetricFamily(
            "audittrail_build_info", "1, with what runs.", labels=["version", "python", "database"]
        )
        database = "sqlite" if runtime.db.is_sqlite else "postgresql"
        build.add_metric([__version__, platform.python_version(), database], 1)
        yield build
        yield _gauge("audittrail_database_up", "1 when the database answers.", self._database_bytes is not None)
        if self._database_bytes is not None:
            yield _gauge("audittrail_database_size_bytes", "Size of the database on disk.", self._database_bytes)
        disk = space(runtime.settings.data_dir)
        if disk is not None:
            yield _gauge("audittrail_data_free_bytes", "Space left for the data folder.", disk.free)
            yield _gauge("audittrail_data_size_bytes", "Size of the data folder's file system.", disk.total)
        rules = runtime.constitution
        yield _gauge("audittrail_rules_loaded", "Rules in force.", len(rules.rules))
        yield _gauge("audittrail_rule_errors", "Faults in rule files that keep them out of force.", len(rules.errors))
        yield _gauge("audittrail_event_streams", "Open event streams.", len(runtime.live.streams))

    def _spans(self) -> Iterator[Metric]:
        writer = self._runtime.writer.state()
        yield _counter("audittrail_spans_stored", "Spans committed.", writer.stored_spans)
        yield _counter("audittrail_spans_refused", "Spans refused for what they are.", writer.refused_spans)
        yield _counter(
            "audittrail_ingest_busy", "Requests told to come again: the queue was full.", writer.busy_answers
        )
        yield _gauge("audittrail_writer_pending_spans", "Spans that wait to be written.", writer.pending_spans)
        yield _gauge("audittrail_writer_pending_bytes", "Their bytes.", writer.pending_bytes)
        yield _gauge("audittrail_writer_pending_spans_limit", "How many may wait.", writer.max_pending_spans)
        yield _gauge("audittrail_writer_pending_bytes_limit", "How many bytes may wait.", writer.max_pending_bytes)
        yield _gauge("audittrail_writer_failing", "1 when the last transaction could not be written.", writer.failing)
        lag = search_lag_seconds(self._runtime)
        yield _gauge("audittrail_search_lag_seconds", "Age of the oldest trace not whole in search.", lag)

    def _requests(self) -> Iterator[Metric]:
        traffic, runtime = self._traffic, self._runtime
        requests = CounterMetricFamily("audittrail_http_requests", "Requests answered.", labels=["group", "status"])
        for (group, digit), count in sorted(traffic.requests.items()):
            requests.add_metric([group, f"{digit}xx"], count)
        yield requests
        counts = list(accumulate(traffic.ingest))
        bounds = [*(str(second) for second in SECONDS), "+Inf"]
        yield HistogramMetricFamily(
            "audittrail_ingest_duration_seconds",
            "From the start of a request that brings spans until they are on disk.",
            buckets=list(zip(bounds, counts, strict=True)),
            sum_value=traffic.ingest_seconds,
        )
        limited = CounterMetricFamily("audittrail_rate_limited", "Requests over a rate limit.", labels=["by"])
        limited.add_metric(["address"], runtime.address_allowance.refused)
        limited.add_metric(["key"], runtime.key_allowance.refused)
        yield limited

    def _tasks(self) -> Iterator[Metric]:
        running = GaugeMetricFamily("audittrail_task_running", "1 when the background task runs.", labels=["task"])
        failures = CounterMetricFamily("audittrail_task_failures", "How often it has failed.", labels=["task"])
        for name, state in self._runtime.supervisor.states.items():
            running.add_metric([name], state.running)
            failures.add_metric([name], state.failures)
        yield running
        yield failures


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any], runtime: Runtime) -> Response[bytes]:
    """Without a key, so for who asks this process itself, from its machine or a private network, and not by a proxy."""
    peer = request.client.host if request.client else ""
    if not is_near(peer) or any(name in request.headers for name in _PROXIED):
        raise Forbidden(
            "Metrics are for who asks AuditTrail itself, from its own machine or a private network, and not through a "
            "proxy. Let Prometheus scrape the port that `audittrail serve` listens on."
        )
    size: int | None
    try:
        size = await runtime.db.size_bytes()
    except Unavailable:
        size = None
    registry = CollectorRegistry(auto_describe=False)
    readings: Iterable[Any] = (_Readings(runtime, request.app.state.traffic, size), ProcessCollector(registry=None))
    for each in readings:
        registry.register(each)
    encode, media = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=media, headers={"Cache-Control": "no-store"})


ROUTES = [metrics]
