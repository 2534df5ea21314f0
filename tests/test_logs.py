"""Log lines: one a record, for people or programs, and never with what was received."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import datetime

import pytest

from audittrail.logs import ContentFree, JsonLines
from tests.live import ROOT

CANARY = "jane@example.org"


def record(message: str, *args: object, name: str = "audittrail.x", error: BaseException | None = None):
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, info)


def raised() -> ValueError:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        return error


def test_json_is_one_object_with_the_time_in_utc():
    line = JsonLines().format(record("%d rules\nare “in force”", 6))
    assert "\n" not in line
    found = json.loads(line)
    assert {name: found[name] for name in ("level", "logger", "message")} == {
        "level": "warning",
        "logger": "audittrail.x",
        "message": "6 rules are “in force”",
    }
    assert found["time"].endswith("Z") and datetime.fromisoformat(found["time"]).utcoffset().total_seconds() == 0
    assert "error" not in found


@pytest.mark.parametrize("formatter", [ContentFree, JsonLines])
def test_an_exception_is_its_kind_and_place(formatter: type[ContentFree]):
    line = formatter().format(record("Failed", error=raised()))
    assert "ValueError < test_logs.py:" in line and CANARY not in line and "\n" not in line
    # asyncio shows the exception, and so what it quotes, in its message as well.
    shown = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{CANARY}')>"
    line = formatter().format(record(shown, name="asyncio", error=raised()))
    assert "never retrieved" in line and CANARY not in line


def test_what_libraries_and_python_say_comes_in_the_same_shape():
    said = """
import logging, warnings
from audittrail.logs import start_logging
start_logging(json=True)
logging.getLogger("uvicorn.error").error("from uvicorn")
logging.getLogger("uvicorn.error").info("not wanted")
logging.getLogger("audittrail.server").info("from us")
warnings.warn("from python")
"""
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, timeout=60)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["logger"] for line in lines] == ["uvicorn.error", "audittrail.server", "py.warnings"]
