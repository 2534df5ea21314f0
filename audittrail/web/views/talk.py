"""A span's messages as a conversation: each tool call beside its result, whichever message the result came in."""

from __future__ import annotations

from typing import Any

import msgspec

from audittrail.model.span import Message, Part, Span
from audittrail.web.views.outline import Item, compact, outline

MAX_TEXT = 6_000  # characters of a text shown at once
MAX_HIDDEN = 400_000
LONG_SYSTEM = 280
RECENT = 10  # input messages before the answer that are not folded away


class Piece(msgspec.Struct, frozen=True):
    """A part of a turn, ready to print."""

    type: str  # text, reasoning, call, result, media, data
    text: str = ""
    rest: str = ""
    name: str = ""
    id: str = ""
    args: tuple[Item, ...] = ()
    result: tuple[Item, ...] = ()
    answered: bool = False
    value: tuple[Item, ...] = ()


class Turn(msgspec.Struct, frozen=True):
    """A message. `answer`: it is what this span gave back, not what it was given."""

    role: str
    pieces: tuple[Piece, ...]
    finish_reason: str = ""
    answer: bool = False
    preview: str = ""  # of a long system message, which starts folded


class Talk(msgspec.Struct, frozen=True):
    """Earlier turns start folded away."""

    earlier: tuple[Turn, ...]
    recent: tuple[Turn, ...]


def is_messages(value: Any) -> bool:
    """Whether an input or output is a conversation."""
    return isinstance(value, tuple) and bool(value) and all(isinstance(m, Message) for m in value)


def has_talk(span: Span) -> bool:
    """Whether a span has messages to show."""
    return is_messages(span.input) or is_messages(span.output)


def _pairs(messages: list[Message]) -> tuple[dict[tuple[int, int], Part], set[tuple[int, int]]]:
    """The result of each call, by the call's place; and the places of the results so used."""
    waiting: list[tuple[tuple[int, int], Part]] = []
    results: dict[tuple[int, int], Part] = {}
    used: set[tuple[int, int]] = set()
    for m, message in enumerate(messages):
        for p, part in enumerate(message.parts):
            if part.type == "tool_call":
                waiting.append(((m, p), part))
            elif part.type == "tool_result":
                same = [w for w in waiting if (w[1].id == part.id if part.id else not w[1].id)]
                named = [w for w in same if part.name is None or w[1].name in (None, part.name)]
                found = (named or same)[:1]
                if found:
                    waiting.remove(found[0])
                    results[found[0][0]] = part
                    used.add((m, p))
    return results, used


def _piece(part: Part, result: Part | None) -> Piece:
    if part.type in ("text", "reasoning"):
        text = part.text if part.text is not None else compact(part.value)
        return Piece(part.type, text[:MAX_TEXT], text[MAX_TEXT : MAX_TEXT + MAX_HIDDEN])
    if part.type == "tool_call":
        return Piece(
            "call",
            name=part.name or "unnamed tool",
            id=part.id or "",
            args=outline(opened(part.value)),
            result=outline(opened(_value(result))) if result else (),
            answered=result is not None,
        )
    if part.type == "tool_result":
        return Piece("result", name=part.name or "", id=part.id or "", result=outline(opened(_value(part))))
    return Piece(part.type, name=part.name or "", value=outline(opened(_value(part))))


def _value(part: Part) -> Any:
    return part.value if part.value is not None else part.text


def opened(value: Any) -> Any:
    """A text that holds a JSON object or array as that object or array; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "[") and len(value) < 1_000_000:
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    return value


def talk(span: Span) -> Talk:
    """The conversation of a span; a text on one side stands as a turn of its own."""
    given = list(span.input) if is_messages(span.input) else []
    if not given and isinstance(span.input, str) and span.input:
        given = [Message("input", (Part("text", text=span.input),))]
    came = list(span.output) if is_messages(span.output) else []
    if not came and isinstance(span.output, str) and span.output:
        came = [Message("output", (Part("text", text=span.output),))]
    messages = given + came
    results, used = _pairs(messages)
    turns: list[Turn] = []
    for m, message in enumerate(messages):
        pieces = tuple(_piece(part, results.get((m, p))) for p, part in enumerate(message.parts) if (m, p) not in used)
        if not pieces and message.parts:
            continue
        first = next((p.text for p in pieces if p.type == "text"), "")
        folded = message.role in ("system", "developer") and len(first) > LONG_SYSTEM
        turns.append(
            Turn(message.role, pieces, message.finish_reason or "", m >= len(given), first[:200] if folded else "")
        )
    answers = sum(t.answer for t in turns)
    split = max(0, len(turns) - answers - RECENT)
    return Talk(tuple(turns[:split]), tuple(turns[split:]))


# Where frameworks put the one text that matters.
LIKELY_KEYS = (
    *("question", "query", "input", "prompt", "task", "message", "content", "text"),
    *("output", "answer", "response", "result"),
)


def headline(value: Any, role: str) -> str:
    """What was asked or answered, in a few words: the last text of that role, or under a likely key, or all of it."""
    if is_messages(value):
        texts = [(m.role, " ".join(p.text for p in m.parts if p.type == "text" and p.text)) for m in value]
        said = [text for who, text in texts if who == role and text] or [text for _, text in texts if text]
        return said[-1] if said else ""
    value = opened(value)
    if isinstance(value, list) and value and isinstance(value[-1], dict):
        value = value[-1]
    if isinstance(value, dict):
        for key in LIKELY_KEYS:
            if isinstance(value.get(key), str) and value[key]:
                return str(value[key])
    return "" if value in (None, "", {}, [], ()) else compact(value)
