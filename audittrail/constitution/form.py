"""Reading a mapping of a rule file key by key: every mistake is noted with its place, and the reading goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from audittrail.constitution.document import Node
from audittrail.constitution.faults import Fault, nearest, quoted

T = TypeVar("T", bound=str)


class Form:
    """One mapping of the file. What is wrong is put into `faults`; the readers then answer their default."""

    def __init__(self, node: Node, faults: list[Fault], known: Sequence[str], where: str = "") -> None:
        self.node, self.faults, self.where = node, faults, where
        self.fields: dict[str, Node] = {}
        if not isinstance(node.value, dict):
            self.fault(node, f"{where or 'a rule'} is a mapping of keys to values, not {node.kind}")
            return
        for key, value in node.value.items():
            if key in known:
                self.fields[key] = value
            else:
                hint = nearest(key, known) or f"; known are {', '.join(known)}"
                self.fault(node.keys[key], f'unknown key "{quoted(key)}"{self._within}{hint}')

    @property
    def _within(self) -> str:
        return f" in {self.where}" if self.where else ""

    def fault(self, node: Node, message: str) -> None:
        """Notes a mistake at a node's place."""
        self.faults.append(Fault(node.line, node.column, message))

    def has(self, key: str) -> bool:
        """Whether the key is there with a value."""
        return key in self.fields and self.fields[key].value is not None

    def require(self, *keys: str) -> None:
        """Notes each key that is absent."""
        for key in keys:
            if isinstance(self.node.value, dict) and not self.has(key):
                self.fault(self.fields.get(key, self.node), f'"{key}" is missing{self._within}')

    def text(self, key: str, limit: int = 1_000) -> str:
        """A text that is not blank, or ''."""
        node = self._of(key, str, "text")
        if node is None:
            return ""
        value: str = node.value.strip()
        if not value:
            self.fault(node, f'"{key}" is empty')
        elif len(value) > limit:
            self.fault(node, f'"{key}" is longer than {limit} characters')
        elif "\0" in value:
            self.fault(node, f'"{key}" holds a NUL character')
        return value

    def choice(self, key: str, choices: Sequence[T], default: T) -> T:
        """One of a few words."""
        if not self.has(key):
            return default
        return self._chosen(key, self.fields[key], choices) or default

    def choices(self, key: str, choices: Sequence[T]) -> tuple[T, ...]:
        """Some of a few words: one, or a list without repeats."""
        found = [self._chosen(key, node, choices) for node in self._items(key)]
        return tuple(dict.fromkeys(word for word in found if word is not None))

    def texts(self, key: str, limit: int = 200, most: int = 50) -> tuple[str, ...]:
        """A text, or a list of them."""
        nodes = self._items(key)
        if len(nodes) > most:
            self.fault(self.fields[key], f'"{key}" holds more than {most} entries')
        found = []
        for node in nodes[:most]:
            if not isinstance(node.value, str) or not node.value.strip():
                self.fault(node, f'"{key}" holds texts, not {node.kind}; put quotes around it')
            elif len(node.value) > limit:
                self.fault(node, f'an entry of "{key}" is longer than {limit} characters')
            else:
                found.append(node.value)
        return tuple(found)

    def whole(self, key: str, default: int | None = None, least: int = 0, most: int = 2**63 - 1) -> int | None:
        """A whole number within bounds."""
        node = self._of(key, int, "a whole number")
        if node is None:
            return default
        if not least <= node.value <= most:
            self.fault(node, f'"{key}" is between {least} and {most}')
            return default
        return int(node.value)

    def _of(self, key: str, kind: type, wanted: str) -> Node | None:
        if not self.has(key):
            return None
        node = self.fields[key]
        if not isinstance(node.value, kind) or (isinstance(node.value, bool) and kind is not bool):
            hint = "; put quotes around it" if kind is str and not isinstance(node.value, list | dict) else ""
            self.fault(node, f'"{key}" should be {wanted} and is {node.kind}{hint}')
            return None
        return node

    def _items(self, key: str) -> list[Node]:
        if not self.has(key):
            return []
        node = self.fields[key]
        items: list[Node] = node.value if isinstance(node.value, list) else [node]
        if not items:
            self.fault(node, f'"{key}" is an empty list; leave it out')
        return items

    def _chosen(self, key: str, node: Node, choices: Sequence[T]) -> T | None:
        value: Any = node.value
        if isinstance(value, str) and value in choices:
            return next(choice for choice in choices if choice == value)
        shown = f'"{quoted(value)}"' if isinstance(value, str) else node.kind
        self.fault(node, f'"{key}" cannot be {shown}; use one of {", ".join(choices)}')
        return None
