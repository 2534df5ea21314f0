"""Attributes whose names are paths, `llm.input_messages.0.message.role`, folded back into the tree they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# No dialect's path has more steps; a name with a million dots is someone's joke.
_STEPS = 12


Branches = dict[str, dict[str, Any]]


def head(name: str) -> str:
    """The first two steps of a path with their dots, `llm.input_messages.`; nothing where it is no longer than two."""
    return name[: name.find(".", name.find(".") + 1) + 1]


def tree(branch: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of a branch (the rest of each name, and its value). Inner nodes are dicts, indices their keys as text.

    Where one name is both a leaf and the start of others, the others win.
    """
    root: dict[str, Any] = {}
    for name, value in (branch or {}).items():
        *steps, last = name.split(".", _STEPS)
        node = root
        for step in steps:
            below = node.get(step)
            if not isinstance(below, _Node):
                below = node[step] = _Node()
            node = below
        if not isinstance(node.get(last), _Node):
            node[last] = value
    return root


def rows(node: Any) -> list[dict[str, Any]]:
    """The inner nodes below a node in the order of their indices. Gaps are skipped: clients' limits drop attributes."""
    if not isinstance(node, dict):
        return []
    numbered = [(int(key), item) for key, item in node.items() if key.isdecimal() and key.isascii() and len(key) < 10]
    return [item for _, item in sorted(numbered, key=lambda pair: pair[0]) if isinstance(item, _Node)]


class _Node(dict[str, Any]):
    """Tells an inner node from an attribute that is itself a map."""
