"""The sheet of one trace: what was asked, what came out, every step, and what can be compared."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from audittrail.model import human
from audittrail.model.span import Message
from audittrail.model.tree import Line, lay
from audittrail.report.document import AnyBlock, Column, Document, Facts, Heading, Meaning, Note, Source, Table
from audittrail.report.facts import TraceFacts
from audittrail.report.found import approval_table, text, verdict_table
from audittrail.report.measured import second

SAID = 20_000  # characters of an input or an output
DEEPEST = 16  # levels of indentation
_INDENT = "\N{NO-BREAK SPACE}" * 3
_MEANINGS: dict[str, Meaning] = {"ok": "ok", "running": "running", "error": "error", "blocked": "blocked"}


def compose(facts: TraceFacts) -> Document:
    """The document."""
    t = facts.trace
    said = f"This trace {'is still running' if t.status == 'running' else f'ended with the status {t.status}'}"
    blocks: list[AnyBlock] = [
        Heading("In short"),
        Note(f"{said}{': ' + text(t.error, 500) if t.error else ''}.", _MEANINGS.get(t.status, "plain")),
        Facts(_numbers(facts)),
        *_said(facts),
        Heading("Steps"),
        _steps(facts),
        Heading("What the rules found"),
        verdict_table("Verdicts", facts.verdicts, "No rule found anything in this trace."),
        Heading("Approvals"),
        approval_table(facts.approvals),
        Heading("To compare"),
        _records(facts),
        Facts((("All records", _digest(facts)), ("Trace", t.trace_id))),
    ]
    return Document(
        title=facts.report.title,
        subtitle="Sheet of a trace",
        facts=(
            ("Project", facts.project),
            ("Trace", t.trace_id),
            ("Asked for by", facts.report.requested_by),
            ("Made", f"{second(facts.made_us)} UTC by AuditTrail {facts.version}"),
            ("Report", facts.report.id),
        ),
        blocks=tuple(blocks),
        author=facts.report.requested_by,
        made_us=facts.made_us,
        reference=facts.report.id,
    )


def _numbers(facts: TraceFacts) -> tuple[tuple[str, str], ...]:
    t = facts.trace
    took = None if t.ended_us is None else max(0, t.ended_us - t.started_us)
    redacted = ", ".join(f"{human.exact(n)} {name.upper()}" for name, n in t.pii.items())
    found = (
        ("Name", text(t.name, 300) or "(unnamed)"),
        ("Agent", text(t.agent, 200)),
        ("Session", text(t.session_id, 200)),
        ("End user", text(t.end_user, 200)),
        ("Status", t.status),
        ("Started", human.utc(t.started_us)),
        ("Duration", human.duration(took) if took is not None else "not ended"),
        ("Cost", human.money(t.cost) if t.cost is not None else "unpriced"),
        ("Tokens", f"{human.exact(t.input_tokens)} in, {human.exact(t.output_tokens)} out"),
        ("Steps", f"{human.exact(t.span_count)}, of which {human.exact(t.error_count)} failed"),
        ("Model calls", human.exact(t.llm_calls)),
        ("Tool calls", human.exact(t.tool_calls)),
        ("Redacted", redacted or "nothing"),
    )
    return tuple((name, value) for name, value in found if value)


def _said(facts: TraceFacts) -> tuple[AnyBlock, ...]:
    root = facts.root
    if root is None:
        return ()
    blocks: list[AnyBlock] = []
    for title, value in (("What was asked", root.input), ("What came out", root.output)):
        found = plain(value)
        if found:
            blocks.append(Heading(title))
            blocks.append(Source(_bounded(found), whole=f"in trace {facts.trace.trace_id}"))
    return tuple(blocks)


def _bounded(found: str) -> str:
    if len(found) <= SAID:
        return found
    return f"{found[:SAID]}\n… {len(found) - SAID:,} more characters are in the trace."


def plain(value: Any) -> str:
    """An input or an output as text: a conversation as its turns, other JSON as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and all(isinstance(one, Message) for one in value):
        return "\n\n".join(f"{one.role}: {_turn(one)}" for one in value)
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _turn(one: Message) -> str:
    said = []
    for part in one.parts:
        if part.text is not None:
            said.append(part.text)
        else:
            value = "" if part.value is None else msgspec.json.encode(part.value).decode()
            said.append(f"[{part.type.replace('_', ' ')}] {part.name or ''} {value}".rstrip())
    return "\n".join(said)


def _steps(facts: TraceFacts) -> Table:
    tree = lay(facts.spans, facts.made_us)
    rows = tuple(_step(number, line, tree.started_us) for number, line in enumerate(tree.lines, 1))
    columns = (
        Column("No.", 0.6, "right"),
        Column("Step", 4),
        Column("Kind", 1),
        Column("Began", 1, "right"),
        Column("Took", 1, "right"),
        Column("Tokens", 1, "right"),
        Column("Cost", 0.9, "right"),
        Column("Status", 1),
        Column("Span", 1.7, mono=True),
    )
    return Table("Steps, each below the one that contains it", columns, rows, "The trace has no steps.")


def _step(number: int, line: Line, started_us: int) -> tuple[str, ...]:
    inside = _INDENT * min(line.depth, DEEPEST)
    span = line.span
    if span is None:
        return (str(number), f"{inside}(a step that never arrived)", *("",) * 6, line.span_id)
    name = text(span.name, 200) or text(span.tool, 200) or "(unnamed)"
    what = text(span.model or span.tool, 120)
    tokens = None
    if span.input_tokens is not None or span.output_tokens is not None:
        tokens = (span.input_tokens or 0) + (span.output_tokens or 0)
    said = inside + name + (f" · {what}" if what and what not in name else "")
    if span.error:
        said += f": {text(span.error, 300)}"
    return (
        str(number),
        said,
        span.kind,
        f"+{human.duration(span.started_us - started_us) if span.started_us > started_us else '0 s'}",
        "running" if span.ended_us is None else human.duration(max(0, span.ended_us - span.started_us)),
        human.count(tokens) if tokens is not None else "",
        human.money(span.cost) if span.cost is not None else "",
        span.status,
        span.span_id,
    )


def _records(facts: TraceFacts) -> Table:
    columns = (
        Column("Span", 1.7, mono=True),
        Column("Version", 0.9),
        Column("Received (UTC)", 1.8),
        Column("Bytes", 0.8, "right"),
        Column("SHA-256 of the record", 5, mono=True),
    )
    rows = tuple(
        (one.span_id, f"{one.version} of {one.versions}", second(one.received_us), human.exact(one.size), one.sha256)
        for one in facts.records
    )
    return Table("Records as they are stored, after redaction", columns, rows, "No record is there.")


def _digest(facts: TraceFacts) -> str:
    lines = "".join(f"{one.span_id} {one.sha256}\n" for one in sorted(facts.records, key=lambda one: one.span_id))
    return f"SHA-256 {hashlib.sha256(lines.encode()).hexdigest()} over the lines “span SHA-256” above, sorted by span"
