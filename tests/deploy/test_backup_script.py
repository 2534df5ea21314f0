"""deploy/backup.sh as cron runs it, without containers and with a stand-in for docker."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.live import ROOT, clean_environment

SCRIPT = ROOT / "deploy" / "backup.sh"
MAIN = "import sys; sys.argv[0] = 'audittrail'; from audittrail.cli import main; sys.exit(main())"
# `docker compose --project-directory DIR exec -T app COMMAND…`, or `… cp app:FROM TO`; the container's / is $INSIDE.
DOCKER = """#!/bin/bash
shift 3
if [[ $1 == exec ]]; then
    shift 3
    "${@//\\/app\\/data/$INSIDE}" | sed "s,$INSIDE,/app/data,"
    exit ${PIPESTATUS[0]}
fi
cp -r "${2/app:\\/app\\/data/$INSIDE}" "$3"
if [[ -n ${SPOIL:-} ]]; then echo x >>"$3/audittrail.db.zst"; fi
"""


def named(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("audittrail-%Y%m%dT%H%M%SZ")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    for name, content in (("audittrail", f'#!/bin/sh\nexec {sys.executable} -c "{MAIN}" "$@"\n'), ("docker", DOCKER)):
        path = tmp_path / "bin" / name
        path.write_text(content)
        path.chmod(0o755)
    found = {
        **clean_environment(),
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AUDITTRAIL_DATA_DIR": str(tmp_path / "data"),
        "INSIDE": str(tmp_path / "data"),
    }
    subprocess.run([tmp_path / "bin/audittrail", "project", "add", "one"], env=found, check=True)
    return found


def script(env: dict[str, str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *map(str, words)], env=env, capture_output=True, text=True, timeout=60)


def test_it_keeps_30_days_of_whole_backups_and_touches_nothing_else(env: dict[str, str], tmp_path: Path) -> None:
    to = tmp_path / "back ups"
    for name in (named(31), named(29.5), "audittrail-20200101T000000Z.bak", "photos", named(40)):
        (to / name).mkdir(parents=True)
    (to / "audittrail-20200102T000000Z").write_text("a file")
    for name in (named(31), named(29.5), "photos"):  # not that of 40 days ago, which was never complete
        (to / name / "manifest.json").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "manifest.json").write_text("{}")
    (to / "audittrail-20200103T000000Z").symlink_to(tmp_path / "elsewhere")
    old = {path.name for path in to.iterdir()}
    gone = next(name for name in old if name[:19] == named(31)[:19] and (to / name / "manifest.json").exists())
    done = script(env, to)
    assert done.returncode == 0, done.stderr
    new = Path(done.stdout.strip())
    assert {path.name for path in to.iterdir()} == old - {gone} | {new.name}
    assert (new / "manifest.json").is_file() and (tmp_path / "elsewhere" / "manifest.json").exists()


def test_a_failure_is_said_and_deletes_nothing(env: dict[str, str], tmp_path: Path) -> None:
    to = tmp_path / "to"
    (to / "audittrail-20200101T000000Z").mkdir(parents=True)
    (to / "audittrail-20200101T000000Z" / "manifest.json").write_text("{}")
    done = script(env | {"AUDITTRAIL_DATA_DIR": str(tmp_path / "nowhere")}, to)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no secret key" in done.stderr and "backup failed" in done.stderr
    assert script(env).returncode == 1 and script(env | {"KEEP_DAYS": "0"}, to).returncode == 1
    assert [path.name for path in to.iterdir()] == ["audittrail-20200101T000000Z"]


def test_out_of_a_container_it_is_copied_compared_and_removed_there(env: dict[str, str], tmp_path: Path) -> None:
    done = script(env, "--compose", tmp_path, tmp_path / "to")
    assert done.returncode == 0, done.stderr
    (made,) = (tmp_path / "to").iterdir()
    assert done.stdout.strip() == str(made) and (made / "audittrail.db.zst").stat().st_size
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made.rglob("*"))
    assert not (tmp_path / "data" / ".backups").exists()
    made.rename(tmp_path / "first")
    done = script(env | {"SPOIL": "yes"}, "--compose", tmp_path, tmp_path / "to")
    assert done.returncode == 1 and "the copy differs" in done.stderr
    assert list((tmp_path / "to").iterdir()) == [] and not (tmp_path / "data" / ".backups").exists()
