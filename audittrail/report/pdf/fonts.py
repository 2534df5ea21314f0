"""The typefaces of a report: which one has a character, how wide it is there, and what is drawn where none has it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Literal

from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]

Face = Literal["sans", "strong", "mono"]

FOLDER = Path(__file__).resolve().parents[1] / "fonts"
_FILES: dict[Face, str] = {"sans": "Inter-Regular", "strong": "Inter-SemiBold", "mono": "JetBrainsMono-Regular"}
# Asked in this order. The last is the largest: it is read only for a character that no other has.
_OTHERS = ("DejaVuSans", "NotoSansThai-Regular", "NotoEmoji-Regular", "DroidSansFallback")
_MAPPED = re.compile(r"<([0-9A-F]{2})> <([0-9A-F]{4,6})>")
_FORMS = range(0xFB50, 0xFEFD)  # joined Arabic letters; what is between them is not drawn


def _meant(match: re.Match[str]) -> str:
    code = int(match[2], 16)
    if code < _FORMS.start:
        return match[0]
    text = unicodedata.normalize("NFKC", chr(code)) if code in _FORMS else chr(code)
    return f"<{match[1]}> <{text.encode('utf-16-be').hex().upper()}>"


class _Embedded(TTFont):  # type: ignore[misc]
    """Whoever copies or searches gets letters, not their joined forms; and what is beyond U+FFFF in UTF-16, which PDF
    asks for and ReportLab does not write."""

    def addObjects(self, doc: Any) -> None:  # noqa: N802 - ReportLab's name
        before = set(doc.idToObject)
        super().addObjects(doc)
        for key in doc.idToObject.keys() - before:
            if key.startswith("toUnicodeCMap:"):
                stream = doc.idToObject[key]
                stream.content = _MAPPED.sub(_meant, stream.content)


@cache
def _font(name: str) -> TTFont:
    font = _Embedded(name, str(FOLDER / f"{name}.ttf"), shapable=False)
    pdfmetrics.registerFont(font)
    return font


class _Fonts(dict[str, str]):
    """The name of the font for each character; empty where no font has it."""

    def __init__(self, first: str) -> None:
        super().__init__()
        self._names = (first, *_OTHERS)

    def __missing__(self, char: str) -> str:
        code, kind = ord(char), unicodedata.category(char)
        # DejaVu's marks stand over what is before them by themselves; others wait for a shaper to move them there.
        names = (*_OTHERS, self._names[0]) if kind == "Mn" else self._names
        # What a font has for private use is a picture of its own, not what was meant.
        found = "" if kind == "Co" else next((name for name in names if code in _font(name).face.charToGlyph), "")
        self[char] = found
        return found


class _Widths(dict[str, float]):
    """The width of each character, of a size of 1."""

    def __init__(self, fonts: _Fonts) -> None:
        super().__init__()
        self._fonts = fonts

    def __missing__(self, char: str) -> float:
        name = self._fonts[char]
        self[char] = found = float(_font(name).face.getCharWidth(ord(char))) / 1000 if name else 0.0
        return found


class Typeface:
    """A face together with those that stand in for it."""

    def __init__(self, face: Face) -> None:
        self.name = _FILES[face]
        _font(self.name)
        self.fonts = _Fonts(self.name)
        self.widths = _Widths(self.fonts)

    def width(self, text: str, size: float) -> float:
        """Of a text that is drawn as it is, character after character."""
        return sum(map(self.widths.__getitem__, text)) * size

    def has(self, char: str) -> bool:
        """Whether any of the fonts can draw it."""
        return bool(self.fonts[char])

    def runs(self, text: str) -> list[tuple[str, str]]:
        """The text cut where the font changes: pairs of a font's name and what it draws."""
        found: list[tuple[str, str]] = []
        begin, fonts = 0, self.fonts
        for at, char in enumerate(text):
            if at and fonts[char] != fonts[text[begin]]:
                found.append((fonts[text[begin]], text[begin:at]))
                begin = at
        return [*found, (fonts[text[begin]], text[begin:])] if text else found


@cache
def typeface(face: Face) -> Typeface:
    """Read once, when it is first asked for."""
    return Typeface(face)
