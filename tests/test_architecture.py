"""The shape of the program: imports point one way, a library has one door, a module fits on a few screens."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.live import ROOT

PACKAGE = ROOT / "audittrail"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 300

# What each part may import of the others. Nothing looks upward.
PURE = {"model"}
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "clock": set(),
    "model": set(),
    "disk": PURE,
    "logs": PURE,
    "settings": PURE,
    "privacy": PURE,
    "constitution": PURE,
    "attribution": PURE,
    "ingest": {"constitution", "model", "privacy"},
    "report": PURE,
    "store": PURE,
    "live": PURE,
    "jobs": {"attribution", "constitution", "ingest", "live", "model", "privacy", "report", "store"},
    "identity": {"model", "store"},
    "bootstrap": {"identity", "model", "settings", "store"},
    "runtime": {
        *("bootstrap", "clock", "constitution", "identity", "ingest"),
        *("jobs", "live", "model", "privacy", "settings", "store"),
    },
    "web": {
        *("attribution", "constitution", "disk", "identity", "ingest", "jobs", "live"),
        *("model", "privacy", "report", "runtime", "store"),
    },
    "app": {"model", "runtime", "settings", "web"},
    "server": {"app", "disk", "logs", "model", "runtime", "settings", "store", "web"},
    "commands": {"clock", "constitution", "identity", "jobs", "model", "privacy", "settings", "store"},
    "cli": {"commands", "model", "server", "settings"},
}
# Which parts may import a library from outside. msgspec is everywhere: it is how we write structs.
DOORS: dict[str, set[str]] = {
    "msgspec": set(MAY_IMPORT) - {"", "clock"},
    "google": {"ingest"},  # googleapis-common-protos and protobuf
    "opentelemetry": {"ingest"},
    "genai_prices": {"ingest"},
    "hyperscan": {"privacy"},
    "re2": {"privacy"},
    "scrubadub": {"privacy"},
    "ruamel": {"constitution"},
    "cel_expr_python": {"constitution"},
    "sqlalchemy": {"store"},
    "asyncpg": {"store"},
    "alembic": {"store"},
    "zstandard": {"store"},
    "argon2": {"identity"},
    "reportlab": {"report"},
    "arabic_reshaper": {"report"},
    "bidi": {"report"},
    "litestar": {"app", "web"},
    "prometheus_client": {"web"},
    "jinja2": {"web"},
    "uvicorn": {"server"},
    "uvloop": {"server"},
}


def part_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if relative == ("__init__",) else relative[0]


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, but not what it imports for type checkers alone."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_downward_and_through_the_right_doors(path: Path) -> None:
    part = part_of(path)
    for name in imports_of(path):
        first, _, rest = name.partition(".")
        if first == "audittrail":
            other = rest.partition(".")[0]
            assert not other or other == part or other in MAY_IMPORT[part], f"{part} may not import {name}"
        elif first not in sys.stdlib_module_names:
            assert part in DOORS.get(first, set()), f"{first} is not to be imported in {part}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES, "look for the second noun"


def test_every_part_is_on_the_map() -> None:
    assert {part_of(path) for path in MODULES} == set(MAY_IMPORT)


def test_only_settings_reads_the_environment_and_only_the_dialect_knows_databases_by_name() -> None:
    for path in MODULES:
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        if part_of(path) != "settings":
            assert not names & {"environ", "getenv"}, f"{path} reads the environment"
    knowing = [
        path.name
        for path in (PACKAGE / "store").glob("*.py")
        if any(
            isinstance(node, ast.Compare) and "dialect" in ast.unparse(node.left)
            for node in ast.walk(ast.parse(path.read_text()))
        )
    ]
    assert knowing == ["dialect.py"]


def test_names_say_what_a_module_is() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert not {path.stem for path in MODULES} & vague
