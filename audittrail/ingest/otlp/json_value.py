"""OTLP/JSON's attributes: lists of key and value, where the value's one field names its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from audittrail.ingest.jsontext import INT_MAX, INT_MIN, MAX_DEPTH, number
from audittrail.ingest.otlp.decoded import Unfit
from audittrail.ingest.text import storable

_INTEGER = re.compile(r"-?[0-9]{1,400}")
_TOO_DEEP = f"A value of the span is nested more than {MAX_DEPTH} levels deep."


def attributes(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """The attributes below that key; of two with the same name the last. Raises Unfit."""
    out: dict[str, Any] = {}
    for pair in field(parent, key, list):
        if not isinstance(pair, dict):
            raise Unfit("Each attribute must be an object with key and value.")
        out[storable(field(pair, "key", str, "attribute"))] = any_value(pair.get("value"), 0)
    return out


def any_value(value: Any, depth: int) -> Any:
    """As a plain value, which stands so deep in another. Raises Unfit."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unfit('The value of an attribute must be an object such as {"stringValue": …}.')
    for name, item in value.items():
        if name == "stringValue" and isinstance(item, str):
            return storable(item)
        if name in _READ and item is not None:
            return _READ[name](item, depth)
    return None


def _bool(item: Any, _: int) -> bool:
    if isinstance(item, bool):
        return item
    raise Unfit("A boolValue must be true or false.")


def _text(item: Any, _: int) -> str:
    if isinstance(item, str):
        return storable(item)
    raise Unfit("A stringValue must be text.")


def _int(item: Any, _: int) -> int | str:
    found = integer(item)
    if found is not None:
        return found if INT_MIN <= found <= INT_MAX else str(number(found))
    if isinstance(item, str) and item.lstrip("-").isdecimal():
        return storable(item)  # too long for int(): kept as it was written
    raise Unfit("An intValue must be a whole number.")


def _double(item: Any, _: int) -> float | str:
    if isinstance(item, str) and item in ("NaN", "Infinity", "-Infinity"):
        return item
    if isinstance(item, bool) or not isinstance(item, int | float | str):
        raise Unfit("A doubleValue must be a number.")
    try:
        return number(float(item))
    except (ValueError, OverflowError):
        raise Unfit("A doubleValue must be a number.") from None


def _array(item: Any, depth: int) -> list[Any]:
    if depth >= MAX_DEPTH:
        raise Unfit(_TOO_DEEP)
    return [any_value(inner, depth + 1) for inner in field(_node(item), "values", list, "attribute")]


def _map(item: Any, depth: int) -> dict[str, Any]:
    if depth >= MAX_DEPTH:
        raise Unfit(_TOO_DEEP)
    pairs = [pair for pair in field(_node(item), "values", list, "attribute") if isinstance(pair, dict)]
    return {storable(field(pair, "key", str, "attribute")): any_value(pair.get("value"), depth + 1) for pair in pairs}


def _node(item: Any) -> dict[str, Any]:
    if isinstance(item, dict):
        return item
    raise Unfit("An arrayValue or kvlistValue must be an object with values.")


_READ: dict[str, Callable[[Any, int], Any]] = {
    "stringValue": _text,
    "boolValue": _bool,
    "intValue": _int,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _map,
    "bytesValue": _text,
}


def field(
    parent: dict[str, Any], key: str, kind: type[str] | type[list[Any]] | type[dict[str, Any]], owner: str = "span"
) -> Any:
    """What the parent has below that key, or an empty one of its kind. Raises Unfit where it is of another kind."""
    value = parent.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        wanted = "text" if kind is str else "an array" if kind is list else "an object"
        raise Unfit(f"The field {key} of the {owner} must be {wanted}.")
    return value


def integer(value: Any) -> int | None:
    """A whole number, written as number or text; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return None
