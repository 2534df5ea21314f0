"""A backup holds everything or is none; restoring one gives all of it back, or changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from audittrail.cli import main
from audittrail.model.backup import read_manifest, write_manifest
from audittrail.settings import asset_folder
from audittrail.store import projects, table_copy
from audittrail.store.database import Database, FileLock
from audittrail.store.migrations import migrate_within, schemas
from tests.live import COMMAND, ROOT, clean_environment
from tests.postgres import Postgres

KEY = "k" * 40
# The command, killed when all is there but the manifest.
KILLED = """
import os, signal, sys
from audittrail.cli import main
from audittrail.commands import backup
backup._seal = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""


class Desk:
    """The command line with an environment of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys

    def at(self, data: Path, url: str = "", **env: str) -> Desk:
        for name in [n for n in os.environ if n.startswith("AUDITTRAIL_") or n == "DATABASE_URL"]:
            self._patch.delenv(name)
        for name, value in {"AUDITTRAIL_DATA_DIR": str(data), "DATABASE_URL": url, **env}.items():
            if value:
                self._patch.setenv(name, value)
        return self

    def run(self, *words: str | Path, fails: bool = False) -> str:
        """Standard output; where it is to fail, the one sentence it says."""
        self._capsys.readouterr()
        status = main([str(word) for word in words])
        said = self._capsys.readouterr()
        assert status == (2 if fails else 0), said.err
        if not fails:
            return said.out.strip()
        assert said.out == "" and said.err.count("\n") == 1, said
        return said.err.strip()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    before = os.umask(0o022)
    monkeypatch.setattr(os, "nice", lambda _: 0)  # the commands run in the process of the tests
    yield Desk(monkeypatch, capsys)
    os.umask(before)


@pytest.fixture
def empty_url(database_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A second place of the same kind; "": a file in the data folder."""
    if database_url.startswith("sqlite"):
        yield ""
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    url = cluster.fresh()
    yield url
    cluster.drop(url)


@pytest.fixture
def made(desk: Desk, tmp_path: Path) -> Path:
    """A backup of a small SQLite database, with its key."""
    desk.at(tmp_path / "old").run("project", "add", "one")
    (tmp_path / "old" / "reports").mkdir()
    (tmp_path / "old" / "reports" / "r1.pdf").write_bytes(b"%PDF-1.7 one")
    return Path(desk.run("backup", "--to", tmp_path / "backups"))


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


async def rows_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every table, whole, but what backups themselves note."""
    async with Database(url) as db, db.read() as conn:
        if db.is_sqlite:
            found = await conn.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
            )
            names = [row[0] for row in found]
        else:
            names = [row[1] for row in await table_copy.tables_of(conn)]
        some = {}
        for name in names:
            where = " WHERE action NOT LIKE 'backup.%'" if name == "activity" else ""
            read = await conn.execute(text(f'SELECT * FROM "{name}"{where}'))
            some[name] = sorted((tuple(row) for row in read), key=repr)
        return some


async def noted(url: str) -> list[tuple[str, str, str]]:
    async with Database(url) as db, db.read() as conn:
        found = await conn.execute(text("SELECT actor, action, subject FROM activity WHERE action LIKE 'backup.%'"))
        return [tuple(row) for row in found]


def url_at(data: Path, url: str) -> str:
    return url or f"sqlite+aiosqlite:///{data}/audittrail.db"


def test_everything_comes_back(desk: Desk, tmp_path: Path, database_url: str, empty_url: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    desk.at(old, database_url)
    for name in ("one", "two", "three"):
        desk.run("project", "add", name)
    desk.run("key", "create", "agent", "--project", "two")
    (old / "reports").mkdir()
    (old / "reports" / "r1.pdf").write_bytes(os.urandom(3_000_000))
    (old / "reports" / "leads-out.pdf").symlink_to("/etc/hostname")
    made = Path(desk.run("backup", "--to", tmp_path / "backups"))
    for path in made.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made).returncode == 0
    assert {p.name for p in (made / "rules").iterdir()} == {p.name for p in asset_folder("rules").glob("*.yaml")}
    assert made.name in desk.run("backup", "--verify", made)

    desk.at(new, empty_url).run("restore", "--from", made)
    assert tree(new / "reports") == {"r1.pdf": (old / "reports" / "r1.pdf").read_bytes()}
    assert (new / "secret.key").read_bytes() == (old / "secret.key").read_bytes()
    before, after = asyncio.run(rows_of(database_url)), asyncio.run(rows_of(url_at(new, empty_url)))
    assert before == after and len(before["projects"]) == 3 and len(before["api_keys"]) == 1
    assert asyncio.run(noted(database_url)) == [("command line", "backup.created", made.name)]
    assert asyncio.run(noted(url_at(new, empty_url))) == [("command line", "backup.restored", made.name)]
    # Ids go on where they were, and the key's lookup still knows the secret: it is the same key.
    desk.run("project", "add", "four")
    assert [row[0] for row in asyncio.run(rows_of(url_at(new, empty_url)))["projects"]] == [1, 2, 3, 4]
    assert "is not empty" in desk.run("restore", "--from", made, fails=True)


async def _at_older(url: str) -> None:
    async with Database(url) as db:
        await db.open()
        async with db.write() as conn:
            await migrate_within(conn, asset_folder("migrations"), "0006")
            await projects.add_project(conn, "of then", 1)


def test_an_older_schema_is_restored_and_then_migrated(
    desk: Desk, tmp_path: Path, database_url: str, empty_url: str
) -> None:
    asyncio.run(_at_older(database_url))
    desk.at(tmp_path / "old", database_url, AUDITTRAIL_SECRET_KEY=KEY)
    made = Path(desk.run("backup", "--to", tmp_path / "backups"))
    assert read_manifest((made / "manifest.json").read_bytes()).schema == "0006"
    desk.at(tmp_path / "new", empty_url, AUDITTRAIL_SECRET_KEY=KEY)
    assert "from schema 0006" in desk.run("restore", "--from", made)
    found = asyncio.run(rows_of(url_at(tmp_path / "new", empty_url)))
    assert found["alembic_version"] == [(schemas(asset_folder("migrations"))[0],)]
    assert [row[1] for row in found["projects"]] == ["of then"]


def altered(made: Path, **change: object) -> None:
    """A manifest that says something else, sealed again."""
    path = made / "manifest.json"
    path.write_bytes(write_manifest(msgspec.structs.replace(read_manifest(path.read_bytes()), **change)))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _other_words(made: Path) -> None:
    path = made / "manifest.json"
    path.write_text(path.read_text().replace('"schema": "00', '"schema": "10'))


def _fewer_rows(made: Path) -> None:
    tables = read_manifest((made / "manifest.json").read_bytes()).tables
    altered(made, tables=tables[1:])


def _later_format(made: Path) -> None:
    path = made / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (lambda made: (made / "manifest.json").unlink(), "cut short"),
    "a file missing": (lambda made: (made / "reports/r1.pdf").unlink(), "is missing"),
    "a file cut": (lambda made: os.truncate(made / "audittrail.db.zst", 100), "cut short or altered"),
    "a file altered": (lambda made: _flip(made / "audittrail.db.zst"), "was altered"),
    "the key altered": (lambda made: _flip(made / "secret.key"), "was altered"),
    "the manifest cut": (lambda made: os.truncate(made / "manifest.json", 500), "is damaged"),
    "the manifest altered": (_other_words, "was altered"),
    "fewer tables": (_fewer_rows, "other numbers of rows"),
    "a newer schema": (lambda made: altered(made, schema="9999"), "with that version or a later one"),
    "a newer format": (_later_format, "a newer AuditTrail made the backup"),
    "another database": (lambda made: altered(made, database="postgresql"), "Name one of postgresql"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_whole_backup_of_ours_is_refused(desk: Desk, tmp_path: Path, made: Path, what: str) -> None:
    spoil, says = WRONG[what]
    spoil(made)
    desk.at(tmp_path / "new")
    assert says in desk.run("restore", "--from", made, fails=True)
    assert not (tmp_path / "new").exists()
    if what not in ("a newer schema", "another database", "fewer tables"):  # these are whole in themselves
        assert says in desk.run("backup", "--verify", made, fails=True)


def test_a_path_in_the_manifest_leads_nowhere_else(made: Path) -> None:
    from audittrail.model.backup import File, Table
    from audittrail.model.errors import Invalid

    good = (made / "manifest.json").read_bytes()
    for path in ("../x", "/etc/x", "reports/../../x", "reports//x", "", "reports/.", "a\\b"):
        (made / "manifest.json").write_bytes(good)
        altered(made, files=(File(path, 1, "0"),))
        with pytest.raises(Invalid, match="was altered"):
            read_manifest((made / "manifest.json").read_bytes())
    for path in ("../x", "/etc/x", "reports/../../x", "tables/unlisted"):  # a table's file is one whose sum is checked
        (made / "manifest.json").write_bytes(good)
        altered(made, tables=(Table("t", 1, ("a",), path),))
        with pytest.raises(Invalid, match="was altered"):
            read_manifest((made / "manifest.json").read_bytes())


def test_another_secret_key_is_refused(desk: Desk, tmp_path: Path, made: Path) -> None:
    desk.at(tmp_path / "new", AUDITTRAIL_SECRET_KEY="x" * 40)
    assert "with another secret key all API keys are void" in desk.run("restore", "--from", made, fails=True)
    assert not (tmp_path / "new").exists()
    # Given by the environment, the key is not in the backup, and restoring needs it.
    desk.at(tmp_path / "old", AUDITTRAIL_SECRET_KEY=KEY)
    without = Path(desk.run("backup", "--to", tmp_path / "other"))
    assert not (without / "secret.key").exists() and KEY not in (without / "manifest.json").read_text()
    assert "Set AUDITTRAIL_SECRET_KEY" in desk.at(tmp_path / "new").run("restore", "--from", without, fails=True)
    assert not (tmp_path / "new").exists()
    desk.at(tmp_path / "new", AUDITTRAIL_SECRET_KEY=KEY).run("restore", "--from", without)
    assert not (tmp_path / "new" / "secret.key").exists()


def test_nothing_is_restored_over_something(desk: Desk, tmp_path: Path, made: Path) -> None:
    new = tmp_path / "new"
    (new / "reports").mkdir(parents=True)
    before = tree(tmp_path)
    assert "is not empty: reports is in it" in desk.at(new).run("restore", "--from", made, fails=True)
    shutil.rmtree(new)
    said = desk.at(new, f"sqlite+aiosqlite:///{tmp_path}/old/audittrail.db").run("restore", "--from", made, fails=True)
    assert "is not empty" in said
    assert tree(tmp_path).keys() - before.keys() == set() and not new.exists()
    # A backup inside the data folder is no content of it.
    shutil.copytree(made, new / "backups" / made.name)
    desk.at(new).run("restore", "--from", new / "backups" / made.name)


def test_a_running_server_s_place_is_left_alone(desk: Desk, tmp_path: Path, made: Path) -> None:
    from audittrail.store.database import lock_of

    lock = lock_of(tmp_path / "new" / "audittrail.db")
    lock.acquire()
    assert "already serves" in desk.at(tmp_path / "new").run("restore", "--from", made, fails=True)
    lock.release()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["audittrail.db.lock"]


def test_no_database_and_no_key_are_said(desk: Desk, tmp_path: Path) -> None:
    assert "There is no secret key" in desk.at(tmp_path / "x").run("backup", "--to", tmp_path / "to", fails=True)
    desk.at(tmp_path / "x", AUDITTRAIL_SECRET_KEY=KEY)
    assert "There is no AuditTrail database" in desk.run("backup", "--to", tmp_path / "to", fails=True)
    assert not (tmp_path / "x").exists() and list((tmp_path / "to").iterdir()) == []


def test_what_a_killed_backup_left_goes_with_the_next(desk: Desk, tmp_path: Path) -> None:
    desk.at(tmp_path / "old").run("project", "add", "one")
    to = tmp_path / "to"  # not where another backup of this second is
    for name in (".audittrail-20260101T000000Z.partial", ".audittrail-mine.partial", ".audittrail-20260102T000000Z"):
        (to / name / "reports").mkdir(parents=True)
    (to / ".audittrail-20260103T000000Z.partial").symlink_to(tmp_path / "old")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "backup", "--to", str(to)],
        env={**clean_environment(), "PYTHONPATH": str(ROOT), "AUDITTRAIL_DATA_DIR": str(tmp_path / "old")},
        timeout=60,
    )
    assert killed.returncode == -9 and len(list(to.glob(".audittrail-*.partial/audittrail.db.zst"))) == 1
    other = FileLock(to / ".audittrail-20260104T000000Z.lock")  # of one that goes on
    assert other.take()
    (to / ".audittrail-20260104T000000Z.partial").mkdir()
    new = Path(desk.run("backup", "--to", to))
    assert {path.name for path in to.iterdir()} == {
        *(".audittrail-mine.partial", ".audittrail-20260102T000000Z", ".audittrail-20260103T000000Z.partial"),
        *(".audittrail-20260104T000000Z.partial", ".audittrail-20260104T000000Z.lock"),
        new.name,
    }
    assert (tmp_path / "old" / "audittrail.db").exists()
    other.release()


def limited(env: dict[str, str], size: int, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command in a process that can write no file beyond this size, as on a full disk."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        env={**clean_environment(), "PYTHONPATH": str(ROOT), **env},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_full_disk_leaves_nothing(desk: Desk, tmp_path: Path, made: Path) -> None:
    for size in (1_000, 40_000, 200_000):
        done = limited({"AUDITTRAIL_DATA_DIR": str(tmp_path / "old")}, size, "backup", "--to", tmp_path / "full")
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done
        assert "could not be" in done.stderr or "cannot be" in done.stderr
        assert list((tmp_path / "full").iterdir()) == []
        done = limited({"AUDITTRAIL_DATA_DIR": str(tmp_path / "new")}, size, "restore", "--from", made)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done
        assert not (tmp_path / "new").exists()


@pytest.mark.postgres
def test_a_restore_that_fails_midway_leaves_no_table(desk: Desk, tmp_path: Path, postgres: Postgres) -> None:
    url, other = postgres.fresh(), postgres.fresh()
    desk.at(tmp_path / "old", url).run("project", "add", "one")
    made = Path(desk.run("backup", "--to", tmp_path / "backups"))
    manifest = read_manifest((made / "manifest.json").read_bytes())
    fewer = tuple(t for t in manifest.tables if t.name != "projects")
    altered(made, tables=fewer)
    assert "other numbers" not in desk.at(tmp_path / "new", other).run("restore", "--from", made)
    again = postgres.fresh()
    altered(made, tables=tuple(msgspec.structs.replace(t, rows=t.rows + 1) for t in fewer))
    assert "other numbers of rows" in desk.at(tmp_path / "third", again).run("restore", "--from", made, fails=True)
    assert not (tmp_path / "third").exists()
    assert postgres.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", again.rsplit("/", 1)[1]) == "0\n"


def test_what_sqlite_s_own_backup_writes_can_be_served(desk: Desk, tmp_path: Path, made: Path) -> None:
    (tmp_path / "new").mkdir()
    source, target = sqlite3.connect(tmp_path / "old/audittrail.db"), sqlite3.connect(tmp_path / "new/audittrail.db")
    source.backup(target)
    source.close(), target.close()
    shutil.copy(tmp_path / "old/secret.key", tmp_path / "new/secret.key")
    assert "one" in desk.at(tmp_path / "new").run("project", "list")
