"""View of one span: the panel on the right of a trace."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from audittrail.model.human import size
from audittrail.model.record import SpanRecord, decode
from audittrail.model.span import Message, Span
from audittrail.model.violation import Violation
from audittrail.web.views.bill import Line, lines
from audittrail.web.views.outline import Item, compact, outline, pretty
from audittrail.web.views.talk import Talk, has_talk, is_messages, opened, talk
from audittrail.web.views.violations import Seen, seen

MAX_RAW = 200_000  # characters of a raw text or of the record that a page shows
MAX_VALUE = 2_000
EMPTY: tuple[Any, ...] = (None, "", (), [], {})


class Section(msgspec.Struct, frozen=True):
    """A value under its name: as an outline, and as text where that differs."""

    label: str
    items: tuple[Item, ...]
    raw: str = ""
    raw_size: str = ""
    cut: bool = False


class Attribute(msgspec.Struct, frozen=True):
    """A raw attribute."""

    key: str
    text: str
    rest: str = ""
    unmapped: bool = False
    type: str = "string"


class Happening(msgspec.Struct, frozen=True):
    """An event of a span."""

    name: str
    after_us: int
    attributes: tuple[Attribute, ...]


def attributes(values: dict[str, Any], unmapped: tuple[str, ...] = ()) -> tuple[Attribute, ...]:
    """Attributes by name."""
    strange = set(unmapped)
    found = []
    for key in sorted(values):
        value = values[key]
        text = compact(value)
        kind = "string" if isinstance(value, str) else "number" if type(value) in (int, float) else "literal"
        found.append(Attribute(key, text[:MAX_VALUE], text[MAX_VALUE:MAX_RAW], key in strange, kind))
    return tuple(found)


def section(label: str, value: Any) -> Section:
    """An input or output; a text that holds JSON is shown as JSON, with the text behind a fold."""
    plain = msgspec.to_builtins(value) if is_messages(value) or isinstance(value, Message) else value
    shown = opened(plain)
    structured = isinstance(shown, dict | list | tuple)
    raw = (plain if isinstance(plain, str) else pretty(plain)) if structured else ""
    return Section(label, outline(shown), raw[:MAX_RAW], size(len(raw.encode(errors="replace"))), len(raw) > MAX_RAW)


class Panel(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One span with its tabs. What a tab needs is made when that tab is shown."""

    span: Span
    record: bytes = b""  # exactly as stored
    versions: int = 1
    wanted: str = ""  # the tab asked for
    trace_started_us: int = 0
    explicit: bool = False  # asked for by URL; on a phone it then covers the tree
    verdicts: tuple[Violation, ...] = ()  # that this span is, or is evidence of
    can_change: bool = False  # whether who looks may acknowledge and resolve

    @property
    def tabs(self) -> tuple[tuple[str, str], ...]:
        """Names and labels of the tabs that have something to show."""
        found = []
        if has_talk(self.span):
            found.append(("conversation", "Conversation"))
        if self.has_values:
            found.append(("io", "Input/Output"))
        if self.verdicts:
            found.append(("verdicts", f"Verdicts {len(self.verdicts)}"))
        found.append(("attributes", "Attributes"))
        if self.record:
            found.append(("record", "Record"))
        return tuple(found)

    @property
    def has_values(self) -> bool:
        """Whether there is any input or output."""
        tool = self.span.tool
        values = (self.span.input, self.span.output, tool and tool.args, tool and tool.result)
        return any(v not in EMPTY for v in values)

    @property
    def tab(self) -> str:
        """The tab shown."""
        names = [name for name, _ in self.tabs]
        return self.wanted if self.wanted in names else names[0]

    @property
    def bill(self) -> tuple[Line, ...]:
        """The buckets of tokens that the cost is the sum of."""
        return lines(self.span.cost_basis) if self.span.cost_basis else ()

    @property
    def duration_us(self) -> int | None:
        """None while it runs."""
        return None if self.span.ended_us is None else self.span.ended_us - self.span.started_us

    @cached_property
    def talk(self) -> Talk:
        """The conversation."""
        return talk(self.span)

    @cached_property
    def values(self) -> tuple[Section, ...]:
        """Inputs and outputs; of a tool its arguments and its result."""
        tool = self.span.tool
        pairs = [
            ("Arguments", tool.args if tool else None),
            ("Input", self.span.input),
            ("Result", tool.result if tool else None),
            ("Output", self.span.output),
        ]
        shown: list[tuple[str, Any]] = []
        for label, value in pairs:
            if value not in EMPTY and not any(opened(value) == opened(v) for _, v in shown):
                shown.append((label, value))
        return tuple(section(label, value) for label, value in shown)

    @cached_property
    def sent(self) -> SpanRecord | None:
        """The record, decoded; None where none was given."""
        return decode(self.record) if self.record else None

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Raw attributes, those that no dialect claimed marked."""
        return attributes(self.span.attributes, self.span.unmapped)

    @property
    def resource(self) -> tuple[Attribute, ...]:
        """Of the process that sent it."""
        return attributes(self.span.resource)

    @property
    def events(self) -> tuple[Happening, ...]:
        """With the time since the span's start."""
        start = self.span.started_us
        return tuple(Happening(e.name, e.time_ns // 1000 - start, attributes(e.attributes)) for e in self.span.events)

    def seen(self, one: Violation) -> tuple[Seen, ...]:
        """What the rule saw."""
        return seen(one.values)

    @property
    def record_text(self) -> str:
        """The stored bytes as text."""
        return self.record[:MAX_RAW].decode(errors="replace")

    @property
    def record_cut(self) -> bool:
        """Whether the record is longer than the page shows."""
        return len(self.record) > MAX_RAW
