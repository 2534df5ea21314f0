"""GET /metrics: true numbers, few labels, and only for who asks the process itself."""

from __future__ import annotations

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from audittrail.web.traffic import SECONDS, Traffic, group
from tests.http.otlp import export, request, span
from tests.live import ROOT, Server


def read(server: Server, **headers: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    answer = httpx.get(f"{server.url}/metrics", headers=headers, trust_env=False, verify=False)
    assert answer.status_code == 200, answer.text
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_numbers_follow_what_happens(live: Server) -> None:
    before = read(live)
    assert export(live, request(span("c" * 32, 1), span("c" * 32, 2))).status_code == 200
    assert httpx.post(f"{live.url}/v1/traces", content=b"", trust_env=False, verify=False).status_code == 401
    after = read(live)

    def more(name: str, **labels: str) -> float:
        key = tuple(sorted(labels.items()))
        return after[name][key] - before[name].get(key, 0)

    assert more("audittrail_spans_stored_total") == 2
    assert more("audittrail_http_requests_total", group="ingest", status="2xx") == 1
    assert more("audittrail_http_requests_total", group="ingest", status="4xx") == 1
    assert more("audittrail_http_requests_total", group="operations", status="2xx") == 1
    assert more("audittrail_ingest_duration_seconds_count") == 1
    assert more("audittrail_ingest_duration_seconds_bucket", le="+Inf") == 1
    assert more("audittrail_ingest_duration_seconds_sum") > 0
    assert after["audittrail_rules_loaded"][()] == 6
    assert after["audittrail_database_up"][()] == 1
    assert after["audittrail_database_size_bytes"][()] > 50_000
    assert after["audittrail_data_free_bytes"][()] > 0
    assert set(after["audittrail_task_running"].values()) == {1.0}
    assert after["process_resident_memory_bytes"][()] > 10e6
    assert after["process_open_fds"][()] > 3


def test_what_is_counted_is_named_as_prometheus_wants_and_documented(live: Server) -> None:
    text = httpx.get(f"{live.url}/metrics", trust_env=False, verify=False).text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in kinds.items())
    documented = set(re.findall(r"`(audittrail_[a-z_]+)", (ROOT / "docs" / "monitoring.md").read_text()))
    ours = {name for name in kinds if name.startswith("audittrail_")}
    assert documented - {f"{name}_{part}" for name in ours for part in ("bucket", "count", "sum")} == ours


def test_other_formats_are_negotiated(live: Server) -> None:
    wanted = "application/openmetrics-text; version=1.0.0"
    answer = httpx.get(f"{live.url}/metrics", headers={"Accept": wanted}, trust_env=False, verify=False)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": "8.8.8.8"}, {"Forwarded": "for=10.0.0.1"}, {"Via": "1.1 x"}],
    ids=str,
)
def test_nothing_is_told_through_a_proxy(live: Server, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{live.url}/metrics", headers=headers, trust_env=False, verify=False)
    assert answer.status_code == 403 and "scrape the port" in answer.json()["detail"]


def test_an_address_makes_no_label() -> None:
    paths = ("/traces/" + "a" * 32, "/api/v1/traces/x", "/v1/traces", "/x", "/static/a.css", "/events", "/api/v1/check")
    assert [group(path) for path in paths] == ["pages", "api", "ingest", "pages", "static", "events", "check"]


def test_times_are_counted_by_the_bound_they_keep() -> None:
    traffic = Traffic()
    for seconds in (0.0, SECONDS[0], SECONDS[0] + 1e-9, 99.0):
        traffic.count("ingest", 200, seconds)
    traffic.count("ingest", 503, 1.0)
    traffic.count("pages", 200, 1.0)
    assert (traffic.ingest[0], traffic.ingest[1], traffic.ingest[-1], sum(traffic.ingest)) == (2, 1, 1, 4)
    assert traffic.requests["ingest", 5] == 1
