"""What a step took in and gave out, as items that can be found again in another step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from audittrail.model.span import Message, Span
from audittrail.model.words import words

# A phrase is this many words in a row: fewer occur in two texts by chance.
PHRASE = 6
SHORTEST = 18  # letters of a phrase; "is it ok if we do" is no evidence
WHOLE = 20  # letters of a value that is shorter than a phrase and compared as a whole
# What is read of one value: hostile contents are long, deep and many.
MAX_LEAVES = 500
MAX_SAMPLES = 48

# Names of things: letters and digits together, as in INV-1042, cus_9f3k2 or a UUID. Dates and times are no names.
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.@-]{4,78}[0-9A-Za-z]")
_TIME = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[hms]|\d+(\.\d+)?(ms|us|kb|mb|gb|px|am|pm)\b|\d\d?-[A-Za-z]{3}-\d+", re.I)
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


class Item(msgspec.Struct, frozen=True):
    """A part of a conversation: a tool's call, a tool's result, or text."""

    type: str  # call | result | text
    id: str = ""  # of the call
    text: str = ""
    spoken: bool = False  # by the model, earlier


def text_of(value: Any) -> str:
    """The value as text: as it is, or as JSON with its keys in order."""
    if isinstance(value, str):
        return value
    try:
        return _encode(value).decode()
    except (RecursionError, TypeError, ValueError, UnicodeEncodeError):
        return ""


def parsed(value: Any) -> Any:
    """JSON that was sent as text, as the value it stands for."""
    if isinstance(value, str) and len(value) < 1_000_000 and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            return _decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return value
    return value


def items_of(value: Any) -> list[Item]:
    """A step's input or output in parts; what is no conversation is one text for each string in it."""
    if not isinstance(value, tuple):
        return [Item("text", text=text) for text in leaves(value)]
    found: list[Item] = []
    for message in value:
        if not isinstance(message, Message):
            found += [Item("text", text=text) for text in leaves(message)]
            continue
        spoken = message.role in ("assistant", "model", "ai")
        for part in message.parts:
            if part.type == "tool_call":
                found.append(Item("call", part.id or "", text_of(part.value), spoken))
            elif part.type == "tool_result" and part.id:
                found.append(Item("result", part.id, text_of(part.value)))
            elif part.type in ("text", "reasoning"):
                found.append(Item("text", text=part.text or "", spoken=spoken))
            elif part.value is not None:
                found += [Item("text", text=text) for text in leaves(part.value)]
    return found


def taken(span: Span) -> list[Item]:
    """What went in: the input, or a tool's arguments."""
    given = span.input if span.input is not None else span.tool and span.tool.args
    return items_of(given) if given is not None else []


def given(span: Span) -> list[str]:
    """The texts that came out: the output, a tool's result, an error's message, the arguments of calls asked for."""
    found = [item.text for item in items_of(span.output)] if span.output is not None else []
    if span.tool is not None and span.tool.result is not None:
        found += leaves(span.tool.result)
    if span.error is not None:
        found.append(span.error.message[:1_000])
    return found


def leaves(value: Any) -> list[str]:
    """The strings of a JSON value, in order, at most MAX_LEAVES of them."""
    return list(islice(_leaves(value), MAX_LEAVES))


def _leaves(value: Any) -> Iterator[str]:
    stack = [iter((value,))]
    while stack:
        one = next(stack[-1], stack)
        if one is stack:
            stack.pop()
            continue
        one = parsed(one)
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            stack.append(iter(one.values()))
        elif isinstance(one, list | tuple):
            stack.append(iter(one))
        elif isinstance(one, Message):
            stack.append(iter([part.text or part.value for part in one.parts]))
        elif isinstance(one, int | float) and not isinstance(one, bool) and abs(one) >= 1_000_000:
            yield str(one)


def pieces(texts: Iterable[str], limit: int) -> set[Any]:
    """All phrases and names of the texts, of which at most `limit` characters are read."""
    found: set[Any] = set()
    for text in _within(texts, limit):
        found.update(_phrases(text))
        found.update(_names(text))
    return found


def samples(texts: Iterable[str], limit: int) -> list[Any]:
    """Phrases and names that stand for the texts: a few from all over them, the same each time."""
    phrases: dict[Any, None] = {}
    names: dict[Any, None] = {}
    for text in _within(texts, limit):
        phrases.update(dict.fromkeys(_phrases(text)))
        names.update(dict.fromkeys(_names(text)))
    return [*_spread([p for p in phrases if _telling(p)]), *_spread(list(names))]


def _within(texts: Iterable[str], limit: int) -> Iterator[str]:
    for text in texts:
        if limit <= 0:
            return
        yield text[:limit]
        limit -= len(text) + 1


def _phrases(text: str) -> list[Any]:
    found = words(text)
    if len(found) < PHRASE:
        return [tuple(found)] if len(text) >= WHOLE and len(found) > 1 else []
    return list(zip(*(found[at:] for at in range(PHRASE)), strict=False))


def _names(text: str) -> list[str]:
    return [
        name
        for name in _NAME.findall(text)
        if not (name.isalpha() or _TIME.match(name))
        and ((any(c.isalpha() for c in name) and any(c.isdigit() for c in name)) or (name.isdigit() and len(name) > 6))
    ]


def _telling(phrase: tuple[str, ...]) -> bool:
    joined = "".join(phrase)
    return len(joined) >= SHORTEST or not joined.isascii()


def _spread(found: list[Any]) -> list[Any]:
    step = len(found) / MAX_SAMPLES
    return found if step <= 1 else [found[int(at * step)] for at in range(MAX_SAMPLES)]
