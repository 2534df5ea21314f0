"""What stops a server from starting is one sentence that says what to do; what it says when it starts and stops."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from audittrail.disk import check_privacy
from audittrail.model.errors import ConfigurationError
from tests.live import Server, free_port
from tests.postgres import Postgres


def refusal(server: Server, *args: str) -> str:
    """What a server that cannot start says."""
    server.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [*server.command, "serve", "--port", "0", *args]
    done = subprocess.run(command, env=server.env, cwd=server.cwd, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("audittrail: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def new(tmp_path: Path) -> Server:
    return Server(tmp_path / "server")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_port_that_is_taken(new: Server, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(new, "--host", host, "--port", port)
    assert port in said and "--port" in said


def test_a_port_or_a_host_that_is_none(new: Server) -> None:
    assert "--port" in refusal(new, "--port", "99999")
    assert "--host" in refusal(new, "--host", "no-such-host.invalid")


def test_a_folder_that_cannot_be_one(new: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    new.env["AUDITTRAIL_DATA_DIR"] = str(tmp_path / "file" / "data")
    new.env["AUDITTRAIL_SECRET_KEY"] = "s" * 40
    assert "AUDITTRAIL_DATA_DIR" in refusal(new)
    new.env["AUDITTRAIL_DATA_DIR"] = str(tmp_path / "data")
    new.env["DATABASE_URL"] = f"sqlite+aiosqlite:///{tmp_path}/file/audittrail.db"
    assert "DATABASE_URL" in refusal(new)


def test_a_file_that_is_no_database(new: Server) -> None:
    new.data.mkdir(mode=0o700)
    (new.data / "audittrail.db").write_bytes(b"something else " * 1000)
    assert "no SQLite database" in refusal(new)


def test_a_secret_key_that_was_cut_short(new: Server) -> None:
    new.data.mkdir(mode=0o700)
    (new.data / "secret.key").write_text("abc")
    assert "cut short" in refusal(new)


def test_a_rules_folder_that_is_missing(new: Server, tmp_path: Path) -> None:
    new.env["AUDITTRAIL_RULES_DIR"] = str(tmp_path / "none")
    assert "AUDITTRAIL_RULES_DIR" in refusal(new)


@pytest.mark.postgres
def test_a_postgresql_that_is_not_there_or_does_not_let_us_in(postgres: Postgres, tmp_path: Path) -> None:
    def said(url: str) -> str:
        found = refusal(Server(tmp_path / "server", url))
        assert "secret-word" not in found and "DATABASE_URL" in found
        return found

    url = f"postgresql+asyncpg://locked:secret-word@127.0.0.1:{postgres.port}/postgres"
    assert "cannot be reached" in said(url.replace(str(postgres.port), str(free_port())))
    assert "cannot be reached" in said(url.replace("127.0.0.1", "no-such-host.invalid"))
    there = postgres.fresh()
    assert "has no database 'none_such'" in said(there.rpartition("/")[0] + "/none_such")
    rules = postgres.data / "pg_hba.conf"
    before = rules.read_text()
    try:
        postgres.run("CREATE ROLE locked LOGIN PASSWORD 'another'")
        rules.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + before)
        postgres.run("SELECT pg_reload_conf()")
        assert "does not let the user 'locked' in" in said(url)
    finally:
        rules.write_text(before)
        postgres.run("SELECT pg_reload_conf()")


def test_in_json_the_refusal_is_a_line_of_it_too(new: Server) -> None:
    new.data.mkdir(mode=0o700)
    (new.data / "audittrail.db").write_bytes(b"something else " * 1000)
    new.env["AUDITTRAIL_LOG_FORMAT"] = "json"
    command = [*new.command, "serve", "--port", "0"]
    done = subprocess.run(command, env=new.env, cwd=new.cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    line = json.loads(done.stderr)
    assert (line["level"], "no SQLite database" in line["message"]) == ("critical", True)


def test_what_it_says_when_it_starts_and_stops(new: Server) -> None:
    with new:
        pass
    assert f"INFO audittrail.server: AuditTrail 0.1.0 is at {new.url}\n" in new.log
    assert new.log.endswith("INFO audittrail.server: AuditTrail has stopped\n")


def test_who_else_can_read_the_data_is_told_or_refused(new: Server) -> None:
    with new:
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in new.data.iterdir() if path.suffix != ".log"}
        assert set(modes.values()) == {0o600}, modes
    assert "WARNING" not in new.log
    new.data.chmod(0o750)
    with new:
        pass
    assert f"chmod 700 {new.data}" in new.log
    (new.data / "secret.key").chmod(0o644)
    assert "Others can read secret.key" in check_privacy(new.data)[1]
    new.data.chmod(0o755)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        check_privacy(new.data)
    new.data.chmod(0o700)
    assert check_privacy(new.data) == []
