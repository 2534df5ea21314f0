"""The committed pins: complete, hashed, agreeing, and naming no machine and no index."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.live import ROOT

FILES = sorted((ROOT / "deploy").glob("requirements-*.txt"))


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s\\]+)", (ROOT / f"deploy/requirements-{name}.txt").read_text(), re.M))


def names(requirements: list[str]) -> set[str]:
    return {
        re.split(r"[\[<>=!;~ ]", r, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-") for r in requirements
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_pin_has_hashes_and_no_address(path):
    text = path.read_text()
    for pin in re.split(r"\n(?=\S)", text):
        assert pin.startswith("#") or "--hash=sha256:" in pin, pin
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_what_pyproject_asks_for_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    missing = {
        "runtime": names(project["dependencies"]) - pins("runtime").keys(),
        "test": names(project["dependencies"] + extras["test"]) - pins("test").keys(),
        "lint": names(project["dependencies"] + extras["test"] + extras["lint"]) - pins("lint").keys(),
    }
    assert not any(missing.values()), f"run `make lock`: {missing}"


def test_what_is_tested_is_what_is_shipped():
    shipped = pins("runtime")
    for name in ("test", "lint"):
        assert shipped.items() <= pins(name).items()
    for name, version in pins("build").items():
        assert pins("lint").get(name, version) == version
