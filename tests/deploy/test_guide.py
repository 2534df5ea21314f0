"""What the deployment guide of the first AuditTrail promises, line by line, and which test holds it here.

Some are tested in this file; the others name a test elsewhere, which has to be there.
"""

from __future__ import annotations

import ast
import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from audittrail import __version__
from tests.live import ROOT, Server

HERE = "tests/deploy/test_guide.py"
COMPOSE, CADDY = "tests/deploy/test_compose.py", "tests/deploy/test_caddy.py"

# Section and promise, in this project's shape, and the tests.
PROMISES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "compose",
        "one command starts all services: app, and Caddy in front",
        (f"{COMPOSE}::test_there_are_two_services",),
    ),
    ("compose", "only the proxy's ports are published", (f"{COMPOSE}::test_only_caddy_publishes_ports",)),
    (
        "compose",
        "the data is in a named volume at /app/data and survives the container",
        (f"{COMPOSE}::test_data_is_a_named_volume_and_rules_are_read_only",),
    ),
    (
        "environment",
        "every variable is in .env's example",
        (f"{COMPOSE}::test_every_setting_stands_in_the_example_and_nothing_else",),
    ),
    (
        "environment",
        "a secret key that everybody knows is refused",
        ("tests/test_settings.py::test_what_cannot_work_is_refused_with_what_to_write",),
    ),
    (
        "environment",
        "DATABASE_URL names SQLite or PostgreSQL",
        ("tests/store/test_database.py::test_an_address_that_cannot_work_is_refused_in_words",),
    ),
    ("environment", "debug is off", ("tests/test_settings.py::test_nothing_has_to_be_set",)),
    (
        "environment",
        "CORS is locked to the sites that are named",
        (
            "tests/http/test_headers.py::test_a_listed_site_may_call_the_api_with_a_key",
            "tests/http/test_headers.py::test_no_other_site_may",
        ),
    ),
    ("environment", "redaction is on", (f"{HERE}::test_redaction_is_on_and_retention_is_90_days",)),
    ("environment", "data is kept for 90 days", (f"{HERE}::test_redaction_is_on_and_retention_is_90_days",)),
    (
        "environment",
        "the public address is one setting",
        ("tests/web/test_accounts.py::test_the_cookie_is_for_https_only_where_the_server_says_it_is_reached_so",),
    ),
    (
        "proxy",
        "everything is passed on to the app",
        (f"{CADDY}::test_sign_in_sets_a_cookie_for_https_only_and_it_opens_pages",),
    ),
    ("proxy", "agents send through it", (f"{CADDY}::test_an_agent_sends_spans",)),
    ("proxy", "live updates come through it as they happen", (f"{CADDY}::test_a_stream_comes_through_as_it_happens",)),
    (
        "proxy",
        "10 requests a second by address, 20 at once",
        ("tests/http/test_limits.py::test_an_address_without_a_key_is_told_in_a_problem_when_it_may_come_again",),
    ),
    (
        "proxy",
        "headers that protect the page, and compression",
        (f"{CADDY}::test_a_page_comes_compressed_and_with_every_header",),
    ),
    (
        "proxy",
        "ablations and streams have the time they take",
        (f"{CADDY}::test_a_stream_comes_through_as_it_happens",),
    ),
    ("tls", "HTTPS, and plain HTTP is sent on to it", (f"{CADDY}::test_http_is_sent_to_https",)),
    ("tls", "a certificate of one's own", (f"{COMPOSE}::test_what_compose_and_caddy_are_told_stands_in_the_example",)),
    ("tls", "a domain of one's own", (f"{COMPOSE}::test_what_compose_and_caddy_are_told_stands_in_the_example",)),
    ("sqlite", "WAL mode, which its command verifies", (f"{HERE}::test_the_journal_mode_is_wal",)),
    (
        "sqlite",
        "one writer: a second process does not start",
        ("tests/http/test_durability.py::test_a_second_process_on_one_sqlite_file_says_why_it_does_not_start",),
    ),
    (
        "postgresql",
        "a connection string is all it takes",
        ("tests/http/test_durability.py::test_two_replicas_start_together_on_one_postgresql",),
    ),
    (
        "postgresql",
        "the schema is brought up to date",
        ("tests/store/test_database.py::test_the_migrations_make_the_tables_that_the_code_expects",),
    ),
    (
        "backup",
        "SQLite's .backup while the server runs",
        ("tests/commands/test_backup.py::test_what_sqlite_s_own_backup_writes_can_be_served",),
    ),
    (
        "backup",
        "a script for cron that keeps 30 days",
        ("tests/deploy/test_backup_script.py::test_it_keeps_30_days_of_whole_backups_and_touches_nothing_else",),
    ),
    (
        "backup",
        "PDF reports are at data/reports/, and in the backup",
        ("tests/commands/test_backup.py::test_everything_comes_back",),
    ),
    ("backup", "a restore that was tried", ("tests/commands/test_backup.py::test_everything_comes_back",)),
    (
        "monitoring",
        "health is polled every 30 seconds",
        (f"{COMPOSE}::test_health_is_asked_every_30_seconds_with_what_the_image_has",),
    ),
    (
        "monitoring",
        "status, db_connected and rules_loaded say what to alert on",
        (f"{HERE}::test_the_monitoring_commands_work_as_printed",),
    ),
    (
        "monitoring",
        "instance: version, connected agents, rules, uptime",
        (f"{HERE}::test_instance_has_what_dashboards_show",),
    ),
    ("monitoring", "logs of the containers", (f"{HERE}::test_the_log_goes_to_the_container_s_output",)),
    (
        "security",
        "the default secret key is refused",
        ("tests/test_settings.py::test_what_cannot_work_is_refused_with_what_to_write",),
    ),
    ("security", "debug off shows no details of errors", (f"{HERE}::test_an_error_shows_no_details",)),
    (
        "security",
        "CORS: not every site",
        ("tests/test_settings.py::test_what_cannot_work_is_refused_with_what_to_write",),
    ),
    ("security", "TLS", (f"{CADDY}::test_http_is_sent_to_https",)),
    ("security", "no direct ports", (f"{COMPOSE}::test_only_caddy_publishes_ports",)),
    (
        "security",
        "the rate limit can be set",
        ("tests/test_settings.py::test_limits_and_origins_are_read_in_the_units_people_write",),
    ),
    ("security", "personal data is redacted on every way in", ("tests/http/test_canaries.py",)),
    (
        "security",
        "retention deletes",
        (
            "tests/store/test_retention.py::test_only_what_has_not_changed_for_so_long_is_purged_and_each_project_hears_of_it_once",
        ),
    ),
    (
        "security",
        "the database file is for the server's user alone",
        (f"{HERE}::test_the_data_folder_is_for_its_user_alone",),
    ),
    ("security", "the container has a user of its own", (f"{COMPOSE}::test_the_image_does_not_run_as_root",)),
    (
        "security",
        "a key's secret is shown once",
        ("tests/web/test_accounts.py::test_a_key_is_shown_once_works_and_is_revoked_at_once",),
    ),
    (
        "security",
        "and kept as an Argon2 hash",
        (
            "tests/identity/test_keyring.py::test_the_secret_is_not_stored",
            "tests/identity/test_passwords.py::test_a_hash_is_argon2id_with_owasps_parameters_and_differs_each_time",
        ),
    ),
    ("rules", "six rules come with it", ("tests/constitution/test_defaults.py::test_the_six_are_there",)),
    (
        "rules",
        "the folder of rules is mounted read-only",
        (f"{COMPOSE}::test_data_is_a_named_volume_and_rules_are_read_only",),
    ),
)


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize(("section", "promise", "held_by"), PROMISES, ids=[f"{s}: {p}" for s, p, _ in PROMISES])
def test_a_promise_is_held_by_a_test(section: str, promise: str, held_by: tuple[str, ...]) -> None:
    assert held_by
    for name in held_by:
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert test in names_in(path) if test else names_in(path), name


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("guide") / "data") as server:
        yield server


def test_redaction_is_on_and_retention_is_90_days(live: Server) -> None:
    assert "AUDITTRAIL_PII_REDACTION_ENABLED" not in live.env and "AUDITTRAIL_RETENTION_DAYS" not in live.env
    with live.browser() as person:
        assert "90 days" in person.get("/settings/data").text
        assert "redaction is off" not in person.get("/").text.lower()


def test_the_journal_mode_is_wal(live: Server) -> None:
    with sqlite3.connect(live.data / "audittrail.db") as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)


# As people have it in their cron jobs: what comes from the address is read by Python, and the exit status tells.
WATCH = """
import json, sys
data = json.load(sys.stdin)
if data['status'] != 'ok' or not data['db_connected'] or data['rules_loaded'] == 0:
    print(f'ALERT: {data}')
    sys.exit(1)
print('OK')
"""


def test_the_monitoring_commands_work_as_printed(live: Server) -> None:
    health = httpx.get(f"{live.url}/api/v1/health", trust_env=False, verify=False)
    assert health.status_code == 200
    done = subprocess.run([sys.executable, "-c", WATCH], input=health.content, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"OK\n")
    assert health.json()["rules_loaded"] == 6


def test_instance_has_what_dashboards_show(live: Server) -> None:
    found = httpx.get(f"{live.url}/api/v1/instance", trust_env=False, verify=False).json()
    assert (found["version"], found["rule_count"], found["connected_agents"]) == (__version__, 6, 0)
    assert found["uptime_seconds"] >= 0


def test_the_log_goes_to_the_container_s_output(live: Server) -> None:
    assert f"AuditTrail {__version__} is at {live.url}" in live.log
    # The one file is where the test has sent the output.
    assert [path.name for path in live.data.rglob("*.log*")] == ["server.log"]


def test_an_error_shows_no_details(live: Server) -> None:
    answer = httpx.post(f"{live.url}/api/v1/auth/login", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "Traceback" not in answer.text and ".py" not in answer.text
    assert set(json.loads(answer.content)) <= {"title", "status", "detail", "type", "instance"}


def test_the_data_folder_is_for_its_user_alone(live: Server) -> None:
    mine = [path for path in (live.data, *live.data.rglob("*")) if path.name != "server.log"]
    assert {path.name for path in mine} >= {"audittrail.db", "secret.key"}
    for path in mine:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077 or path == live.data, path


def test_the_security_checklist_names_what_there_is() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    items = [line for line in text.splitlines() if line.startswith("- [ ]")]
    assert len(items) >= 15
    for name in ("AUDITTRAIL_DEBUG", "AUDITTRAIL_CORS_ORIGINS", "AUDITTRAIL_RETENTION_DAYS", "deploy/backup.sh"):
        assert any(name in item for item in items), name
    assert (ROOT / Path("deploy/backup.sh")).is_file()
