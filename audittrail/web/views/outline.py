"""A JSON value as a flat list of lines that a template can print without recursion, however deep a client nested it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MAX_LINES = 400
MAX_DEPTH = 30
MAX_TEXT = 4_000  # characters of one text; the rest is folded away
MAX_HIDDEN = 200_000  # characters behind that fold; all of it is in the record
OPEN_DEPTH = 3
OPEN_CHILDREN = 40


class Item(msgspec.Struct, frozen=True):
    """`open` and `close` enclose an object's or array's items; `leaf` is a value; `cut` says that more was left out."""

    op: Literal["open", "close", "leaf", "cut"]
    key: str = ""
    text: str = ""  # a leaf's value; an open's summary: "3 keys"
    rest: str = ""  # what of a long text is folded away
    type: str = ""  # string, number, literal
    unfolded: bool = False
    multiline: bool = False


def _leaf(key: str, value: Any) -> Item:
    if isinstance(value, str):
        long = len(value) > MAX_TEXT
        return Item(
            "leaf",
            key,
            value[:MAX_TEXT] if long else value,
            rest=value[MAX_TEXT : MAX_TEXT + MAX_HIDDEN] if long else "",
            type="string",
            multiline="\n" in value or len(value) > 100,
        )
    if value is None or isinstance(value, bool):
        return Item("leaf", key, {None: "null", True: "true", False: "false"}[value], type="literal")
    if isinstance(value, int | float):
        return Item("leaf", key, repr(value), type="number")
    if isinstance(value, dict | list | tuple):
        return Item("leaf", key, "{}" if isinstance(value, dict) else "[]", type="literal")
    return Item("leaf", key, str(value), type="string")


def outline(value: Any, limit: int = MAX_LINES) -> tuple[Item, ...]:
    """The lines of a value. A container that is large or lies deep starts folded."""
    items: list[Item] = []
    shown = 0
    stack: list[tuple[str, Any, int] | None] = [("", value, 0)]  # None closes the container that was opened last
    while stack:
        entry = stack.pop()
        if entry is None:
            items.append(Item("close"))
            continue
        key, at, depth = entry
        shown += 1
        if shown > limit:
            items.append(Item("cut", text="More was left out here; the record has all of it."))
            items.extend(Item("close") for e in stack if e is None)
            break
        if not isinstance(at, dict | list | tuple) or not at:
            items.append(_leaf(key, at))
        elif depth >= MAX_DEPTH:
            items.append(Item("cut", key, "Nested too deep to show; the record has it."))
        else:
            named = isinstance(at, dict)
            summary = f"{len(at)} {'key' if named else 'item'}{'' if len(at) == 1 else 's'}"
            if depth:
                items.append(Item("open", key, summary, unfolded=depth < OPEN_DEPTH and len(at) <= OPEN_CHILDREN))
                stack.append(None)
            pairs = list(at.items()) if isinstance(at, dict) else [(str(i), v) for i, v in enumerate(at)]
            stack.extend((str(k), v, depth + 1) for k, v in reversed(pairs[: limit + 1]))
    return tuple(items)


def compact(value: Any) -> str:
    """A value on one line, as JSON; a text as it is."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return str(type(value).__name__)


def pretty(value: Any) -> str:
    """A value as indented JSON; a text as it is."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except (TypeError, ValueError, RecursionError):
        return compact(value)
