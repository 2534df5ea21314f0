from decimal import Decimal

import pytest

from audittrail.model import human

S = 1_000_000


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (None, "—"),
        (0, "0 µs"),
        (450, "450 µs"),
        (1_000, "1 ms"),
        (1_250, "1.2 ms"),
        (12_300, "12 ms"),
        (999_499, "999 ms"),
        (999_500, "1.00 s"),
        (1_234_567, "1.23 s"),
        (12_340_000, "12.3 s"),
        (59_940_000, "59.9 s"),
        (59_960_000, "1 min"),
        (125 * S, "2 min 5 s"),
        (3_600 * S, "1 h"),
        (12_000 * S, "3 h 20 min"),
        (187_200 * S, "2 d 4 h"),
        (86_400 * 20_000 * S, "20,000 d"),
    ],
)
def test_durations(us, text):
    assert human.duration(us) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "—"), (0, "0"), (999, "999"), (1_000, "1k"), (12_417, "12.4k"), (99_960, "100k"), (999_949, "1,000k"),
        (999_950, "1M"), (1_234_567, "1.2M"), (3_400_000_000, "3.4B"), (-1_500, "-1.5k"),
    ],
)  # fmt: skip
def test_counts(number, text):
    assert human.count(number) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "—"), ("0", "$0"), ("0.00000012", "<$0.0001"), ("0.0004", "$0.0004"), ("0.04321", "$0.043"),
        ("0.9999", "$1.00"),
        ("12.4", "$12.40"), ("1240.2", "$1,240"), ("-0.5", "−$0.500"),
    ],
)  # fmt: skip
def test_money(amount, text):
    assert human.money(None if amount is None else Decimal(amount)) == text


def test_unpriced_is_not_zero_in_words_either():
    assert "unpriced" in human.money_exact(None)
    assert human.money_exact(Decimal("0.0432100")) == "0.04321 US dollars"


def test_sizes():
    assert [human.size(n) for n in (0, 812, 12_417, 999_960, 3_100_000, 5_000_000_000)] == [
        "0 B", "812 B", "12.4 kB", "1 MB", "3.1 MB", "5 GB",
    ]  # fmt: skip


def test_times_are_relative_within_a_day_only():
    now = 1_795_500_000 * S
    assert human.when(now - S, now) == "just now"
    assert human.when(now - 59 * S, now) == "59 s ago"
    assert human.when(now - 3_599 * S, now) == "59 min ago"
    assert human.when(now + 7_200 * S, now) == "in 2 h"
    assert human.when(now - 86_400 * S, now) == f"23 Nov {human.moment(now):%H:%M}"
    assert human.when(0, now) == "1 Jan 1970"


def test_times_beyond_the_calendar_are_held():
    assert human.iso(2**64).startswith("9999-12-31")
    assert human.iso(-5) == "1970-01-01T00:00:00.000000Z"


def test_what_cannot_be_seen_is_spelled_out():
    assert human.visible("a\x1b[31mb\x7f") == "a␛[31mb␡"
    assert human.visible("invoice_\u202efdp.exe") == "invoice_[U+202E]fdp.exe"
    assert human.visible("pay\u200bpal\u00ad") == "pay[U+200B]pal[U+00AD]"
    assert human.visible("lone \ud800") == "lone [U+D800]"


def test_what_can_be_seen_stays():
    for text in ("line\n\ttab", "مراجعة طلب", "👩‍👩‍👧", "naïve – “quoted”", "日本語"):
        assert human.visible(text) == text


def test_a_line_is_one_line():
    assert human.line("a\n b\t c  ") == "a b c"
    assert human.line("x" * 10_000, 20) == "x" * 19 + "…"
    assert human.line("", 20) == ""


def test_plurals():
    assert (human.plural(1, "span"), human.plural(1_204, "span"), human.plural(2, "match", "matches")) == (
        "1 span",
        "1,204 spans",
        "2 matches",
    )
