"""What the documentation says is what the program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import tomllib

from audittrail import __version__
from audittrail.ingest.native import NativeSpan
from audittrail.settings import SETTINGS
from tests.live import ROOT, Server

README = (ROOT / "README.md").read_text()


def table_of_settings() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `([A-Z_]+)`(?: \(or `[A-Z_]+_FILE`\))? \| (.*?) \| (.*?) \|$", README, re.M)
    return {name: (default, meaning) for name, default, meaning in rows}


def test_every_setting_is_in_the_readme_word_for_word() -> None:
    documented = table_of_settings()
    assert set(documented) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        default, meaning = documented[setting.name]
        assert meaning == setting.meaning, setting.name
        assert default.strip("`") == setting.default, setting.name
        assert (f"`{setting.name}_FILE`" in README) == setting.secret, setting.name


def test_every_setting_is_in_the_example_environment() -> None:
    example = (ROOT / "deploy" / "env.example").read_text()
    missing = [setting.name for setting in SETTINGS if not re.search(rf"^#? ?{setting.name}=", example, re.M)]
    assert not missing


def test_the_readme_names_only_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets
    from audittrail.cli import parser

    known = {name for action in parser()._subparsers._group_actions for name in action.choices}  # type: ignore[union-attr]
    assert set(re.findall(r"^\s*(?:\.venv/bin/)?audittrail ([a-z]+)", README, re.M)) <= known


def test_the_changelog_has_a_place_for_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in changelog or f"## {__version__}" in changelog


def test_every_dependency_has_its_decision_or_was_agreed() -> None:
    agreed = {
        "litestar",
        "jinja2",
        "sqlalchemy",
        "aiosqlite",
        "asyncpg",
        "alembic",
        "msgspec",
        "argon2-cffi",
        "ruamel.yaml",
        "uvicorn",
        "uvloop",
        "httptools",
        "reportlab",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[<>=;]", one)[0].strip() for one in project["dependencies"]}
    decisions = " ".join(path.read_text() for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [name for name in names - agreed if f"`{name}`" not in decisions] == []


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_quickstart_s_agent_runs_as_printed(server: Server) -> None:
    source = re.search(r"```python\n(.*?)\n *```", (ROOT / "docs" / "quickstart.md").read_text(), re.S)
    assert source
    env = {"PATH": os.environ["PATH"], "AUDITTRAIL_URL": server.url, "AUDITTRAIL_API_KEY": server.key}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source[1])], env=env, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    with server.client() as client:
        (row,) = client.get("/api/v1/traces").json()["data"]
    assert (row["agent"], row["span_count"], row["llm_calls"], row["tool_calls"]) == ("clerk", 3, 1, 1)
    assert (row["input_tokens"], row["output_tokens"]) == (412, 37)


def test_the_native_format_s_example_is_taken(server: Server) -> None:
    text = (ROOT / "docs" / "native-json.md").read_text()
    body = re.search(r"-d '(\{.*?\})'", text, re.S)
    assert body
    with server.client() as client:
        answer = client.post(
            "/api/v1/ingest/spans", content=body[1].encode(), headers={"Content-Type": "application/json"}
        )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row[1] + (row[2] if "_us" in row[1] else ""))}
    assert named == set(NativeSpan.__struct_fields__)
