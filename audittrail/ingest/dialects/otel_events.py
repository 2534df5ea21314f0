"""OpenTelemetry's GenAI events: messages beside a span instead of in its attributes. Deprecated, and common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from audittrail.ingest.conversation import conversation, turn
from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import label
from audittrail.model.record import Event
from audittrail.model.span import Message

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.developer.message": "developer",
}
# What one block of a content list has, in any provider's shape; a user's text may be a JSON list of something else.
_BLOCK = frozenset(("type", "text", "toolUse", "toolResult", "functionCall", "functionResponse"))


def read_messages(events: Iterable[Event]) -> tuple[Any, Any]:
    """What was asked and what was answered, as far as the events say; None where they do not."""
    asked: list[Message] = []
    answered: list[Message] = []
    loose: dict[str, Any] = {}
    for event in events:
        role = _ROLES.get(event.name)
        if role is not None:
            asked.append(_message(role, event.attributes))
        elif event.name == "gen_ai.choice":
            answered.append(_choice(event.attributes))
        elif event.name.startswith("gen_ai."):
            # gen_ai.content.prompt, gen_ai.content.completion, gen_ai.client.inference.operation.details
            _whole(event.attributes, asked, answered, loose)
    return tuple(asked) or loose.get("input"), tuple(answered) or loose.get("output")


def read_tool(events: Iterable[Event]) -> tuple[Any, Any]:
    """A tool's arguments and result as Strands writes them: a tool message is what it got, a choice what it gave."""
    args = result = None
    for event in events:
        if event.name == "gen_ai.tool.message" and args is None:
            args = structure(event.attributes.get("content"))
        elif event.name == "gen_ai.choice" and result is None:
            result = structure(event.attributes.get("message"))
    return args, result


def _message(role: str, attributes: dict[str, Any]) -> Message:
    content = attributes.get("content")
    return turn(label(attributes.get("role")) or role, {**attributes, "content": _blocks(content)})


def _choice(attributes: dict[str, Any]) -> Message:
    value = structure(attributes.get("message"))
    reason = label(attributes.get("finish_reason"))
    if isinstance(value, dict) and not _BLOCK & value.keys():
        item = {"finish_reason": reason, **value, "content": _blocks(value.get("content"))}
    else:
        content = value if value is not None else attributes.get("content")
        item = {"finish_reason": reason, "content": _blocks(content), "tool_calls": attributes.get("tool_calls")}
    return turn(label(item.get("role")) or "assistant", item)


def _blocks(content: Any) -> Any:
    value = structure(content)
    items = value if isinstance(value, list) else [value]
    known = items and all(isinstance(item, dict) and _BLOCK & item.keys() for item in items)
    return value if known else content


def _whole(attributes: dict[str, Any], asked: list[Message], answered: list[Message], loose: dict[str, Any]) -> None:
    for name, turns, side in (
        ("gen_ai.system_instructions", asked, "instructions"),
        ("gen_ai.input.messages", asked, "input"),
        ("gen_ai.prompt", asked, "input"),
        ("gen_ai.output.messages", answered, "output"),
        ("gen_ai.completion", answered, "output"),
    ):
        value = structure(attributes.get(name))
        if value is None:
            continue
        if side == "instructions":
            turns.append(turn("system", {"content": value}))
            continue
        found = conversation(value)
        if found is None:
            loose.setdefault(side, value)
        else:
            turns.extend(found)
