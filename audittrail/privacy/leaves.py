"""Every text of a JSON value laid out for one scan, and put back where it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from audittrail.privacy.finding import KEY
from audittrail.privacy.placeholder import withheld

MAX_DEPTH = 128  # ingest refuses deeper than 64
_KEY = KEY.decode()

# What hides everything below it: {"credentials": {"user": …, "hash": …}}.
_HIDES = re.compile(r"(?i)(?:passwords?|secrets?|credentials?|cookies|authorization|(?:api|secret|access)[-_.]?keys?)$")


class Leaves:
    """Texts in the order of a walk. A part is a key, the separator, and a value; both may be empty."""

    __slots__ = ("parts", "too_deep")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.too_deep = 0

    def value(self, value: Any, key: str = "", depth: int = 0) -> None:
        """Add all texts of a value: a string goes with the key it stands under, since only that may say what it is."""
        kind = type(value)
        if kind is str:
            self.parts.append(f"{key}\x1d{value}")
        elif kind is int or kind is float:
            self.parts.append(f"{key}\x1d{_written(value)}")
        elif kind is dict or kind is list or kind is tuple:
            if depth >= MAX_DEPTH:
                self.too_deep += 1
            elif kind is dict:
                self.items(value, key, depth)
            else:
                for name, item in _named(value, key):
                    self.value(item, name, depth + 1)

    def items(self, value: dict[str, Any], under: str = "", depth: int = 0) -> None:
        """Add all keys and values of an object, `under` the key it is the value of."""
        add = self.parts.append
        if under and _HIDES.search(under):
            for key, item in value.items():
                add(f"{_name(key)}\x1d")
                self.value(item, under, depth + 1)
            return
        called = _called(value)
        for key, item in value.items():
            kind = type(item)
            if _KEY in key:
                key = _name(key)  # noqa: PLW2901
            if called and key == "value":
                add("value\x1d")
                self.value(item, called, depth + 1)
            elif kind is str or kind is int:
                # The digits of a huge integer are not to be asked for: Python refuses, and so do databases.
                add(f"{key}\x1d{item if kind is str else _written(item)}")
            elif item is None or kind is bool:
                add(f"{key}\x1d")
            else:
                add(f"{key}\x1d")
                self.value(item, key, depth + 1)


class Rebuilt:
    """The same walk again, with some parts changed."""

    __slots__ = ("_changed", "_next")

    def __init__(self, changed: dict[int, str]) -> None:
        self._changed, self._next = changed, 0

    def value(self, value: Any, key: str = "", depth: int = 0) -> Any:
        """The value, itself where nothing in it changed."""
        kind = type(value)
        if kind is str or kind is int or kind is float:
            text = self._take()
            if text is None:
                return value
            found = text.partition(_KEY)[2]
            return value if kind is not str and found == _written(value) else found
        if kind is dict or kind is list or kind is tuple:
            if depth >= MAX_DEPTH:
                return withheld(0)
            if kind is dict:
                return self.items(value, key, depth)
            items = [self.value(item, name, depth + 1) for name, item in _named(value, key)]
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        return value

    def items(self, value: dict[str, Any], under: str = "", depth: int = 0) -> dict[str, Any]:
        """The object, itself where nothing in it changed."""
        hides = bool(under and _HIDES.search(under))
        called = "" if hides else _called(value)
        rebuilt: dict[str, Any] = {}
        changed = False
        for key, item in value.items():
            kind = type(item)
            new_key, new_item = key, item
            text = self._take()
            if text is not None:
                name, _, found = text.partition(_KEY)
                new_key = key if name == _name(key) else name
            if called and key == "value":
                new_item = self.value(item, called, depth + 1)
            elif not hides and (kind is str or kind is int):
                if text is not None and (kind is str or found != _written(item)):
                    new_item = found
            elif item is not None and (hides or kind is not bool):
                new_item = self.value(item, under if hides else _name(key), depth + 1)
            changed = changed or new_key is not key or new_item is not item
            rebuilt[_free(new_key, rebuilt)] = new_item
        return rebuilt if changed else value

    def _take(self) -> str | None:
        self._next += 1
        return self._changed.get(self._next - 1)


def _named(items: Iterable[Any], key: str) -> Iterator[tuple[str, Any]]:
    """Each item of a list with the key that it stands under, or the option before it: ["--password", "…"]."""
    name = key
    for item in items:
        yield name, item
        name = item if type(item) is str and item[:2] == "--" and len(item) < 64 and _KEY not in item else key


def _called(value: dict[str, Any]) -> str:
    """What the `value` of {"name": "password", "value": "…"} is called."""
    name = value.get("name", value.get("key")) if "value" in value else None
    return name if type(name) is str and len(name) < 64 and _KEY not in name else ""


def _name(key: str) -> str:
    """The key as it is laid out: without the separator, which nobody's key has in it, unless to confuse us."""
    return key.replace(_KEY, "\x02")


def _free(key: str, taken: Iterable[str]) -> str:
    """The key, or one like it: two keys may have become one."""
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key}#{number}"
    return free


def _written(value: int | float) -> str:
    return str(value) if type(value) is float or -(2**64) < value < 2**64 else "0"
