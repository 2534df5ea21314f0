"""A report as an auditor would get it, made up but plausible: every kind of block, two weeks of an agent's work."""

from __future__ import annotations

import random

from audittrail.model import human
from audittrail.report.document import (
    Chart,
    Column,
    Document,
    Facts,
    Figure,
    Figures,
    Heading,
    Line,
    Note,
    Paragraph,
    Source,
    Table,
)

MADE_US = 1_795_521_600_000_000
DAY_US = 86_400_000_000
DAYS = tuple(human.moment(MADE_US - (14 - i) * DAY_US).strftime("%-d %b") for i in range(14))
RULES = (
    ("bulk-delete-prevention", "No bulk deletes without a person", "critical"),
    ("personal-data-in-output", "No personal data in what a customer reads", "high"),
    ("spend-per-hour", "An agent spends at most $20 an hour", "medium"),
    ("refund-after-read", "A refund follows a look at the order", "high"),
    ("unknown-tool", "Only tools that are on the list", "low"),
)
TASKS = (
    "Refund order 4417 and tell the customer why",
    "Summarise the open complaints of this week",
    "Найди последний счёт клиента и отправь его по почте",
    "Remove test accounts that nobody has used since March",
    "顧客の住所変更を確認して、配送先を更新してください",
    "تحقق من حالة الطلب رقم 1182 وأرسل ملخصًا",
    "Compare the two supplier quotes ✅ and book the cheaper one",
)


def _days(dice: random.Random, low: int, high: int) -> tuple[float, ...]:
    return tuple(float(dice.randrange(low, high)) for _ in DAYS)


def traces_table(count: int, seed: int = 3) -> Table:
    """As many traces as wanted, six columns."""
    dice = random.Random(seed)
    rows = []
    for number in range(count):
        verdict = dice.choice(("pass", "pass", "pass", "pass", "warning", "violation"))
        rows.append(
            (
                human.utc(MADE_US - (count - number) * 61_000_000)[:19],
                f"{dice.getrandbits(128):032x}",
                TASKS[number % len(TASKS)],
                human.duration(dice.randrange(200_000, 90_000_000)),
                f"${dice.random():.3f}",
                verdict,
            )
        )
    columns = (
        Column("Started (UTC)", 1.5),
        Column("Trace", 2, mono=True),
        Column("Asked", 3),
        Column("Took", 0.9, "right"),
        Column("Cost", 0.8, "right"),
        Column("Verdict", 1),
    )
    return Table("Traces in this range", columns, tuple(rows), "No trace was recorded in this range.")


def audit(traces: int = 60) -> Document:
    """An audit report over fourteen days."""
    dice = random.Random(11)
    errors, others = _days(dice, 0, 9), _days(dice, 30, 120)
    rules = Table(
        "Rules and what they found",
        (
            Column("Rule", 2, mono=True),
            Column("What it asks", 3),
            Column("Severity", 1),
            Column("Judged", 0.8, "right"),
            Column("Violations", 0.9, "right"),
        ),
        tuple((rule, title, severity, "1,204", str(n * 3)) for n, (rule, title, severity) in enumerate(RULES)),
    )
    return Document(
        title="Audit report: support agents",
        subtitle="What the agents of this project did, what they were kept from doing, and whether the record is whole",
        facts=(
            ("Project", "Customer support"),
            ("Range", f"{human.utc(MADE_US - 14 * DAY_US)[:16]} to {human.utc(MADE_US)[:16]} UTC"),
            ("Asked for by", "ada@example.org"),
            ("AuditTrail", "1.0.0, rule set 8f2c11d0, 24 rules"),
        ),
        author="ada@example.org",
        made_us=MADE_US,
        reference="rep-7f3a90c2",
        blocks=(
            Figures(
                (
                    Figure("Traces", "1,204", "86 a day"),
                    Figure("Failed", "3.9 %", "47 traces", "error"),
                    Figure("Violations", "30", "12 were blocked before they happened", "blocked"),
                    Figure("Cost", "$182.40", "$0.15 a trace"),
                    Figure("Ledger", "Verified", "88,412 leaves, 14 checkpoints", "ok"),
                    Figure("Approvals", "17", "2 ran out unanswered", "warning"),
                )
            ),
            Heading("Summary", 1),
            Paragraph(
                "Four agents worked in this range. They finished 1,157 of 1,204 traces without an error. Thirty steps "
                "broke a rule; the twelve gravest were stopped by the check before the action, and no data was changed "
                "by them. Two requests for approval were answered by nobody and so were denied."
            ),
            Note("Twelve deletions were stopped. Each had asked for more than 100 rows without a person.", "blocked"),
            Note("Two approvals ran out. Whoever is on call was not told: no address is set.", "warning"),
            Chart(
                "Traces per day",
                "count",
                DAYS,
                (Line("errors", errors, "error"), Line("others", others)),
            ),
            Chart(
                "How long a trace takes",
                "us",
                DAYS,
                (
                    Line("p95", tuple(v * 500_000 + 3_000_000 if v != 7 else None for v in errors)),
                    Line("p50", tuple(v * 20_000 for v in others)),
                ),
                "lines",
            ),
            Paragraph("Times are UTC. A step is counted in the day in which its trace began.", quiet=True),
            Heading("The constitution", 1),
            Heading("Rules in force"),
            Paragraph("The rule set did not change in this range. Every rule was enforced; none was only observed."),
            rules,
            Chart(
                "Verdicts per day",
                "count",
                DAYS,
                (
                    Line("blocked", _days(dice, 0, 3), "blocked"),
                    Line("violations", _days(dice, 0, 4), "error"),
                    Line("warnings", _days(dice, 0, 6), "warning"),
                    Line("passed", _days(dice, 10, 40), "ok"),
                ),
            ),
            Heading("Violations"),
            Heading("bulk-delete-prevention: would touch 4,210 rows", 3),
            Facts(
                (
                    ("Agent", "cleanup-agent"),
                    ("Trace", "0af7651916cd43dd8448eb211c80319c"),
                    ("Stopped", "before the action, by a person (grace@example.org)"),
                    ("Controls", "EU-AI-Act-14, SOC2-CC7.2"),
                )
            ),
            Source(
                '{\n  "tool": "delete_rows",\n  "args": {\n    "table": "customers",\n'
                '    "where": "last_seen < \'2026-03-01\'",\n    "limit": null\n  }\n}',
                "What the agent wanted to do",
            ),
            Heading("unknown-tool: nothing found", 3),
            Table(
                "Violations of unknown-tool", (Column("Trace", mono=True), Column("Tool")), (), "None in this range."
            ),
            Heading("Traces", 1),
            traces_table(traces),
            Heading("Evidence", 1),
            Note(
                "The ledger was recomputed from its first leaf for this report, and its root is the signed one.", "ok"
            ),
            Facts(
                (
                    ("Root", "9b1c7a1f0d7e44c5a2f6de9d5d0f3d1b8f0b6f0a6a1d9f3c2e7b5a4938271605"),
                    ("Checkpoint", "audittrail.example.org/1 · 88412"),
                    ("Key", "audittrail.example.org+c4f2e1d0+ASn1Bv8"),
                )
            ),
            Paragraph(
                "Whoever holds the signing key and the database can rewrite history up to the last checkpoint that has "
                "left this machine. The last one was sent at 23:00 UTC.",
                quiet=True,
            ),
        ),
    )
