"""A verdict's sentence: the rule's text with the values it saw put in.

Never `str.format`: a value is data. It is put in once, cut, on one line, and a brace inside it stays a brace.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from audittrail.constitution.faults import nearest, quoted
from audittrail.constitution.sql import ALL_ROWS
from audittrail.model.human import line

MAX_MESSAGE = 500
MAX_VALUE = 160
_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]{0,100})\}|[{}]")


def mistakes(template: str, known: Collection[str]) -> list[tuple[int, str]]:
    """What is wrong with the placeholders: where in the text, and the sentence."""
    found = []
    for match in _PLACE.finditer(template):
        name = match[1]
        if name is None:
            if len(match[0]) == 1:
                found.append(
                    (match.start(), f"a single {match[0]} in the message; write {match[0] * 2} for the brace itself")
                )
        elif name not in known:
            hint = nearest(name, known) or "; docs/rules.md lists what there is"
            found.append((match.start(), f"the message names {{{quoted(name)}}}, which does not exist{hint}"))
    return found


def names(template: str) -> tuple[str, ...]:
    """The variables that the message names, each once."""
    return tuple(dict.fromkeys(match[1] for match in _PLACE.finditer(template) if match[1]))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The sentence, on one line of at most MAX_MESSAGE characters."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        return match[0][0] if name is None else spelled(name, values.get(name))

    return line(_PLACE.sub(put, template), MAX_MESSAGE)


def spelled(name: str, value: Any) -> str:
    """A value in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "span.affected_rows" and value == ALL_ROWS:
        return "all"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").removesuffix(".")
    if isinstance(value, str):
        return line(value, MAX_VALUE)
    if isinstance(value, list | tuple):
        return line(", ".join(str(item) for item in value[:20]), MAX_VALUE)
    if isinstance(value, dict):
        return line(", ".join(f"{key} {item}" for key, item in list(value.items())[:20]), MAX_VALUE)
    return ""


def shortened(value: Any) -> Any:
    """A value as a verdict keeps it: texts of MAX_VALUE characters, lists and counts of 20 entries."""
    if isinstance(value, str):
        return value if len(value) <= MAX_VALUE else value[: MAX_VALUE - 1] + "…"
    if isinstance(value, list | tuple):
        return [shortened(item) for item in value[:20]]
    if isinstance(value, dict):
        return {shortened(key): item for key, item in list(value.items())[:20]}
    return value
