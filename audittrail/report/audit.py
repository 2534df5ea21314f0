"""The report for an auditor: everything about a project over a time, and how to read it."""

from __future__ import annotations

from audittrail.model import human
from audittrail.model.verdict import Outcome
from audittrail.report.document import AnyBlock, Column, Document, Facts, Heading, Note, Paragraph, Table
from audittrail.report.facts import AuditFacts, RuleFact
from audittrail.report.found import activity_table, approval_table, text, verdict_table
from audittrail.report.guide import guide
from audittrail.report.measured import MOST_GROUPS, charts, facts_of, figures, group_table
from audittrail.report.period import early, in_words

REMOVED = ("retention.purged", "trace.deleted", "session.deleted")
_CHAPTERS: tuple[tuple[Outcome, str, str], ...] = (
    ("violation", "Violations", "No rule was violated in this time."),
    ("warning", "Warnings", "No rule warned in this time."),
    ("error", "What could not be judged", "Every rule could be judged."),
    ("pass", "Corrected since", "Nothing that was found turned out otherwise later."),
)


def compose(facts: AuditFacts) -> Document:
    """The document."""
    return Document(
        title=facts.report.title,
        subtitle="Audit report",
        facts=facts_of(facts),
        blocks=(*_received(facts), *_used(facts), *_rules(facts), *_found(facts), *_people(facts), *guide()),
        author=facts.report.requested_by,
        made_us=facts.made_us,
        reference=facts.report.id,
    )


def _received(facts: AuditFacts) -> tuple[AnyBlock, ...]:
    r = facts.received
    refused = tuple(
        (one.signal, text(one.reason, 300), human.exact(one.spans), human.exact(one.requests)) for one in facts.refused
    )
    columns = (Column("Signal"), Column("Reason", 4), Column("Spans", 1, "right"), Column("Requests", 1, "right"))
    return (
        Heading("What was received", 1),
        figures(facts.totals),
        Paragraph(in_words(facts)),
        *early(facts),
        Facts(
            (
                ("Traces that began in this time", human.exact(r.traces)),
                ("Their steps (spans)", human.exact(r.spans)),
                ("Model calls", human.exact(r.model_calls)),
                ("Tool calls", human.exact(r.tool_calls)),
            )
        ),
        *charts(facts.series),
        Heading("What was refused"),
        Table("Refused, by reason, in the hours of this time", columns, refused, "Nothing was refused."),
        *_cut(facts, "refused", "reason"),
    )


def _used(facts: AuditFacts) -> tuple[AnyBlock, ...]:
    return (
        Heading("Agents, models and cost", 1),
        *(group_table(by, facts.groups.get(by, ()), MOST_GROUPS) for by in ("agent", "model", "tool")),
        Paragraph(
            f"Cost: {human.money_exact(facts.totals.cost)}."
            + (
                f" {human.plural(facts.totals.unpriced_calls, 'model call')} without a known price are not in it."
                if facts.totals.unpriced_calls
                else ""
            )
        ),
    )


def _rules(facts: AuditFacts) -> tuple[AnyBlock, ...]:
    columns = (
        Column("Rule", 2.2),
        Column("Version", 1.3, mono=True),
        Column("Severity and effect", 1.6),
        Column("Controls", 1.6),
        Column("Judged", 0.9, "right"),
        Column("Violations", 0.9, "right"),
        Column("Warnings", 0.9, "right"),
        Column("Errors", 0.8, "right"),
    )
    rows = tuple(_rule(one) for one in facts.rules)
    return (
        Heading("The rules and their results", 1),
        Table("Rules", columns, rows, "No rule is in force, and none has found anything."),
        Paragraph(
            "A version is the beginning of the SHA-256 of a rule's content. “Judged” counts to the hour, by whatever"
            " version of the rule; a step that changes is judged again and counted again. The other numbers are of"
            " verdicts that stand, by version.",
            quiet=True,
        ),
    )


def _rule(one: RuleFact) -> tuple[str, ...]:
    how = ", ".join(
        filter(
            None,
            (one.severity, one.effect and one.effect.replace("_", " "), "observes" if one.mode == "observe" else ""),
        )
    )
    return (
        f"{text(one.title, 160) or one.id} ({one.id}){'' if one.in_force else ', not in force now'}",
        one.version[:12],
        how or human.NONE,
        ", ".join(text(name, 60) for name in one.controls) or human.NONE,
        human.exact(one.judged.judged) if one.judged else human.NONE,
        *(human.exact(one.found.get(name, 0)) for name in ("violation", "warning", "error")),
    )


def _found(facts: AuditFacts) -> tuple[AnyBlock, ...]:
    blocks: list[AnyBlock] = [Heading("What the rules found", 1)]
    for outcome, title, empty in _CHAPTERS:
        found = facts.verdicts.get(outcome, ())
        blocks.append(Heading(title))
        blocks.append(verdict_table(f"{title}, newest first", found, empty))
        blocks += _cut(facts, outcome, "verdict")
    return tuple(blocks)


def _people(facts: AuditFacts) -> tuple[AnyBlock, ...]:
    redacted = tuple(
        (name.upper(), human.exact(n)) for name, n in sorted(facts.redacted.items(), key=lambda one: (-one[1], one[0]))
    )
    removed = tuple(one for one in facts.activity if one.action in REMOVED)
    done = tuple(one for one in facts.activity if one.action not in REMOVED)
    kept = (
        f"Traces are deleted for good {human.plural(facts.retention_days, 'day')} after they last changed."
        if facts.retention_days
        else "Traces are kept until somebody deletes them."
    )
    return (
        Heading("Approvals", 1),
        approval_table(facts.approvals),
        *_cut(facts, "approvals", "approval"),
        Heading("Redaction, retention and deletion", 1),
        *(() if facts.redaction else (Note("Redaction was off when this report was made.", "warning"),)),
        Table(
            "Redacted before anything was stored, by type",
            (Column("Type", 3), Column("Times", 1, "right")),
            redacted,
            "Nothing was redacted in the traces of this time.",
        ),
        Paragraph(f"In {human.plural(facts.redacted_traces, 'trace')} of {human.exact(facts.received.traces)}. {kept}"),
        activity_table("What was deleted", removed, "Nothing was deleted in this time."),
        Heading("Who did what", 1),
        activity_table("The activity log, newest first", done, "Nobody did anything that is logged."),
        *_cut(facts, "activity", "entry"),
    )


def _cut(facts: AuditFacts, what: str, one: str) -> tuple[AnyBlock, ...]:
    left = facts.left_out.get(what, 0)
    if not left:
        return ()
    many = "entries" if one == "entry" else ""
    return (
        Note(
            f"{human.plural(left, one, many)} of this list did not fit into the report. Make reports of shorter times.",
            "warning",
        ),
    )
