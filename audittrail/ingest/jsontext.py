"""JSON as strangers write it, read into values that can be kept."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from audittrail.ingest.text import storable

MAX_DEPTH = 64
INT_MIN, INT_MAX = -(2**63), 2**63 - 1

_decode = msgspec.json.Decoder().decode


class TooDeep(ValueError):
    """The value is nested more deeply than MAX_DEPTH, or than a parser dares to go."""


def number(value: int | float) -> int | float | str:
    """The number, or its text where JSON or a database cannot say it: NaN, the infinities, integers beyond 64 bits."""
    if isinstance(value, int):
        return value if INT_MIN <= value <= INT_MAX else _digits(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def parse(data: bytes | str) -> Any:
    """The value of a JSON text as it stands. Raises ValueError, and nothing else.

    What msgspec refuses and others write passes too: lone surrogates, NaN, control characters, a byte order mark, and
    bytes that are not UTF-8 (they become U+FFFD).
    """
    try:
        return _decode(data)
    except RecursionError:
        raise TooDeep from None
    except (msgspec.DecodeError, UnicodeError):
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        return json.loads(text.removeprefix("\ufeff"), strict=False)
    except RecursionError:
        raise TooDeep from None


def loads(text: str) -> Any:
    """The value of a JSON text, at most MAX_DEPTH deep, with storable strings and numbers. Raises ValueError only."""
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return clean(parse(text))
    # Most texts need no cleaning, and looking is five times quicker than copying.
    if isinstance(value, list | dict) and "\\u0000" not in text and _sound(value, 1):
        return value
    return clean(value)


def structure(value: Any) -> Any:
    """The value of a text that is a JSON object or array; anything else comes back as it is."""
    if isinstance(value, str) and value[:64].lstrip()[:1] in ("{", "["):
        try:
            return loads(value)
        except ValueError:
            return value
    return value


def unquoted(value: Any) -> Any:
    """Like `structure`, and a text that is itself a JSON text is first taken out of its quotes."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        try:
            value = loads(value)
        except ValueError:
            return value
    return structure(value)


def clean(value: Any, depth: int = 0) -> Any:
    """The JSON value with storable strings and numbers. Raises TooDeep."""
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number(value)
    if depth >= MAX_DEPTH:
        raise TooDeep
    if isinstance(value, dict):
        return {storable(key): clean(item, depth + 1) for key, item in value.items()}
    return [clean(item, depth + 1) for item in value]


def _sound(value: list[Any] | dict[str, Any], depth: int) -> bool:
    """Whether what msgspec read can stay as it is: it never lets a lone surrogate, NaN or infinity through."""
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)
        if kind is int:
            if not INT_MIN <= item <= INT_MAX:
                return False
        elif (kind is dict or kind is list) and (depth >= MAX_DEPTH or not _sound(item, depth + 1)):
            return False
    return True


def _digits(value: int) -> str:
    # Python refuses to write more than 4,300 digits, since that takes quadratic time; hexadecimal does not.
    return str(value) if value.bit_length() < 8192 else hex(value)
