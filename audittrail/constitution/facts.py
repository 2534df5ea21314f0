"""A span as conditions see it. Each fact is worked out when the first rule asks for it, and once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from audittrail.constitution.affected import affected_rows, sql_of, words_of
from audittrail.constitution.citations import citations, sources
from audittrail.constitution.sql import Sql
from audittrail.constitution.text import json_text, text_of
from audittrail.model.span import Message, Span, Tool
from audittrail.model.summary import SpanRow, TraceRow, usage_leaves
from audittrail.model.verdict import Action

MOST_NAMES = 100
_NO_TOOL = Tool()


class fact:  # noqa: N801 - a decorator
    """A property that is worked out once. functools.cached_property takes a lock in Python 3.11, which costs as much as
    most facts; facts belong to one thread."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    def __get__(self, facts: Any, _: type | None = None) -> Any:
        value = facts.__dict__[self._name] = self._work(facts)
        return value


class SpanFacts:
    """What is derived from one span."""

    def __init__(self, span: Span, stage: str) -> None:
        self.span = span
        self.stage = stage

    @property
    def tool(self) -> Tool:
        """The tool's call, empty where there is none."""
        return self.span.tool or _NO_TOOL

    @fact
    def words(self) -> list[str]:
        """The words of the tool's name."""
        return words_of(self.tool.name or "")

    @fact
    def sql(self) -> Sql:
        """The SQL among the tool's arguments."""
        return sql_of(self.words, self.tool.args)

    @fact
    def rows(self) -> int | None:
        """How many rows the call is about."""
        return affected_rows(self.words, self.tool.args, self.tool.result, self.sql)

    @fact
    def args_text(self) -> str:
        """The arguments, as text or JSON."""
        return text_of(self.tool.args)

    @fact
    def input_text(self) -> str:
        """What went in; of a tool's call its arguments."""
        return text_of(self.span.input) if self.span.input is not None else self.args_text

    @fact
    def output_text(self) -> str:
        """What came out; of a tool's call its result."""
        return text_of(self.span.output) if self.span.output is not None else text_of(self.tool.result)

    @fact
    def requested(self) -> list[str]:
        """The tools that a model's answer calls."""
        return _distinct(part.name for message in self._turns for part in message.parts if part.type == "tool_call")

    @property
    def finish_reason(self) -> str:
        """Why the model stopped: of its last message that says so."""
        return next((m.finish_reason for m in reversed(self._turns) if m.finish_reason), "")

    @fact
    def sources(self) -> int:
        """How many retrieved texts went in."""
        return sources(self.span.input, self.span.attributes)

    @fact
    def citations(self) -> int:
        """How many times the output names a source."""
        return citations(self.output_text)

    @fact
    def attributes_text(self) -> str:
        """The raw attributes as JSON."""
        return json_text(self.span.attributes)

    @property
    def _turns(self) -> list[Message]:
        output = self.span.output
        return [item for item in output if isinstance(item, Message)] if isinstance(output, tuple) else []


class TraceFacts:
    """What is derived from a trace's row, and from its spans where they are at hand."""

    def __init__(self, trace: TraceRow, spans: Sequence[Span | SpanRow], stage: str) -> None:
        self.trace = trace
        self.spans = spans
        self.stage = stage

    @fact
    def rows(self) -> list[SpanRow]:
        """The spans without payload."""
        return [SpanRow.of(span) if isinstance(span, Span) else span for span in self.spans]

    @fact
    def leaves(self) -> list[SpanRow]:
        """The spans whose usage counts."""
        return usage_leaves(self.rows)

    @fact
    def agents(self) -> list[str]:
        """Distinct agents, earliest first."""
        return _distinct([self.trace.agent, *(span.agent for span in self.rows)])

    @fact
    def tools(self) -> list[str]:
        """Distinct tools."""
        return _distinct(span.tool for span in self.rows)

    @fact
    def models(self) -> list[str]:
        """Distinct models."""
        return _distinct(span.model for span in self.rows)


def span_of(action: Action) -> Span:
    """The span that the action would become, so that one condition serves before and after."""
    is_tool = action.kind == "tool"
    return Span(
        trace_id="",
        span_id="",
        kind=action.kind,
        name=action.name,
        status="running",
        agent=action.agent,
        session_id=action.session_id,
        end_user=action.end_user,
        model=action.model,
        provider=action.provider,
        tool=Tool(action.name or None, None, action.args) if is_tool else None,
        input=None if is_tool else action.args,
        pii=action.pii,
    )


def _distinct(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))[:MOST_NAMES]


def whole(number: Any) -> int:
    """The number within 64 bits; nothing is 0."""
    return max(-(2**63), min(int(number), 2**63 - 1)) if number is not None else 0
