"""How many requests were answered, and how soon those that bring spans: the counts that no other state has."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

INGEST = ("/v1/", "/api/public/otel/v1/", "/api/v1/ingest/")
_GROUPS = (
    *((prefix, "ingest") for prefix in INGEST),
    ("/api/v1/check", "check"),
    ("/api/v1/health", "operations"),
    ("/api/v1/instance", "operations"),
    ("/metrics", "operations"),
    ("/api/", "api"),
    ("/schema", "api"),
    ("/static/", "static"),
    ("/events", "events"),
)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def group(path: str) -> str:
    """One of a few words: an address may hold ids, and each would be a label of its own."""
    for prefix, name in _GROUPS:
        if path.startswith(prefix):
            return name
    return "pages"


class Traffic:
    """Counts since the start."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()  # by group and first digit of the status
        self.ingest = [0] * (len(SECONDS) + 1)  # that were taken, by the first of SECONDS that it took no more than
        self.ingest_seconds = 0.0

    def count(self, group: str, status: int, seconds: float) -> None:
        """One answer begun."""
        self.requests[group, status // 100] += 1
        if group == "ingest" and 200 <= status < 300:
            self.ingest[bisect_left(SECONDS, seconds)] += 1
            self.ingest_seconds += seconds
