"""`audittrail rules`: what a person who writes rules runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from audittrail.cli import main
from tests.live import ROOT


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITTRAIL_DATA_DIR", str(tmp_path / "data"))


def test_the_six_rules_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert all(int(line.split()[1]) >= 6 for line in lines)


def test_a_mistake_is_named_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "rules" / "bulk-delete-prevention.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("span.affected_rows >", "span.affected_row >"))
    assert main(["rules", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "mine.yaml:" in told
    assert "affected_row" in told


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err
