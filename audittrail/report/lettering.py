"""How wide a text will be, without a browser to ask."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
# Of the size of the letters, measured in Inter at weight 500; a reader's font may differ, so they are on the wide side.
_WIDTHS = (
    ("il.,:;'|!", 0.29),
    ('jfrt()[]{}I/\\"`-', 0.41),
    (" ", 0.29),
    ("mw%@", 0.9),
    ("MW", 0.95),
    ("ABCDEFGHJKLNOPQRSTUVXYZ&#_", 0.72),
)
_BY_SIGN = {sign: width for signs, width in _WIDTHS for sign in signs}
_OTHER = 0.58


def _sign(sign: str) -> float:
    if sign in _BY_SIGN:
        return _BY_SIGN[sign]
    if sign < "\u0300":
        return _OTHER
    if unicodedata.combining(sign):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(sign) in ("W", "F") else 0.68


def width(text: str, size: float = 12) -> float:
    """About how wide one line of text is, in the unit of `size`."""
    return sum(map(_sign, text)) * size


def fit(text: str, limit: float, size: float = 12) -> str:
    """The text, or as much of its beginning as fits with an ellipsis."""
    taken, room = 0.0, limit / size
    cut = 0  # how many signs fit if an ellipsis has to follow
    for at, sign in enumerate(text):
        taken += _sign(sign)
        if taken <= room - 0.8:
            cut = at + 1
        if taken > room:
            return text[:cut].rstrip() + ELLIPSIS
    return text
