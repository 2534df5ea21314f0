"""Log lines: for people, or for programs as JSON; without content in both."""

from __future__ import annotations

import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

import msgspec

from audittrail.model.errors import where


class ContentFree(logging.Formatter):
    """One line a record. Exceptions are their kind and the lines they came through: their messages may quote what was
    received."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """One line."""
        return where(ei[1])

    def format(self, record: logging.LogRecord) -> str:
        """For people."""
        return f"{self.formatTime(record)} {record.levelname} {record.name}: {' | '.join(self.parts(record))}"

    def parts(self, record: logging.LogRecord) -> list[str]:
        """The message and, where there is one, the exception."""
        message = record.getMessage()
        if record.name == "asyncio":
            message = message.partition("\n")[0]  # what follows shows the exception as it is
        parts = [message.strip().replace("\n", " ")]
        if record.exc_info and record.exc_info[1] is not None:
            parts.append(self.formatException(record.exc_info))
        return parts


class JsonLines(ContentFree):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """For programs: time (RFC 3339, UTC), level, logger, message and, where there is one, error."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        line |= zip(("message", "error"), self.parts(record), strict=False)
        return msgspec.json.encode(line).decode()


def start_logging(*, json: bool) -> None:
    """To standard error, everything: what libraries say too, and Python's own warnings."""
    formatter = JsonLines if json else ContentFree
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": formatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {"audittrail": {"level": "INFO"}},
        }
    )
    logging.captureWarnings(True)
