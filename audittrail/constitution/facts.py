"""A span as conditions see it. Each fact is worked out when the first rule asks for it, and once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
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


class SpanFacts:
    """What is derived from one span."""

    def __init__(self, span: Span, stage: str) -> None:
        self.span = span
        self.stage = stage

    @property
    def tool(self) -> Tool:
        """The tool's call, empty where there is none."""
        return self.span.tool or _NO_TOOL

    @cached_property
    def words(self) -> list[str]:
        """The words of the tool's name."""
        return words_of(self.tool.name or "")

    @cached_property
    def sql(self) -> Sql:
        """The SQL among the tool's arguments."""
        return sql_of(self.words, self.tool.args)

    @cached_property
    def rows(self) -> int | None:
        """How many rows the call is about."""
        return affected_rows(self.words, self.tool.args, self.tool.result, self.sql)

    @cached_property
    def args_text(self) -> str:
        """The arguments, as text or JSON."""
        return text_of(self.tool.args)

    @cached_property
    def input_text(self) -> str:
        """What went in; of a tool's call its arguments."""
        return text_of(self.span.input) if self.span.input is not None else self.args_text

    @cached_property
    def output_text(self) -> str:
        """What came out; of a tool's call its result."""
        return text_of(self.span.output) if self.span.output is not None else text_of(self.tool.result)

    @cached_property
    def requested(self) -> list[str]:
        """The tools that a model's answer calls."""
        return _distinct(part.name for message in self._turns for part in message.parts if part.type == "tool_call")

    @property
    def finish_reason(self) -> str:
        """Why the model stopped: of its last message that says so."""
        return next((m.finish_reason for m in reversed(self._turns) if m.finish_reason), "")

    @cached_property
    def sources(self) -> int:
        """How many retrieved texts went in."""
        return sources(self.span.input, self.span.attributes)

    @cached_property
    def citations(self) -> int:
        """How many times the output names a source."""
        return citations(self.output_text)

    @cached_property
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

    @cached_property
    def rows(self) -> list[SpanRow]:
        """The spans without payload."""
        return [SpanRow.of(span) if isinstance(span, Span) else span for span in self.spans]

    @cached_property
    def leaves(self) -> list[SpanRow]:
        """The spans whose usage counts."""
        return usage_leaves(self.rows)

    @cached_property
    def agents(self) -> list[str]:
        """Distinct agents, earliest first."""
        return _distinct([self.trace.agent, *(span.agent for span in self.rows)])

    @cached_property
    def tools(self) -> list[str]:
        """Distinct tools."""
        return _distinct(span.tool for span in self.rows)

    @cached_property
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
