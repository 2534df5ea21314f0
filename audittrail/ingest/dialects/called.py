"""What a decorated function was called with, `{"args": [...], "kwargs": {...}}`, as the arguments it was given."""

from __future__ import annotations

from typing import Any

_CALL = {"args", "kwargs"}


def given(value: Any) -> Any:
    """The named arguments, or the only positional one, or all of them; anything else comes back as it is."""
    if not isinstance(value, dict) or value.keys() != _CALL:
        return value
    args, kwargs = value["args"], value["kwargs"]
    if isinstance(kwargs, dict) and kwargs and not args:
        return kwargs
    if isinstance(args, list) and args and not kwargs:
        return args[0] if len(args) == 1 else args
    return value
