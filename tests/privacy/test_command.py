"""`audittrail redact` shows what would be kept of a text."""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

import pytest

from audittrail.commands import redact
from audittrail.settings import load

TEXT = 'é {"mail": "bob@example.org", "card": 4111111111111111}'
KEPT = r'é \{"mail": "<EMAIL:[0-9a-f]{8}>", "card": "<CARD:[0-9a-f]{8}>"\}'


@pytest.fixture(autouse=True)
def frame() -> None:
    pytest.importorskip("scrubadub")


def run(file: Path | None) -> int:
    return redact.show(argparse.Namespace(file=file), load({}))


def test_a_file_is_printed_as_it_would_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "text"
    file.write_text(TEXT)
    assert run(file) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(KEPT, out)
    assert err == "CARD 1, EMAIL 1\n"
    assert run(file) == 0
    assert capsys.readouterr().out != out, "each run has a key of its own"


def test_standard_input_is_read_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"nothing \xff here\n")))
    assert run(None) == 0
    assert capsys.readouterr() == ("nothing \ufffd here\n", "nothing found\n")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none") == 1
    assert capsys.readouterr().err == f"audittrail redact: {tmp_path / 'none'}: No such file or directory\n"
