"""The report for the management: how a project did over a time, on a few pages."""

from __future__ import annotations

from audittrail.model import human
from audittrail.report.document import AnyBlock, Column, Document, Heading, Note, Paragraph, Table
from audittrail.report.facts import PeriodFacts
from audittrail.report.measured import charts, facts_of, figures, group_table

GROUPS = 20
RULES = 20


def compose(facts: PeriodFacts) -> Document:
    """The document."""
    blocks: list[AnyBlock] = [
        Heading("In short"),
        figures(facts.totals),
        Paragraph(in_words(facts)),
        *early(facts),
        Heading("Over time"),
        *charts(facts.series),
        Heading("Agents"),
        group_table("agent", facts.groups.get("agent", ()), GROUPS),
        Heading("Models and tools"),
        group_table("model", facts.groups.get("model", ()), GROUPS),
        group_table("tool", facts.groups.get("tool", ()), GROUPS),
        Heading("Rules most violated"),
        top_table(facts),
        Paragraph(
            "Counts are of traces that began in this time, and of violations that were found in it. A cost is of the"
            " model calls whose price is known. Quantiles are told to 3 %. Times are in UTC.",
            quiet=True,
        ),
    ]
    return Document(
        title=facts.report.title,
        subtitle="Period report",
        facts=facts_of(facts),
        blocks=tuple(blocks),
        author=facts.report.requested_by,
        made_us=facts.made_us,
        reference=facts.report.id,
    )


def early(facts: PeriodFacts) -> tuple[AnyBlock, ...]:
    """A note where the time was not over when the report was made."""
    if facts.report.to_us <= facts.made_us:
        return ()
    return (Note("This time was not over when the report was made; what came later is not in it.", "warning"),)


def in_words(facts: PeriodFacts) -> str:
    """One sentence or two."""
    t, r = facts.totals, facts.received
    if not t.traces:
        return "No trace began in this time."
    said = f"{human.plural(t.traces, 'trace')} began in this time, with {human.plural(r.spans, 'step')}, of which"
    said += f" {human.plural(r.model_calls, 'was a model call', 'were model calls')} and"
    said += f" {human.plural(r.tool_calls, 'a tool call', 'were tool calls')}."
    if t.ended:
        said += f" Of {human.plural(t.ended, 'trace')} that settled, {human.exact(t.errors)} failed."
    return said


def top_table(facts: PeriodFacts) -> Table:
    """By violations."""
    rows = tuple((title or rule_id, rule_id, human.exact(n)) for rule_id, title, n in facts.top[:RULES])
    columns = (Column("Rule", 3), Column("Id", 2, mono=True), Column("Violations", 1, "right"))
    return Table("Rules by violations, most first", columns, rows, "No rule was violated in this time.")
