"""Health says what is wrong while it is, and ingest loses nothing meanwhile."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from audittrail.disk import Space
from tests.http.otlp import attribute, export, partial, request, span, spans_of
from tests.live import Server
from tests.postgres import Postgres

GB = 1 << 30


def reasons(server: Server) -> list[str]:
    """As health gives them."""
    answer = httpx.get(f"{server.url}/api/v1/health", timeout=10, trust_env=False, verify=False)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"] == "degraded") == bool(body["reasons"]), body
    return list(body["reasons"])


def until(server: Server, wanted: Callable[[list[str]], bool]) -> list[str]:
    """The reasons, once they are so."""
    deadline = time.monotonic() + 40
    while not wanted(found := reasons(server)):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def test_all_is_well(live: Server) -> None:
    assert reasons(live) == []


class Disk:
    """A place for a database that can be filled: a small file system of its own, or a limit on the size of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: Server | None = None
        self._balloon = folder / "balloon"
        mount = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs", str(folder)]
        self.mounted = subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self) -> None:
        assert self.server is not None
        if self.mounted:
            with self._balloon.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))
        else:
            largest = max(path.stat().st_size for path in self.folder.rglob("audittrail.db*"))
            self._limit(largest)

    def empty(self) -> None:
        if self.mounted:
            self._balloon.unlink()
        else:
            self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        assert self.server is not None
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def gone(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "disk").mkdir()
    found = Disk(tmp_path / "disk")
    server = found.server = Server(found.folder / "data")
    try:
        yield found
    finally:
        server.kill()
        found.gone()


def test_a_full_disk_loses_nothing_that_was_acknowledged_and_is_over_when_there_is_space(disk: Disk) -> None:
    server = disk.server
    assert server is not None
    server.start()

    def send(number: int) -> httpx.Response:
        spans = [attribute(span(f"{number:032x}", n), "input.value", f"{number} {n} " * 150) for n in range(1, 11)]
        return export(server, request(*spans))

    assert partial(send(1)) == (0, "")
    disk.fill()
    acknowledged, refused = [1], None
    for number in range(2, 500):
        answer = send(number)
        if answer.status_code != 200:
            refused = number
            break
        acknowledged.append(number)
    assert refused is not None, "the disk took everything"
    assert answer.status_code == 503 and 1 <= int(answer.headers["retry-after"]) <= 10
    said = "The disk is full: " if disk.mounted else "The disk does not take "
    until(server, lambda found: any(reason.startswith(said) for reason in found))
    assert httpx.get(f"{server.url}/login", trust_env=False, verify=False).status_code == 200, (
        "what is there can be read"
    )
    disk.empty()
    # By itself: nobody sends anything.
    until(server, lambda found: not found)
    assert partial(send(refused)) == (0, "")
    for number in [*acknowledged, refused]:
        assert len(spans_of(server, f"{number:032x}")) == 10, number
    server.stop()
    assert "Traceback" not in server.log and "Transactions are written again" in server.log


@pytest.mark.postgres
def test_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    cluster = Postgres()
    limits = {"AUDITTRAIL_RATE_LIMIT": "60/h", "AUDITTRAIL_RATE_BURST": "5"}
    server = Server(tmp_path / "server", cluster.fresh(), **limits)
    try:
        server.start()
        assert partial(export(server, request(span("a" * 32)))) == (0, "")
        cluster.halt()
        found = until(server, lambda found: any("background task" in reason for reason in found))
        assert "The database does not answer." in found
        # Nobody can tell a good key from a bad one now: it is never said to be wrong, and no limit is in the way.
        answers = [export(server, request(span("b" * 32))) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        metrics = httpx.get(f"{server.url}/metrics", trust_env=False, verify=False)
        assert "audittrail_database_up 0.0" in metrics.text
        cluster.start()
        until(server, lambda found: not found)
        assert partial(export(server, request(span("b" * 32)))) == (0, "")
        assert len(spans_of(server, "a" * 32)) == len(spans_of(server, "b" * 32)) == 1
        server.stop()
        assert "Traceback" not in server.log
    finally:
        server.kill()
        cluster.stop()


def test_rules_that_are_missing_or_wrong_are_a_reason(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    with Server(tmp_path / "server", AUDITTRAIL_RULES_DIR=str(rules)) as server:
        assert [reason.partition(",")[0] for reason in reasons(server)] == ["No rule is loaded"]
        (rules / "one.yaml").write_text("id: [")
        assert "Rule files are wrong (one.yaml" in until(server, lambda found: "wrong" in str(found))[0]
        (rules / "one.yaml").unlink()
        until(server, lambda found: "No rule is loaded" in str(found))


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [
        (2 * GB, 1000 * GB, False),
        (GB - 1, 1000 * GB, True),
        (GB - 1, 10 * GB, False),  # a small disk is not short of space because it is small
        (GB // 4, 10 * GB, True),
        (0, 0, False),
    ],
)
def test_when_space_runs_out(free: int, total: int, low: bool) -> None:
    assert Space(free, total).low is low
