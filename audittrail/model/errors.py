"""What can go wrong, in words that a person can act on. The web layer gives each its HTTP status."""

from __future__ import annotations

import traceback


class AuditTrailError(Exception):
    """Base of all refusals. The message says what, where, and what to do, and never carries trace content."""


class Invalid(AuditTrailError):
    """The request cannot be understood (400)."""


class NotSignedIn(AuditTrailError):
    """No valid session or key was presented (401)."""


class Forbidden(AuditTrailError):
    """Who asks is known, and may not (403)."""


class NotFound(AuditTrailError):
    """It does not exist, or who asks may not know that it does (404)."""


class Conflict(AuditTrailError):
    """It exists already, or changed meanwhile (409)."""


class TooLarge(AuditTrailError):
    """The body is over a limit, which the message names (413)."""


class UnsupportedMedia(AuditTrailError):
    """The content type or encoding is not one we read (415)."""


class TooMany(AuditTrailError):
    """Asked too often; try again after `retry_after` seconds (429)."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(AuditTrailError):
    """Cannot be done just now; the same request may be sent again after `retry_after` seconds (503)."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigurationError(AuditTrailError):
    """A setting or the environment is wrong; the program does not start."""


def where(error: BaseException) -> str:
    """The kind of an exception and the lines it came through, not its message, which may quote what was received."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)]
    return " < ".join([type(error).__name__, *places])
