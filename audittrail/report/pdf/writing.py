"""From a text to the lines that show it: nothing hidden, each script in its own order, nothing wider than its place.

A text may be anything. What could not be seen is spelled out (`[U+202E]`), and so is what no font has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import msgspec
from arabic_reshaper import ArabicReshaper  # type: ignore[import-untyped]
from bidi.algorithm import get_display  # type: ignore[import-untyped]

from audittrail.model import human
from audittrail.report.pdf.fonts import Face, Typeface, typeface

_PLAIN = re.compile(r"[ -~]*")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_MARKED = re.compile(r"[^\W\d_][\u0300-\u036f]+")
# Chinese, Japanese and Korean, where a line may end after each character; and emoji.
_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
_NEVER_FIRST = frozenset("、。，．・：；？！）」』】〕〉》”’％…ー々")
_AFTER = frozenset("-/\\_.,:;&=?|@)]}>")  # where a word too long for a line is cut first
_VARIANT, _JOINER = "\ufe0f", "\u200d"

# Marks are part of what was said, and only the ligature that Arabic cannot be written without is wanted.
_RESHAPER = ArabicReshaper({"delete_harakat": False, "support_zwj": False, "ARABIC LIGATURE ALLAH": False})


class Style(msgspec.Struct, frozen=True):
    """How a text is set. `leading` is from one baseline to the next."""

    face: Face
    size: float
    leading: float
    ink: str


class Row(msgspec.Struct, frozen=True):
    """A line that is ready: `shown` from left to right, and `said` in the order of reading where that is another."""

    shown: str
    width: float
    said: str = ""
    rightward: bool = True


class Bounded(msgspec.Struct, frozen=True):
    """As much of a text as is printed, and how many of its characters are not."""

    text: str
    left_out: int

    def remark(self, whole: str) -> str:
        """A sentence for the reader, or nothing."""
        if not self.left_out:
            return ""
        verb = "is" if self.left_out == 1 else "are"
        return f"… {human.plural(self.left_out, 'more character')} {verb} not printed here; the whole text is {whole}."


def bounded(text: str, characters: int, lines: int) -> Bounded:
    """The beginning of the text: at most so many characters and lines."""
    short = text if len(text) <= characters else text[:characters]
    if short.count("\n") >= lines:
        short = "\n".join(short.split("\n", lines)[:lines])
    return Bounded(short, len(text) - len(short))


def short(text: str, characters: int, lines: int) -> str:
    """The beginning of a text that is only a name for something: cut with an ellipsis."""
    cut = bounded(text, characters, lines)
    return cut.text.rstrip() + "…" if cut.left_out else text


def _spelled(text: str, face: Typeface) -> str:
    found = []
    before = ""
    for at, char in enumerate(text):
        if char in (_VARIANT, _JOINER):
            # Between the parts of an emoji these two only choose among pictures.
            after = text[at + 1 : at + 2]
            emoji = bool(before) and unicodedata.category(before) in ("So", "Sk", "Sm", "Po", "Nd")
            if emoji and (char == _VARIANT or (after and unicodedata.category(after)[0] == "S")):
                continue
            found.append(f"[U+{ord(char):04X}]")
        elif char == "\t":
            found.append(char)
        elif face.has(char):
            found.append(char)
            before = char
        elif unicodedata.category(char) == "Zs":
            found.append(" ")
        else:
            found.append(f"[U+{ord(char):04X}]")
            before = ""
    return "".join(found)


def spelled(text: str, face: Typeface) -> str:
    """The text in characters that are all seen and that the fonts have."""
    if _PLAIN.fullmatch(text):
        return text
    # By number: few fonts have the pictures that stand for control characters elsewhere.
    shown = human.visible(_CONTROL.sub(lambda match: f"[U+{ord(match[0]):04X}]", text.replace("\r\n", "\n")))
    shown = _MARKED.sub(lambda match: unicodedata.normalize("NFC", match[0]), shown)
    if _ARABIC.search(shown):
        shown = _RESHAPER.reshape(shown)
    return "\n".join(_spelled(one, face) for one in shown.split("\n"))


def _breaks(text: str, widths: list[float], limit: float) -> Iterator[tuple[int, int]]:
    """Where lines begin and end. Spaces hang over the edge; a word is cut only where a line cannot hold it."""
    begin, taken = 0, 0.0
    good = weak = 0  # the last places where a line may, and where it might, end
    at, last = 0, len(text)
    while at < last:
        char = text[at]
        taken += widths[at]
        if taken > limit + 1e-6 and char != " " and at > begin and not unicodedata.combining(char):
            cut = good if good > begin else weak if weak > begin and weak - begin > (at - begin) / 2 else at
            yield begin, cut
            begin = good = weak = cut
            at, taken = cut, 0.0
            continue
        if char == " " or (char == "-" and at > begin and text[at - 1].isalpha()):
            good = at + 1
        elif char in _AFTER:
            weak = at + 1
        elif char > "\u1100" and _WIDE.match(char) and text[at + 1 : at + 2] not in _NEVER_FIRST:
            good = at + 1
        at += 1
    yield begin, last


def _row(text: str, face: Typeface, size: float, side: str) -> Row:
    text = text.rstrip(" ")
    if not side:
        return Row(text, face.width(text, size))
    shown = get_display(text, base_dir=side)
    return Row(shown, face.width(shown, size), text, side == "L")


def _side(text: str) -> str:
    """The direction of a paragraph is that of its first letter (UAX #9, P2)."""
    if not _RIGHT_TO_LEFT.search(text):
        return ""
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), "L")
    return "L" if first == "L" else "R"


def set_lines(text: str, style: Style, width: float) -> list[Row]:
    """The lines of a text in a column of this width; at least one."""
    face = typeface(style.face)
    if _PLAIN.fullmatch(text) and (all_of := face.width(text, style.size)) <= width:
        return [Row(text, all_of)]
    found = []
    for paragraph in spelled(text, face).expandtabs(4).split("\n"):
        widths = [face.widths[char] * style.size for char in paragraph]
        side = _side(paragraph)
        found += [_row(paragraph[a:b], face, style.size, side) for a, b in _breaks(paragraph, widths, width)]
    return found


def one_line(text: str, style: Style, width: float) -> Row:
    """As much of the text as fits on one line, with an ellipsis where there is more."""
    face = typeface(style.face)
    short = human.line(text, 400)
    rows = set_lines(short, style, width)
    if len(rows) == 1:
        return rows[0]
    room = width - face.width("…", style.size)
    cut = set_lines(short, style, max(room, style.size))[0]
    if cut.said:
        return set_lines(cut.said + "…", style, width + style.size)[0]
    return Row(cut.shown + "…", face.width(cut.shown + "…", style.size))
