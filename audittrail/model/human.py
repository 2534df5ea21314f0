"""Numbers, times and hostile text as a person reads them. Each short form has an exact one for where there is room."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_US = 253_402_300_799_999_999  # the end of the year 9999; datetime knows nothing later
DAY_US = 86_400_000_000
NONE = "—"

# What a terminal, a browser or an eye could be misled by: control characters (but not tab and newline), soft hyphen and
# zero-width characters, bidirectional marks, embeddings, overrides and isolates, line and paragraph separators, tags,
# and the two that are no characters, which XML forbids.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f\ud800-\udfff]"
)
_JOINER = "\u200d"  # holds emoji families together; alone it hides nothing


def _shown(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char == _JOINER:
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"[U+{code:04X}]"


def visible(text: str) -> str:
    """The text with its invisible and direction-changing characters spelled out. Tabs and line feeds stay."""
    return _HIDDEN.sub(_shown, text.replace("\r\n", "\n"))


def line(text: str, limit: int = 300) -> str:
    """The text as one line of at most `limit` characters."""
    short = text if len(text) <= limit * 4 else text[: limit * 4]
    short = " ".join(short.split())
    return short if len(short) <= limit and len(text) <= limit * 4 else short[: limit - 1].rstrip() + "…"


def _trim(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".removesuffix("." + "0" * digits)


def duration(us: int | None) -> str:
    """`450 µs`, `12 ms`, `1.2 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`."""
    if us is None:
        return NONE
    if us < 1_000:
        return f"{us} µs"
    if us < 999_500:
        ms = us / 1_000
        return f"{_trim(ms)} ms" if ms < 9.95 else f"{ms:.0f} ms"
    if us < 59_950_000:
        s = us / 1_000_000
        return f"{s:.2f} s" if s < 9.995 else f"{s:.1f} s"
    seconds = round(us / 1_000_000)
    for unit, size, small, step in (("min", 60, "s", 1), ("h", 3_600, "min", 60), ("d", 86_400, "h", 3_600)):
        if seconds < {"min": 3_600, "h": 86_400, "d": 86_400 * 10_000}[unit]:
            whole, rest = divmod(seconds, size)
            return f"{whole} {unit} {rest // step} {small}" if rest // step else f"{whole} {unit}"
    return f"{seconds // 86_400:,} d"


def duration_exact(us: int | None) -> str:
    """`1,234,567 µs`."""
    return "not known" if us is None else f"{us:,} µs"


def count(number: int | None) -> str:
    """`950`, `12.4k`, `1.2M`, `3.4B`."""
    if number is None:
        return NONE
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        # 999,950 is 1M and not 1000.0k
        if abs(number) >= size * (1 if unit == "k" else 0.99995):
            value = number / size
            return f"{_trim(value) if abs(value) < 99.95 else f'{value:,.0f}'}{unit}"
    return str(number)


def exact(number: int | None) -> str:
    """`12,417`."""
    return "not reported" if number is None else f"{number:,}"


def money(amount: Decimal | None) -> str:
    """US dollars with as many digits as matter: `$0.0004`, `$0.043`, `$1.20`, `$1,240`; unpriced is a dash."""
    if amount is None:
        return NONE
    if amount < 0:
        return "−" + money(-amount)
    if amount == 0:
        return "$0"
    if amount < Decimal("0.0001"):
        return "<$0.0001"
    if amount < Decimal("0.001"):
        return f"${amount:.4f}"
    if amount < Decimal("0.9995"):
        return f"${amount:.3f}"
    return f"${amount:,.2f}" if amount < 1_000 else f"${amount:,.0f}"


def money_exact(amount: Decimal | None) -> str:
    """`0.04321 US dollars`; says so where nothing was priced."""
    return "unpriced: no price is known for what was used" if amount is None else f"{amount.normalize():,f} US dollars"


def rate(share: float | None) -> str:
    """A share in percent, with one decimal below ten: `0 %`, `4.2 %`, `37 %`."""
    if share is None:
        return NONE
    percent = share * 100
    return f"{percent:.1f} %" if 0 < percent < 9.95 else f"{percent:.0f} %"


def size(number: int | None) -> str:
    """`812 B`, `12.4 kB`, `3.1 MB`."""
    if number is None:
        return NONE
    if number < 1_000:
        return f"{number} B"
    for unit, step in (("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)):
        if number < step * 999.95 or unit == "GB":
            return f"{_trim(number / step)} {unit}"
    raise AssertionError  # the last unit takes all


def size_exact(number: int | None) -> str:
    """`12,417 bytes`."""
    return "not known" if number is None else f"{number:,} byte{'' if number == 1 else 's'}"


def moment(us: int) -> datetime:
    """The UTC time of microseconds since 1970, held within the years 1970 to 9999."""
    return EPOCH + timedelta(microseconds=min(max(us, 0), LAST_US))


def microseconds(at: datetime) -> int:
    """Since 1970, to the last one: a float would round them."""
    apart = at - EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds


def iso(us: int) -> str:
    """For a `datetime` attribute: `2026-11-21T14:03:22.123456Z`."""
    return moment(us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc(us: int) -> str:
    """`2026-11-21 14:03:22.123456 UTC`."""
    return moment(us).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def when(us: int, now_us: int) -> str:
    """`12 s ago` or `in 3 h` within a day; else `21 Nov 14:03`, with the year where it is another one."""
    apart = abs(now_us - us)
    if apart < DAY_US:
        seconds = apart // 1_000_000
        if seconds < 2:
            return "just now"
        span = (
            f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 3_600 else f"{seconds // 3_600} h"
        )
        return f"{span} ago" if us <= now_us else f"in {span}"
    at, now = moment(us), moment(now_us)
    return f"{at.day} {at:%b %H:%M}" if at.year == now.year else f"{at.day} {at:%b %Y}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 span`, `1,204 spans`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
