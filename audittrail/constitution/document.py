"""A YAML text as a tree that knows where each value stands.

Read from the parser's events and not by its constructors: nothing is built that was not asked for, and the reading
stops at the first alias, tag or level too deep. Scalars follow YAML 1.2's core schema: `yes` and `2026-01-01` are text.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from audittrail.constitution.faults import Fault, quoted

MAX_BYTES = 65_536
MAX_DEPTH = 24
MAX_NODES = 6_000  # the parser needs about 50 µs for each

_INT = re.compile(r"[-+]?[0-9]{1,60}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Node(msgspec.Struct, gc=True):
    """A value and its place, counted from 1. `value`: a scalar, a list of nodes, or a dict of key -> node."""

    value: Any
    line: int
    column: int
    style: str = ""  # of a scalar: "" plain, "'", '"', "|" or ">"
    keys: dict[str, Node] = {}  # of a mapping: where each key stands

    @property
    def kind(self) -> str:
        """What it is, in the words of an error message."""
        return KINDS[type(self.value)]

    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


KINDS: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "nothing",
}


def parse(text: str) -> Node:
    """The one document of the text. Raises Fault, and nothing else."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Fault(0, 0, f"the file is larger than {MAX_BYTES // 1024} KB; split it into one file for each rule")
    try:
        root = _Builder().build(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise Fault(line, column, f"not valid YAML: {quoted(str(what), 200)}") from None
    except (YAMLError, ValueError, RecursionError, IndexError, KeyError, AttributeError, TypeError) as error:
        # The parser meets hostile text with what its own code stumbles over; which file it was is what matters.
        raise Fault(0, 0, f"not valid YAML: {quoted(str(error), 200)}") from None
    if root is None:
        raise Fault(0, 0, "the file is empty; it should hold one rule, beginning with `id:`")
    return root


class _Builder:
    """Puts the events of one text together."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[tuple[Node, Node | None]] = []  # a container, and the key that waits for its value
        self.count = 0
        self.documents = 0

    def build(self, text: str) -> Node | None:
        for event in YAML(typ="safe", pure=True).parse(text):
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
                raise Fault(line, column, "anchors and aliases (& and *) are not read here; write the value out")
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    raise Fault(line, column, "a file holds one rule; put what follows `---` into a file of its own")
            elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
                self._begin(event, line, column)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self.open.pop()
        return self.root

    def _begin(self, event: Any, line: int, column: int) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise Fault(line, column, f"more than {MAX_NODES} values in one file; split it")
        if event.tag is not None:
            raise Fault(line, column, "tags (!) are not read here; write plain text, numbers, lists and mappings")
        if isinstance(event, ScalarEvent):
            style = event.style or ""
            value = _scalar(event.value) if event.implicit[0] else event.value
            self._place(Node(value, line, column, style))
            return
        if len(self.open) >= MAX_DEPTH:
            raise Fault(line, column, f"nested deeper than {MAX_DEPTH} levels")
        node = Node({} if isinstance(event, MappingStartEvent) else [], line, column, keys={})
        self._place(node)
        self.open.append((node, None))

    def _place(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent, key = self.open[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif key is None:
            if isinstance(node.value, dict | list):
                raise Fault(node.line, node.column, "a key is a word, not a list or mapping")
            name = node.value if isinstance(node.value, str) else _spelled(node.value)
            if name in parent.value:
                first = parent.keys[name].line
                raise Fault(node.line, node.column, f'"{quoted(name)}" is given twice (first in line {first})')
            self.open[-1] = (parent, Node(name, node.line, node.column))
            parent.keys[name] = node
            parent.value[name] = node  # holds the place until the value comes
        else:
            parent.value[key.value] = node
            self.open[-1] = (parent, None)


def _spelled(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(text: str) -> Any:
    """A plain scalar by YAML 1.2's core schema, but without octal, hexadecimal, infinities and NaN."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        number = int(text)
        return number if -(2**63) <= number < 2**63 else text
    return float(text) if _FLOAT.fullmatch(text) else text
