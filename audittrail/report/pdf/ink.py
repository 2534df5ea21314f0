"""The house look on paper: the light theme's colours as sRGB, sizes in points, and a word for each meaning."""

from __future__ import annotations

from audittrail.report.document import Meaning
from audittrail.report.pdf.writing import Style

TEXT, MUTED, LINE, EDGE, SUNK, ACCENT, BRAND = (
    *("#1d222a", "#545a64", "#d9dde2", "#80878f", "#f4f6f8", "#006667", "#0f766e"),
)
INK: dict[Meaning, str] = {
    "plain": MUTED,
    "ok": "#146d34",
    "running": "#0e5caf",
    "warning": "#875300",
    "error": "#ba1e23",
    "blocked": "#7639b7",
}
TINT: dict[Meaning, str] = {
    "plain": SUNK,
    "ok": "#eafaf0",
    "running": "#edf5ff",
    "warning": "#fdf2dd",
    "error": "#fff0ef",
    "blocked": "#f6f1fd",
}
WORD: dict[Meaning, str] = {
    "plain": "Note",
    "ok": "OK",
    "running": "Running",
    "warning": "Warning",
    "error": "Error",
    "blocked": "Blocked",
}

TITLE = Style("strong", 22, 27, TEXT)
SUBTITLE = Style("sans", 11, 16, MUTED)
HEADINGS = (Style("strong", 16, 21, TEXT), Style("strong", 11.5, 16, TEXT), Style("strong", 9.5, 14, TEXT))
BODY = Style("sans", 9.25, 14, TEXT)
QUIET = Style("sans", 8.5, 12.5, MUTED)
CAPTION = Style("strong", 9, 13, TEXT)
HEAD = Style("strong", 7.5, 10.5, MUTED)
CELL = Style("sans", 8, 11, TEXT)
CODE_CELL = Style("mono", 7.1, 11, TEXT)
CODE = Style("mono", 7.4, 10.6, TEXT)
NAME = Style("sans", 8.5, 13, MUTED)
VALUE = Style("sans", 8.5, 13, TEXT)
LEADING_NUMBER = Style("strong", 16, 21, TEXT)
SMALL = Style("sans", 7.5, 10.5, MUTED)
BRANDED = Style("strong", 7.5, 10.5, TEXT)
