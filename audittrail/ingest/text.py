"""Text that can be kept anywhere: no NUL, which PostgreSQL refuses, and no lone surrogate, which is not UTF-8."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with each NUL and lone surrogate written as its six-character escape, `\\u0000`."""
    if "\0" not in text:
        if text.isascii():
            return text
        # Encoding is the quickest test there is for a surrogate: 3 µs for 5 KB, where the pattern takes 34.
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
