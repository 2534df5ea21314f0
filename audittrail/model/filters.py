"""What a list is asked for: filters as they stand in a URL, and the cursor to its next page."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from typing import Any, Generic, Self, TypeVar

import msgspec

from audittrail.model.errors import Invalid
from audittrail.model.span import STATUSES, Status

T = TypeVar("T")

# The ranges that a person can pick, in seconds; "" is any time.
RANGES: dict[str, int] = {"1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}
PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
MAX_QUERY = 1_000

# A word, a "quoted text", or key:value with either; quotes may hold blanks.
_TERM = re.compile(r'(?:(?P<key>[a-z_]+):)?(?:"(?P<quoted>[^"]*)"|(?P<word>\S+))')


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

    q: str = ""  # the query line, as typed
    range: str = ""  # a key of RANGES
    status: Status | None = None
    agent: str = ""
    session: str = ""
    user: str = ""
    model: str = ""  # of a call in it
    tool: str = ""  # called in it
    text: tuple[str, ...] = ()  # each must be found in the trace's names
    after: Cursor | None = None
    size: int = PAGE_SIZE

    @classmethod
    def parse(
        cls,
        *,
        q: str = "",
        range: str = "",
        status: str = "",
        agent: str = "",
        session: str = "",
        user: str = "",
        model: str = "",
        tool: str = "",
        after: str = "",
        size: int = PAGE_SIZE,
    ) -> Self:
        """From a URL's parameters. A named one and the query line's `key:value` mean the same; the line wins.

        Raises Invalid, naming what is allowed.
        """
        asked = {"range": range, "after": after, "status": status, "agent": agent, "session": session, "user": user}
        asked |= {"model": model, "tool": tool}
        named, text = parse_query(q, asked)
        if named["range"] and named["range"] not in RANGES:
            raise Invalid(f"The time range is one of {', '.join(RANGES)}, or empty for any time.")
        check_size(size)
        return cls(
            q=q,
            range=named["range"],
            status=one_of("status", named["status"], STATUSES),
            agent=named["agent"],
            session=named["session"],
            user=named["user"],
            model=named["model"],
            tool=named["tool"],
            text=text,
            after=Cursor.parse(after) if after else None,
            size=size,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything filters at all."""
        named = (self.range, self.status, self.agent, self.session, self.user, self.model, self.tool)
        return any(named) or bool(self.text)
