"""What an approval is bound to: the exact call, under the exact rules that asked for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from audittrail.constitution.canonical import canonical
from audittrail.model.errors import Invalid
from audittrail.model.verdict import Action


def action_hash(action: Action, versions: Iterable[tuple[str, str]]) -> str:
    """SHA-256 in hex. The same call with its keys in another order has the same hash; one changed character, another.

    `versions` are the (rule id, version) pairs of the decision that asked: a changed rule asks again.
    Raises Invalid where the arguments are not a JSON value.
    """
    bound = {
        "v": 1,
        "agent": action.agent,
        "kind": action.kind,
        "name": action.name,
        "args": action.args,
        "rules": sorted([rule, version] for rule, version in versions),
    }
    return hashlib.sha256(canonical(bound)).hexdigest()


def kept_hash(kind: str, name: str, args: Any) -> str:
    """SHA-256 in hex of what is kept of an action, by which a recorded step is known as the one that was approved.

    Not the agent: a tool's span often does not say whose it is. Empty where the arguments are no JSON value.
    """
    try:
        return hashlib.sha256(canonical({"v": 1, "kind": kind, "name": name, "args": args})).hexdigest()
    except Invalid:
        return ""
