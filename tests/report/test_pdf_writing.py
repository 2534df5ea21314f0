"""Lines hold the whole text and are no wider than their place."""

from __future__ import annotations

import random

import pytest

from audittrail.report.pdf.fonts import typeface
from audittrail.report.pdf.ink import BODY, CELL, CODE
from audittrail.report.pdf.writing import bounded, one_line, set_lines, short

SIGNS = "aWi -_/.,:[]<>&%\u00e9\u0416\u4e2d\u3042\ud55c\u2192😀。)"


def shown(text: str, width: float, style=BODY) -> list[str]:
    return [row.shown for row in set_lines(text, style, width)]


def test_lines_end_between_words_and_keep_the_spaces_inside():
    assert shown("one two  three", 1_000) == ["one two  three"]
    assert shown("one two  three", typeface("sans").width("one two", BODY.size) + 0.1) == ["one two", "three"]
    assert shown("a\nb\n\nc", 100) == ["a", "b", "", "c"]
    assert shown("", 100) == [""]
    assert shown("a\r\nb", 100) == ["a", "b"]
    assert shown("  indented", 100, CODE) == ["  indented"]
    assert shown("\tindented", 100, CODE) == ["    indented"]


def test_a_word_is_cut_only_where_a_line_cannot_hold_it():
    width = typeface("mono").width("x" * 20, CODE.size) + 0.1
    assert shown("word " + "y" * 25, width, CODE) == ["word", "y" * 20, "y" * 5]
    assert shown("https://example.org/path/to", width, CODE) == ["https://example.org/", "path/to"]
    assert shown("well-known-names-of-it", width, CODE) == ["well-known-names-of-", "it"]


def test_chinese_japanese_and_korean_break_between_characters_but_not_before_a_full_stop():
    width = typeface("sans").width("中" * 5, BODY.size) + 0.1
    assert shown("中" * 12, width) == ["中" * 5, "中" * 5, "中" * 2]
    assert shown("中中中中中。中", width) == ["中" * 4, "中。中"]


@pytest.mark.parametrize("style", [BODY, CELL, CODE], ids=["body", "cell", "code"])
@pytest.mark.parametrize("width", [12.0, 40.0, 163.0])
def test_nothing_is_lost_and_nothing_is_too_wide(style, width):
    dice = random.Random(f"{style.face}{width}")
    face = typeface(style.face)
    for _ in range(300):
        text = "".join(dice.choice(SIGNS) for _ in range(dice.randrange(120)))
        rows = set_lines(text, style, width)
        assert "".join("".join(row.shown.split()) for row in rows) == "".join(text.split())
        for row in rows:
            assert row.width <= width + 0.01 or len(row.shown) == 1, (text, row)
            assert row.width == pytest.approx(face.width(row.shown, style.size))


def test_marks_stay_with_their_letter():
    width = typeface("sans").width("aaa", BODY.size) + 0.1
    assert shown("aaab\u0323\u0324\u0325c", width) == ["aaa", "ḅ\u0324\u0325c"]
    assert len(shown("\u0301" * 500, width)) == 1


def test_right_to_left_is_put_in_the_order_of_a_page():
    (row,) = set_lines("שלום (1)", BODY, 100)
    assert (row.shown, row.rightward) == ("(1) םולש", False)
    (row,) = set_lines("abc שלום", BODY, 100)
    assert (row.shown, row.rightward) == ("abc םולש", True)
    (row,) = set_lines("بيت", BODY, 100)
    assert row.shown == "\ufe96\ufef4\ufe91"  # end, middle, beginning
    assert [row.rightward for row in set_lines("שלום\nabc", BODY, 100)] == [False, True]


def test_only_parts_of_an_emoji_go_unsaid():
    assert shown("❤\ufe0f 👩\u200d💻", 100) == ["❤ 👩💻"]
    assert shown("a\u200db", 100) == ["a[U+200D]b"]
    assert shown("a\ufe0f", 100) == ["a[U+FE0F]"]
    assert shown("\u200d😀", 100) == ["[U+200D]😀"]


@pytest.mark.parametrize("text", ["short", "long " * 90, "中" * 300, "שלום " * 90, "", "a\nb", "x" * 5_000])
def test_one_line_is_one_line(text):
    row = one_line(text, BODY, 120)
    assert row.width <= 120.01 and "\n" not in row.shown
    assert ("…" in row.shown) == (len(text) > 50)


def test_a_text_is_bounded_by_characters_and_by_lines():
    assert bounded("abcdef", 4, 9) == bounded("abcdef", 4, 1)
    assert (bounded("abcdef", 4, 9).text, bounded("abcdef", 4, 9).left_out) == ("abcd", 2)
    assert (bounded("a\nb\nc", 99, 2).text, bounded("a\nb\nc", 99, 2).left_out) == ("a\nb", 2)
    assert bounded("a\nb", 3, 2).remark("here") == ""
    assert bounded("ab", 1, 1).remark("here") == "… 1 more character is not printed here; the whole text is here."
    assert (short("abc", 3, 1), short("abcd", 3, 1)) == ("abc", "abc…")
