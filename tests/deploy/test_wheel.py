"""The wheel serves from an empty folder: templates, static files and migrations travel inside it."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.deploy.test_pins import pins
from tests.live import ROOT, Server


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as the Dockerfile builds it."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("audittrail-*.whl"))


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of a new environment that holds this wheel and what the runtime pins name, no more."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", home / "bin/python", "install"),
            *("--quiet", "--no-deps", "--no-index", wheel),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # Links to the packages that the tests run with: installing them again would take half a minute. Not the whole
    # folder: a package that only a test needs would then hide that the program needs it too.
    for name in pins("runtime"):
        try:
            files = distribution(name).files
        except PackageNotFoundError:
            continue  # for another system
        for file in files or ():
            if file.parts[0] != "..":
                link = site / file
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(file.locate())
    return home / "bin/audittrail"


def test_the_wheel_carries_the_programs_data(wheel):
    inside = zipfile.ZipFile(wheel).namelist()
    for folder in ("templates", "static", "rules", "migrations"):
        here = {
            p.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix != ".pyc"
        }
        assert {f"audittrail/{name}" for name in here} <= set(inside), folder
    fonts = {f"audittrail/report/fonts/{p.name}" for p in (ROOT / "audittrail/report/fonts").iterdir()}
    assert fonts and fonts <= set(inside)
    assert any(name.endswith("/licenses/LICENSE") for name in inside)
    strays = {name.split("/")[0] for name in inside} - {"audittrail"}
    assert all(name.endswith(".dist-info") for name in strays), strays


def test_the_installed_wheel_serves_from_an_empty_folder(command, tmp_path):
    empty, data = tmp_path / "empty", tmp_path / "data"
    empty.mkdir()
    with Server(data, command=(str(command),), cwd=empty, PYTHONPATH="") as server, server.client() as client:
        assert client.get("/api/v1/health").json()["db_connected"] is True
        login = client.get("/login", headers={"Accept": "text/html"})
        assert login.status_code == 200 and "<form" in login.text
        static = re.search(r'(?:href|src)="(/static/[^"]+)"', login.text)
        assert static, "the page names no static file"
        assert client.get(static[1]).status_code == 200
    with sqlite3.connect(data / "audittrail.db") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall()
    assert list(empty.iterdir()) == [], "serving wrote into the folder it was started in"
    assert str(ROOT) not in server.log
