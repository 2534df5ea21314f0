"""A question about a trace's cause, asked once: how far its answer is, and the answer."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

import msgspec

RunStatus = Literal["queued", "running", "done", "failed", "cancelled"]
RUN_STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)
Method = Literal["leave_one_out", "shapley", "minimal"]
METHODS: tuple[Method, ...] = get_args(Method)
Players = Literal["spans", "agents", "names"]  # whom an outcome is divided among
PLAYERS: tuple[Players, ...] = get_args(Players)
Level = Literal["recorded"]  # on the record as it is kept; nothing is executed
OPEN: frozenset[RunStatus] = frozenset({"queued", "running"})
ID = re.compile(r"abl_[0-9a-f]{32}")
# What a program may ask to wait for, in seconds.
MAX_WAIT = 300


class AblationRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an ablation. `result` is an attribution.Ablation as JSON once it is done; null in a list."""

    id: str
    trace_id: str
    outcome: dict[str, Any]  # as it was asked for: {"rule": …}, {"error": …} or {"measure": …}
    method: Method
    players: Players
    level: Level
    seed: int
    status: RunStatus
    done: int = 0  # evaluations so far
    total: int = 0  # of so many; 0 while that is not known
    spans: int = 0  # of the trace when it was computed
    result: Any = None
    finding: str = ""  # of the result, in words
    error: str = ""  # why it failed, for a person
    requested_us: int
    requested_by: str  # an e-mail address, or pk-at-…
    started_us: int | None = None
    finished_us: int | None = None
    received_us: int = 0  # when the trace had last changed when it was computed

    @property
    def open(self) -> bool:
        """Whether it may still come to something."""
        return self.status in OPEN
