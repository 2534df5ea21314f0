"""Which model's answer a tool's call came from."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from audittrail.attribution.content import parsed, text_of
from audittrail.attribution.steps import Steps
from audittrail.model.human import line, visible
from audittrail.model.span import Message, Part, Span


# How many calls of one id are tried, where ids are used again.
NEAREST = 8


class Call(msgspec.Struct, frozen=True):
    """A call that a model's answer asked for."""

    asker: str  # span id of the model's call
    id: str  # "" where it has none
    name: str
    args: Any
    why: str = ""


class Calls(msgspec.Struct, frozen=True):
    """`by_tool`: for a tool's span the call it answered. `asked` and `answered`: by call id, in order of start."""

    by_tool: dict[str, Call]
    asked: dict[str, list[str]]
    answered: dict[str, list[str]]


def calls_of(steps: Steps) -> Calls:
    """By the call's id; where one side does not know it, by name and arguments: the next such tool in time. A tool that
    failed and was tried again with the same arguments belongs to the same call."""
    tools = [span for span in steps.spans if span.kind == "tool"]
    ids = {tool.span_id: call_id(tool) for tool in tools}
    calls = [call for span in steps.spans if span.kind == "llm" for call in _asked(span)]
    by_id: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.id:
            by_id[call.id].append(call)

    found: dict[str, Call] = {}
    for tool in tools:
        answer = _latest(steps, by_id.get(ids[tool.span_id], ()), tool)
        if answer is not None:
            found[tool.span_id] = replace(answer, why=f"call {line(visible(answer.id), 50)}")
    served = {(call.asker, call.id) for call in found.values()}
    waiting = [call for call in calls if not call.id or (call.asker, call.id) not in served]
    free = [tool for tool in tools if tool.span_id not in found]
    found |= _by_name(steps, waiting, [tool for tool in free if not ids[tool.span_id]])
    found |= _again(steps, found, [tool for tool in tools if tool.span_id not in found])
    for tool_id in [t for t in found if any(_same(found.get(up), found[t]) for up in steps.above(t))]:
        del found[tool_id]  # two instrumentations wrote one call, one inside the other

    asked: dict[str, list[str]] = {key: [call.asker for call in group] for key, group in by_id.items()}
    answered: dict[str, list[str]] = defaultdict(list)
    for tool in tools:
        match = found.get(tool.span_id)
        known = (match.id if match else "") or ids[tool.span_id]
        if known:
            answered[known].append(tool.span_id)
    return Calls(found, asked, dict(answered))


def _same(one: Call | None, other: Call) -> bool:
    return one is not None and (one.asker, one.id, one.name) == (other.asker, other.id, other.name)


def call_id(tool: Span) -> str:
    """The id of the call that a tool's span answers: its own, or the one that a framework wrote into the result."""
    if tool.tool is None:
        return ""
    if tool.tool.call_id:
        return tool.tool.call_id
    result = parsed(tool.tool.result)
    for holder in (result, result.get("data") if isinstance(result, dict) else None):
        if isinstance(holder, dict) and isinstance(holder.get("tool_call_id"), str):
            return str(holder["tool_call_id"])
    return ""


def _asked(span: Span) -> list[Call]:
    if not isinstance(span.output, tuple):
        return []
    parts: list[Part] = [part for message in span.output if isinstance(message, Message) for part in message.parts]
    return [Call(span.span_id, p.id or "", p.name or "", p.value) for p in parts if p.type == "tool_call"]


def _latest(steps: Steps, calls: Sequence[Call], tool: Span) -> Call | None:
    """The last call of that id before the tool began. Ids are used again by some: `call_1` in every turn."""
    outer = set(steps.above(tool.span_id))
    at = bisect_right(calls, tool.started_us, key=lambda call: steps.by_id[call.asker].started_us)
    for call in reversed(calls[max(0, at - NEAREST) : at]):
        if call.asker not in outer:
            return call
    # Clocks that disagree may place the only asker after its tool; an id is stronger evidence than a clock.
    return calls[0] if len(calls) == 1 and calls[0].asker not in outer else None


def _key(name: str, args: Any) -> Hashable:
    """Equal for equal arguments. A tool with one argument may have been recorded with its bare value."""
    args = parsed(args)
    if isinstance(args, dict) and len(args) == 1:
        args = next(iter(args.values()))
    return name, text_of(args)


def _name(tool: Span) -> str:
    return (tool.tool.name if tool.tool else None) or tool.name


def _by_name(steps: Steps, calls: list[Call], tools: list[Span]) -> dict[str, Call]:
    """Each call takes the next tool of its name and arguments, one beside it before one elsewhere."""
    waiting: dict[Hashable, list[Span]] = defaultdict(list)
    for tool in tools:
        args = tool.tool.args if tool.tool else None
        key = _key(_name(tool), args) if args is not None else (_name(tool), None)
        waiting[key].append(tool)
        waiting[key, tool.parent_id].append(tool)
    for queue in waiting.values():
        queue.reverse()
    found: dict[str, Call] = {}
    for call in calls:
        asker = steps.by_id[call.asker]
        keys = (_key(call.name, call.args), (call.name, None))
        for key in ((keys[0], asker.parent_id), keys[0], (keys[1], asker.parent_id), keys[1]):
            queue = waiting.get(key, [])
            while queue and (queue[-1].span_id in found or queue[-1].started_us < asker.started_us):
                queue.pop()
            if queue and queue[-1].span_id not in steps.above(call.asker):
                same = "and arguments" if key in (keys[0], (keys[0], asker.parent_id)) else "only"
                found[queue.pop().span_id] = replace(call, why=f"by name {same}, next in time")
                break
    return found


def _again(steps: Steps, known: dict[str, Call], tools: list[Span]) -> dict[str, Call]:
    """A tool that no answer asked for, right after the same call failed, is another try."""
    tried: dict[Hashable, tuple[Span, Call]] = {}
    free = {tool.span_id for tool in tools}
    found: dict[str, Call] = {}
    for tool in steps.spans:
        if tool.kind != "tool":
            continue
        key = tool.parent_id, _key(_name(tool), tool.tool.args if tool.tool else None)
        before = tried.get(key)
        if tool.span_id in free and before is not None and before[0].status in ("error", "blocked"):
            found[tool.span_id] = replace(before[1], why="tried again after it failed")
        call = known.get(tool.span_id) or found.get(tool.span_id)
        if call is not None:
            tried[key] = (tool, call)
    return found
