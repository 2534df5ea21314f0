"""The text of a span's values: what a condition reads as `span.input_text` and the like.

Nothing is cut: a limit would tell an attacker how much padding hides a text. CEL's patterns take linear time.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from audittrail.model.span import Message, Part

_UNSOUND = re.compile("[\0\ud800-\udfff]")
_encode = msgspec.json.Encoder().encode


def sound(text: str) -> str:
    """The text as CEL can take it: each NUL and lone surrogate becomes U+FFFD.

    cel-expr-python 0.1.3 ends a text at its first NUL: what stands behind one would be hidden from every rule. A lone
    surrogate it refuses.
    """
    if "\0" not in text:
        if text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _UNSOUND.sub("\ufffd", text)


def text_of(value: Any) -> str:
    """Text as it is, a conversation's messages one below the other, anything else as JSON; nothing is ''."""
    if value is None:
        return ""
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, tuple) and all(isinstance(item, Message) for item in value):
        return sound("\n".join(filter(None, (_said(part) for message in value for part in message.parts))))
    return json_text(value)


def json_text(value: Any) -> str:
    """The value as JSON, or '' where it is nested deeper than can be written."""
    try:
        return _encode(value).decode()
    except (RecursionError, TypeError, ValueError):
        return sound(_deep(value))


def _said(part: Part) -> str:
    # What was called is not what was said: a model's calls are in span.requested_tools.
    if part.type == "tool_call":
        return ""
    if part.text:
        return part.text
    return part.value if isinstance(part.value, str) else "" if part.value is None else json_text(part.value)


def _deep(value: Any) -> str:
    """The texts and keys inside a value that no encoder takes, without recursion."""
    found: list[str] = []
    waiting = [value]
    while waiting and len(found) < 100_000:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
            found.extend(str(key) for key in item)
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, bool | int | float):
            found.append(repr(item)[:50] if not isinstance(item, int) or item.bit_length() < 1000 else "number")
    return " ".join(reversed(found))
