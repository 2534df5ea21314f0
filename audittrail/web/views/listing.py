"""What views of filtered lists have in common: the query line, chips, time ranges, and the way to older rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from audittrail.model.filters import MAX_PAGE_SIZE, PAGE_SIZE, RANGES, Page
from audittrail.web.views.links import query

RANGE_WORDS = {"1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "the last 30 days"}


class Chip(msgspec.Struct, frozen=True):
    """A filter in force, and where it is not; or one to choose, and where it is."""

    label: str
    value: str
    href: str


def page_size(params: Mapping[str, str]) -> int:
    """How many rows: a page that is brought up to date asks with `limit` for as many as it shows."""
    limit = params.get("limit", "")
    return min(int(limit), MAX_PAGE_SIZE) if limit.isascii() and limit.isdecimal() and 0 < len(limit) < 5 else PAGE_SIZE


def typed(text: tuple[str, ...]) -> str:
    """Texts as the query line takes them: TraceFilter.parse(q=typed(text)).text == text."""
    return " ".join(t if '"' in t or (not any(c.isspace() for c in t) and ":" not in t) else f'"{t}"' for t in text)


class RangedView(msgspec.Struct, frozen=True, kw_only=True):
    """A list over a range of time, newest first, page by page."""

    PATH: ClassVar[str]

    want: Any
    found: Page[Any]
    error: str = ""  # why what was asked for was not understood; `found` is empty then

    def url(self, **changes: object) -> str:
        """This list with other parameters, from its newest on."""
        return self.PATH + query(**({"range": self.want.range} | changes))

    @property
    def older(self) -> str:
        """The next page; "" at the end."""
        return self.url(after=self.found.next) if self.found.next else ""

    @property
    def newest(self) -> str:
        """The first page; "" where this is it."""
        return self.url() if self.want.after else ""

    @property
    def ranges(self) -> tuple[Chip, ...]:
        """The time ranges to choose from; an empty value is any time."""
        return tuple(Chip(r or "Any time", r, self.url(range=r)) for r in (*RANGES, ""))

    @property
    def range_words(self) -> str:
        """`the last hour`, or "" for any time."""
        return RANGE_WORDS.get(self.want.range, "")


class ListView(RangedView, frozen=True, kw_only=True):
    """A list as it was asked for.

    The query line's `key:value` terms move into the named parameters, so every filter in force has one place in the URL
    and on the page; the line keeps the free text.
    """

    NAMED: ClassVar[tuple[str, ...]]  # fields of `want` and parameters of the URL, beside q, range and after
    CHOSEN: ClassVar[tuple[str, ...]] = ()  # those that have a row of their own to choose from, and no chip

    @property
    def text(self) -> str:
        """What stands in the query line."""
        return str(self.want.q) if self.error else typed(self.want.text)

    def url(self, **changes: object) -> str:
        """This list with other parameters, from its newest on."""
        params = {"q": self.text} | {name: getattr(self.want, name) for name in ("range", *self.NAMED)}
        return self.PATH + query(**(params | changes))

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The filters in force, each with the list without it."""
        named = {name: getattr(self.want, name) for name in self.NAMED if name not in self.CHOSEN}
        found = [
            Chip(name.replace("_", " "), str(value), self.url(**{name: ""})) for name, value in named.items() if value
        ]
        for i, text in enumerate(self.want.text):
            found.append(Chip("text", text, self.url(q=typed(self.want.text[:i] + self.want.text[i + 1 :]))))
        return tuple(found)

    @property
    def cleared(self) -> str:
        """The list without any chip."""
        return self.PATH + query(**{name: getattr(self.want, name) for name in self.CHOSEN})
