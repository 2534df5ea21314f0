"""What a list is asked for: filters as they stand in a URL, and the cursor to its next page."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec

from audittrail.model.errors import Invalid
from audittrail.model.span import KINDS, STATUSES, Kind, Status

T = TypeVar("T")

# The ranges that a person can pick, in seconds; "" is any time.
RANGES: dict[str, int] = {"1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}
PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
MAX_QUERY = 1_000

# A word, a "quoted text", or key:value with either; quotes may hold blanks.
_TERM = re.compile(r'(?:(?P<key>[a-z_]+):)?(?:"(?P<quoted>[^"]*)"|(?P<word>\S+))')

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|)")
_UNITS = {"ms": 1_000, "": 1_000_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_DOLLARS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?")


class Cursor(msgspec.Struct, frozen=True):
    """The place after which a page starts: the sort key of the last item shown."""

    key: tuple[int, str]

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.key[0]}.{self.key[1]}".encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid for anything that `str()` did not make."""
        try:
            if len(text) > 200:
                raise ValueError
            at, _, name = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(".")
            if not name or not -(2**63) <= int(at) < 2**63 or "\0" in name:
                raise ValueError
            return cls((int(at), name))
        except (ValueError, binascii.Error, UnicodeError):
            raise Invalid(
                "The `after` cursor is not one this server gave; leave it out to start at the newest."
            ) from None


def as_stored(id_: str) -> str:
    """An id of an address as ids are stored: in lower case. What no id can be becomes "-", which none is: PostgreSQL
    takes no NUL, not even to say that there is no such row."""
    return id_.lower() if id_.isascii() and id_.isalnum() else "-"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items of a list, and the cursor to the rest (None at the end)."""

    items: tuple[T, ...]
    next: str | None = None

    @classmethod
    def cut(cls, rows: Sequence[T], size: int, key: Any) -> Page[T]:
        """Of `size + 1` rows asked for, the first `size`; `key(row)` is the sort key."""
        kept = tuple(rows[:size])
        return cls(kept, str(Cursor(key(kept[-1]))) if len(rows) > size else None)


def parse_query(q: str, named: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The query line's `key:value` over what is named already, and its other words and "quoted texts", in lower case.

    Raises Invalid for a line over MAX_QUERY characters, and for a NUL anywhere.
    """
    if len(q) > MAX_QUERY:
        raise Invalid(f"The query is longer than {MAX_QUERY} characters.")
    if any("\0" in value for value in (q, *named.values())):
        raise Invalid("A filter holds a NUL character, which no stored text does.")
    found = dict(named)
    text: list[str] = []
    for term in _TERM.finditer(q):
        value = term["quoted"] if term["quoted"] is not None else term["word"]
        if term["key"] in named and value:
            found[term["key"]] = value
        elif term[0].strip('"'):
            text.append((term["quoted"] if term["key"] is None and term["quoted"] is not None else term[0]).lower())
    return found, tuple(text)


def check_size(size: int) -> None:
    """Raises Invalid for a page size out of bounds."""
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise Invalid(f"The page size is between 1 and {MAX_PAGE_SIZE}.")


def one_of(name: str, value: str, allowed: Iterable[str]) -> Any:
    """The value, None where it is empty. Raises Invalid, naming what is allowed."""
    if value and value not in allowed:
        raise Invalid(f"The {name} is one of {', '.join(allowed)}.")
    return value or None


class TraceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A list of traces as it was asked for. Empty fields do not filter."""

    NAMES: ClassVar = (
        *("range", "status", "agent", "session", "user", "model", "tool", "kind"),
        *("has_error", "min_duration", "min_cost", "min_tokens"),
    )

    q: str = ""  # the query line, as typed
    range: str = ""  # a key of RANGES
    status: Status | None = None
    agent: str = ""
    session: str = ""
    user: str = ""
    model: str = ""  # of a call in it; * stands for any text
    tool: str = ""  # called in it; * stands for any text
    kind: Kind | None = None  # of a step in it
    has_error: str = ""  # "yes": of a step in it, however the trace ended
    min_duration: str = ""
    min_cost: str = ""
    min_tokens: str = ""
    text: tuple[str, ...] = ()  # each must be found in the trace's names
    after: Cursor | None = None
    size: int = PAGE_SIZE

    @classmethod
    def parse(cls, *, q: str = "", after: str = "", size: int = PAGE_SIZE, **named: str) -> Self:
        """From a URL's parameters, NAMES among them. A named one and the query line's `key:value` mean the same; the
        line wins.

        Raises Invalid, naming what is allowed.
        """
        found, text = parse_query(q, dict.fromkeys(cls.NAMES, "") | named)
        if found["range"] and found["range"] not in RANGES:
            raise Invalid(f"The time range is one of {', '.join(RANGES)}, or empty for any time.")
        check_size(size)
        known: dict[str, Any] = {
            **found,
            "status": one_of("status", found["status"], STATUSES),
            "kind": one_of("kind", found["kind"], KINDS),
            "has_error": one_of("has_error", found["has_error"], ("yes",)) or "",
        }
        cursor = Cursor.parse(after) if after else None
        want = cls(q=q, text=text, after=cursor, size=size, **known)
        # Read once here, so that a wrong one is refused with the others.
        _ = want.min_duration_us, want.min_dollars, want.min_count
        return want

    @property
    def min_duration_us(self) -> int | None:
        """Raises Invalid."""
        if not self.min_duration:
            return None
        found = _DURATION.fullmatch(self.min_duration)
        if found is None:
            raise Invalid("The min_duration is a number with ms, s, m or h, such as 500ms or 10s.")
        return int(Decimal(found[1]) * _UNITS[found[2]])

    @property
    def min_dollars(self) -> Decimal | None:
        """Raises Invalid."""
        if self.min_cost and not _DOLLARS.fullmatch(self.min_cost):
            raise Invalid("The min_cost is a number of US dollars, such as 0.05.")
        return Decimal(self.min_cost) if self.min_cost else None

    @property
    def min_count(self) -> int | None:
        """Of tokens, in and out. Raises Invalid."""
        if self.min_tokens and not (
            self.min_tokens.isascii() and self.min_tokens.isdecimal() and len(self.min_tokens) < 16
        ):
            raise Invalid("The min_tokens is a whole number, such as 10000.")
        return int(self.min_tokens) if self.min_tokens else None

    @property
    def narrows(self) -> bool:
        """Whether anything filters at all."""
        return any(getattr(self, name) for name in self.NAMES) or bool(self.text)
