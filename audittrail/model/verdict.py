"""What the constitution says of a step: verdicts on what happened, decisions on what is about to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import msgspec

from audittrail.model.span import Kind
from audittrail.model.summary import SpanRow, TraceRow

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the gravest last
Effect = Literal["deny", "require_approval", "warn", "log"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)  # the strongest first
Mode = Literal["enforce", "observe"]
MODES: tuple[Mode, ...] = get_args(Mode)
Stage = Literal["before", "after"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Outcome = Literal["pass", "warning", "violation", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Answer = Literal["allow", "warn", "require_approval", "deny"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)  # the strictest last


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one rule says of one span, trace or action. A pass carries no message, values or evidence."""

    rule_id: str
    version: str  # SHA-256 of the rule's content, in hex
    title: str
    severity: Severity
    mode: Mode
    effect: Effect
    outcome: Outcome
    message: str = ""
    values: dict[str, Any] = {}  # the variables that the condition and the message read, cut to a bound
    evidence: tuple[str, ...] = ()  # span ids, the one that weighs most first
    controls: tuple[str, ...] = ()


class Action(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an agent asks to do. `args` is the JSON value it would hand to the tool."""

    kind: Kind = "tool"
    name: str = ""
    args: Any = None
    agent: str | None = None
    model: str | None = None
    provider: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    pii: dict[str, int] = {}


class Approval(msgspec.Struct, frozen=True, gc=False):
    """How long a person has to answer, in seconds, and what holds when nobody did."""

    timeout: int = 300
    on_timeout: Literal["deny", "allow"] = "deny"


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to an action, and every rule that had something to say; rules that passed are left out."""

    decision: Answer
    reasons: tuple[Verdict, ...] = ()  # the strictest first; those in observe mode did not count
    approval: Approval | None = None  # only with require_approval: the shortest time of the rules that ask
    versions: tuple[tuple[str, str], ...] = ()  # (rule id, version) of the rules that ask for a person
    rule_set: str = ""  # hash of the set that decided


class Judge(msgspec.Struct, frozen=True):
    """How the store asks the rules about a trace that changed, without knowing them."""

    trace: Callable[[TraceRow, Sequence[SpanRow]], tuple[Verdict, ...]]
    in_force: Callable[[], frozenset[str]]  # rule ids: what others found before stays as it was
