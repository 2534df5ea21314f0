"""View of the list of traces."""

from __future__ import annotations

import msgspec

from audittrail.model.filters import RANGES, Page, TraceFilter
from audittrail.model.span import STATUSES
from audittrail.model.summary import TraceRow
from audittrail.web.views.links import query

RANGE_WORDS = {"1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "the last 30 days"}


class Chip(msgspec.Struct, frozen=True):
    """A filter in force, and where it is not."""

    label: str
    value: str
    href: str


def typed(text: tuple[str, ...]) -> str:
    """Texts as the query line takes them: TraceFilter.parse(q=typed(text)).text == text."""
    return " ".join(t if '"' in t or (not any(c.isspace() for c in t) and ":" not in t) else f'"{t}"' for t in text)


def took_us(row: TraceRow, now_us: int) -> int:
    """How long a trace took, or has taken so far while its root has no end."""
    return max(0, (now_us if row.ended_us is None else row.ended_us) - row.started_us)


class TracesView(msgspec.Struct, frozen=True, kw_only=True):
    """Traces. Template: pages/traces.html (GET /traces). Blocks: results (filters, list), more (older rows).

    The query line's `key:value` terms move into the named parameters, so every filter in force has one place in the URL
    and on the page; the line keeps the free text.
    """

    want: TraceFilter
    found: Page[TraceRow]
    agents: tuple[str, ...] = ()  # suggestions
    empty_project: bool = False  # nothing was ever received: shows how to send
    error: str = ""  # why the query was not understood; `found` is empty then
    base_url: str = ""

    @property
    def text(self) -> str:
        """What stands in the query line."""
        return self.want.q if self.error else typed(self.want.text)

    def url(self, **changes: object) -> str:
        """This list with other parameters, from its newest trace on."""
        want = self.want
        params: dict[str, object] = {
            "q": self.text,
            "range": want.range,
            "status": want.status,
            "agent": want.agent,
            "session": want.session,
            "user": want.user,
        }
        return "/traces" + query(**(params | changes))

    def took_us(self, row: TraceRow, now_us: int) -> int:
        """Of one of the traces."""
        return took_us(row, now_us)

    @property
    def older(self) -> str:
        """The next page; "" at the end."""
        return self.url(after=self.found.next) if self.found.next else ""

    @property
    def newest(self) -> str:
        """The first page; "" where this is it."""
        return self.url() if self.want.after else ""

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The filters in force, each with the list without it."""
        want = self.want
        named = {"status": want.status, "agent": want.agent, "session": want.session, "user": want.user}
        found = [Chip(name, value, self.url(**{name: ""})) for name, value in named.items() if value]
        for i, text in enumerate(want.text):
            found.append(Chip("text", text, self.url(q=typed(want.text[:i] + want.text[i + 1 :]))))
        return tuple(found)

    @property
    def ranges(self) -> tuple[Chip, ...]:
        """The time ranges to choose from; an empty value is any time."""
        return tuple(Chip(r or "Any time", r, self.url(range=r)) for r in (*RANGES, ""))

    @property
    def range_words(self) -> str:
        """`the last hour`, or "" for any time."""
        return RANGE_WORDS.get(self.want.range, "")

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses to choose from."""
        return STATUSES
