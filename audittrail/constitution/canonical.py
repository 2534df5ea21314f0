"""One spelling for one JSON value, after RFC 8785: what is equal has equal bytes, whatever order its keys came in.

Not RFC 8785 to the letter: integers beyond 2**53 keep all their digits, where the RFC rounds them to a float. Two calls
with different row ids must never share an approval because a float cannot tell them apart.
"""

from __future__ import annotations

import json
import math
from typing import Any

from audittrail.model.errors import Invalid

MAX_DEPTH = 100


def canonical(value: Any) -> bytes:
    """The bytes of a JSON value. Raises Invalid where it is nested too deep or is no JSON value."""
    spelled = json.dumps(_plain(value, 0), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    # A lone surrogate has no UTF-8; its generalised form keeps two different texts different.
    return spelled.encode("utf-8", "surrogatepass")


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if value.bit_length() > 4096:
            raise Invalid("The arguments hold an integer of more than 1,200 digits; write it as text.")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid("The arguments hold NaN or an infinity, which JSON cannot say; write it as text.")
        # ECMAScript, and so RFC 8785, writes 250.0 as 250: they are one number.
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if depth >= MAX_DEPTH:
        raise Invalid(f"The arguments are nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Invalid("The arguments hold a key that is not text.")
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    raise Invalid("The arguments hold a value that JSON cannot say.")
