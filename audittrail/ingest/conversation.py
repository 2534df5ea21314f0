"""Messages in every shape that model providers and frameworks write them: OpenTelemetry's parts, OpenAI's chat and
responses, Anthropic's blocks, Bedrock's, Gemini's, LangChain's, the Vercel SDK's."""

from __future__ import annotations

from typing import Any

from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import label
from audittrail.model.span import Message, Part

_TEXT = frozenset(("text", "input_text", "output_text", "refusal", "summary_text"))
_REASONING = frozenset(("reasoning", "thinking", "redacted_thinking"))
_CALL = frozenset(("tool_call", "tool_use", "tool-call", "function_call", "server_tool_call", "server_tool_use"))
_RESULT = frozenset(
    [
        "tool_call_response",
        "tool_result",
        "tool-result",
        "tool_return",
        "function_call_output",
        "server_tool_call_response",
    ]
)
_MEDIA = frozenset(
    [
        "image",
        "image_url",
        "image-url",
        "input_image",
        "audio",
        "audio-url",
        "input_audio",
        "video",
        "video-url",
        "file",
        "input_file",
        "document",
        "document-url",
        "media",
        "blob",
        "uri",
        "binary",
    ]
)
# LangChain names a message by its class instead of a role.
_LANGCHAIN = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "user",
}


def conversation(value: Any) -> tuple[Message, ...] | None:
    """The turns, where the value is a list of messages, one message, or a model's request or response; else None."""
    if isinstance(value, dict):
        value = _unwrapped(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or not value:
        return None
    turns = []
    for item in value:
        turn = message(item)
        if turn is None:
            return None
        turns.append(turn)
    return tuple(turns)


def message(item: Any) -> Message | None:
    """One turn, or None where the value is not a message in any known shape."""
    if not isinstance(item, dict):
        return None
    role = item.get("role")
    if isinstance(role, str):
        return turn(role, item)
    kind = item.get("type")
    if kind == "constructor" and isinstance(item.get("kwargs"), dict):
        item = item["kwargs"]  # LangChain's own way to write an object down
        kind = item.get("type")
    if isinstance(kind, str):
        if kind in _LANGCHAIN and isinstance(item.get("data", item), dict):
            return turn(_LANGCHAIN[kind], item.get("data", item))
        if kind in _CALL or kind == "reasoning":
            return Message("assistant", (part(item),))
        if kind in _RESULT:
            return Message("tool", (part(item),))
    return None


def turn(role: str, item: dict[str, Any]) -> Message:
    """A turn of that role from a dict with any of content, parts, tool_calls, tool_call_id, finish_reason."""
    found: list[Part] = []
    thought = item.get("reasoning_content")
    if isinstance(thought, str) and thought:
        found.append(Part("reasoning", thought))
    content = item.get("parts")
    if content is None:
        content = item.get("content")
    found += parts(content)
    answers = label(item.get("tool_call_id"))
    if answers is not None or role == "tool":
        found = _as_result(found, answers or label(item.get("id")), label(item.get("name")))
    found += _calls(item)
    return Message(role, tuple(found), label(item.get("finish_reason")))


def parts(content: Any) -> list[Part]:
    """The pieces of a message's content: a text, a list of texts and blocks, one block, or nothing."""
    if isinstance(content, str):
        return [Part("text", content)] if content else []
    if content is None:
        return []
    if isinstance(content, list):
        return [part(item) for item in content if item is not None]
    return [part(content)]


def part(item: Any) -> Part:
    """One piece. What has no known shape is kept whole as data."""
    if isinstance(item, str):
        return Part("text", item)
    if not isinstance(item, dict):
        return Part("data", value=item)
    kind = item.get("type")
    if not isinstance(kind, str):
        return _untyped(item)
    if kind in _TEXT:
        text = _first(item, "content", "text", "refusal")
        return Part("text", text) if isinstance(text, str) else Part("data", value=item)
    if kind in _CALL:
        inner = item.get("function") if isinstance(item.get("function"), dict) else item
        return call(_first(item, "id", "call_id", "toolCallId"), inner)
    if kind in _RESULT:
        value = _first(item, "response", "result", "content", "output")
        return Part(
            "tool_result",
            id=label(_first(item, "id", "tool_use_id", "tool_call_id", "call_id", "toolCallId")),
            name=label(_first(item, "name", "toolName")),
            value=_plain(value),
        )
    if kind in _REASONING:
        text = _first(item, "content", "thinking", "text", "reasoning", "summary")
        return Part("reasoning", text) if isinstance(text, str) else Part("reasoning", _joined(text), value=item)
    if kind in _MEDIA:
        return Part("media", value=item)
    return Part("data", value=item)


def call(call_id: Any, function: Any) -> Part:
    """A tool's call, its arguments parsed where they are JSON text."""
    if not isinstance(function, dict):
        return Part("tool_call", id=label(call_id), value=structure(function))
    value = _first(function, "arguments", "input", "args")
    return Part(
        "tool_call", id=label(call_id), name=label(_first(function, "name", "toolName")), value=structure(value)
    )


def _unwrapped(value: dict[str, Any]) -> Any:
    inner = value.get("messages")
    # A graph's state has other keys beside its messages, and they matter; a model's request is known by its model.
    if isinstance(inner, list) and (len(value) == 1 or "model" in value):
        return inner
    choices = value.get("choices")
    if isinstance(choices, list):
        return [_choice(item) for item in choices]
    return [value] if "role" in value else None


def _choice(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("message"), dict):
        return None
    reason = item.get("finish_reason")
    return {"role": "assistant", **item["message"], **({"finish_reason": reason} if reason else {})}


def _untyped(item: dict[str, Any]) -> Part:
    text = item.get("text")
    if isinstance(text, str):
        return Part("reasoning" if item.get("thought") is True else "text", text)
    for key in ("toolUse", "functionCall", "function_call"):
        inner = item.get(key)
        if isinstance(inner, dict):
            return call(_first(inner, "toolUseId", "id"), inner)
    for key in ("toolResult", "functionResponse", "function_response"):
        inner = item.get(key)
        if isinstance(inner, dict):
            value = _plain(_first(inner, "content", "response"))
            return Part(
                "tool_result", id=label(_first(inner, "toolUseId", "id")), name=label(inner.get("name")), value=value
            )
    return Part("data", value=item)


def _calls(item: dict[str, Any]) -> list[Part]:
    calls = item.get("tool_calls")
    calls = structure(calls)
    found = []
    for one in calls if isinstance(calls, list) else ():
        if isinstance(one, dict):
            function = one.get("function")
            found.append(call(_first(one, "id", "toolCallId"), function if isinstance(function, dict) else one))
    if isinstance(item.get("function_call"), dict):
        found.append(call(None, item["function_call"]))
    return found


def _as_result(found: list[Part], call_id: str | None, name: str | None) -> list[Part]:
    if any(p.type == "tool_result" for p in found):
        return found
    value: Any = found[0].text if len(found) == 1 and found[0].type == "text" else _texts(found)
    return [Part("tool_result", id=call_id, name=name, value=value)]


def _texts(found: list[Part]) -> Any:
    if not found:
        return None
    if all(p.type == "text" for p in found):
        return "\n".join(p.text or "" for p in found)
    return [p.text if p.type == "text" else p.value for p in found]


def _plain(value: Any) -> Any:
    """A result that is nothing but text blocks, as its text."""
    if isinstance(value, list) and value:
        joined = _joined(value)
        return value if joined is None else joined
    return value


def _joined(value: Any) -> str | None:
    if not isinstance(value, list):
        return None
    found = [item.get("text") if isinstance(item, dict) else item for item in value]
    texts = [text for text in found if isinstance(text, str)]
    return "\n".join(texts) if texts and len(texts) == len(found) else None


def _first(item: dict[str, Any], *names: str) -> Any:
    for name in names:
        found = item.get(name)
        if found is not None:
            return found
    return None
