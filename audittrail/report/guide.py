"""The chapter that says how to read an audit report, and what it cannot tell."""

from __future__ import annotations

from audittrail.report.document import AnyBlock, Facts, Heading, Paragraph

_WORDS = (
    ("Trace", "One run of an agent, made of steps (spans). It counts in this report when it began in its time."),
    (
        "Settled",
        "The first step of a trace has ended and nothing more has come for a while. Rates are of settled traces.",
    ),
    ("Latency", "From a trace's first start to its last end. p95: 95 of 100 took no longer; told to 3 %."),
    (
        "Tokens, cost",
        "Summed over the innermost model calls, so that a step around them counts nothing twice. Without a"
        " price: not 0, but left out and counted as unpriced.",
    ),
    (
        "Verdict",
        "What one rule says of one step or trace: violation, warning, or an error where it could not be judged.",
    ),
    ("Observes", "The rule is tried out: it reports and never blocks."),
    ("Corrected", "A step that came late showed that what had been found does not hold."),
    ("Standing", "What a person made of a verdict: open, acknowledged or resolved, with their note."),
    (
        "Approval",
        "An action that a rule held back until a person answered; for exactly those arguments, and for one use.",
    ),
    (
        "Redacted",
        "Taken out before anything was stored, so it is in no copy either. Only the type and the count are kept.",
    ),
)
_LIMITS = (
    "What agents did not send. AuditTrail sees what is reported to it and what it is asked to allow.",
    "What was deleted: a trace that retention or a person removed before this report was made is not"
    " counted in it. The chapter on retention says what was removed.",
    "Other projects. Of what concerns the whole installation, the activity log here has when people of this"
    " project signed in or their accounts changed, and what changed for everyone: rules, retention, backups, starts"
    " and stops.",
    "What happened after it was made. The same report made later may differ: late steps are counted in"
    " the time their trace began in.",
    "Whether a record was altered by somebody who has the database and its keys. Compare the hashes of a"
    " trace's sheet with those that were kept elsewhere.",
)


def guide() -> tuple[AnyBlock, ...]:
    """The chapter."""
    return (
        Heading("How to read this report", 1),
        Paragraph("All times are in UTC. The time of the report includes its beginning and not its end."),
        Heading("What the words mean"),
        Facts(_WORDS),
        Heading("What this report does not cover"),
        *(Paragraph(f"{n}. {limit}") for n, limit in enumerate(_LIMITS, 1)),
    )
