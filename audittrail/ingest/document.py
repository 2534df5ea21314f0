"""The text by which a span is found: its content without structure. Pure, from the record as it is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from audittrail.ingest.pipeline import read
from audittrail.model.span import Message, Part, Span
from audittrail.model.words import words

# In characters. A conversation repeats what earlier calls were indexed with, so what came out goes first.
MAX_DOCUMENT = 65_536
MAX_FIELD = 32_768

# Images and keys in base64 are no words, and there is no end to them. It starts where a run starts: linear.
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{256,}+={0,2}")


def document(record: bytes) -> str:
    """The words of a stored record, with a blank between two of them."""
    text = _ENCODED.sub(" ", "\n".join(_pieces(read(record, None))))
    return " ".join(words(text))[:MAX_DOCUMENT]  # there are letters whose plain form is eighteen


def _pieces(span: Span) -> Iterator[str]:
    left = MAX_DOCUMENT
    for field in _fields(span):
        room = min(left, MAX_FIELD)
        for text in field:
            if room <= 0:
                break
            yield text[:room]
            left -= min(len(text), room) + 1
            room -= len(text) + 1
        if left <= 0:
            return


def _fields(span: Span) -> Iterator[Iterator[str]]:
    yield iter((span.name,))
    if span.error:
        yield iter((span.error.type, span.error.message, span.error.stacktrace))
    if span.tool:
        yield iter((span.tool.name or "",))
        yield _value(span.tool.args)
        yield _value(span.tool.result)
    yield _value(span.output)
    yield _value(span.input)
    for event in span.events:
        yield (_text for key in _EXCEPTION if isinstance(_text := event.attributes.get(key), str))


_EXCEPTION = ("exception.type", "exception.message")


def _value(value: Any) -> Iterator[str]:
    """The texts and numbers of a JSON value, and the names in it; of messages, what was said."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _value(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _value(item)
    elif isinstance(value, Message):
        for part in value.parts:
            yield from _part(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _part(part: Part) -> Iterator[str]:
    if part.type != "media":  # what is known of an image is where it lies, or its bytes
        yield from (text for text in (part.name, part.text) if text)
        if part.type != "reasoning":  # its value repeats its text
            yield from _value(part.value)
