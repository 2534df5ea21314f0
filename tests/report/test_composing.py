"""From facts to a report's blocks: everything is in it, whatever it is, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from audittrail.model.activity import ACTIONS, Action, Activity
from audittrail.model.activity_words import sentence
from audittrail.model.analytics import days
from audittrail.model.span import Message, Part, Span
from audittrail.report import audit, period, sheet
from audittrail.report.document import Chart, Document, Facts, Figures, Heading, Note, Paragraph, Source, Table
from audittrail.report.found import activity_table
from audittrail.report.preview import CHARACTERS, ROWS, preview
from tests.report.composing import (
    DAY,
    FROM,
    HOSTILE,
    MADE,
    TO,
    TRACE,
    approval,
    audit_facts,
    full_audit,
    numbers,
    period_facts,
    report,
    sums,
    trace_facts,
    violation,
)

EVERY = {
    "audit-of-nothing": lambda: audit.compose(audit_facts()),
    "audit": lambda: audit.compose(full_audit()),
    "audit-hostile": lambda: audit.compose(full_audit(HOSTILE)),
    "period-of-nothing": lambda: period.compose(period_facts()),
    "period": lambda: period.compose(period_facts(**numbers(sums(), 2), top=(("r", "Rule", 2),))),
    "trace": lambda: sheet.compose(trace_facts()),
    "trace-hostile": lambda: sheet.compose(trace_facts(HOSTILE)),
    "trace-of-nothing": lambda: sheet.compose(trace_facts("", (), verdicts=(), approvals=(), records=())),
}


def table(document: Document, caption: str) -> Table:
    (found,) = [b for b in document.blocks if isinstance(b, Table) and b.caption.startswith(caption)]
    return found


def texts(document: Document) -> Iterator[str]:
    yield document.title
    for block in document.blocks:
        if isinstance(block, (Heading, Paragraph, Note, Source)):
            yield block.text
        elif isinstance(block, Facts):
            yield from (one for pair in block.items for one in pair)
        elif isinstance(block, Figures):
            yield from (one.value for one in block.items)
        elif isinstance(block, Table):
            yield from (cell for row in block.rows for cell in row)


@pytest.mark.parametrize("name", EVERY)
def test_a_document_is_whole(name: str) -> None:
    document = EVERY[name]()
    assert msgspec.json.decode(msgspec.json.encode(document), type=Document) == document
    assert document.reference == report().id and document.made_us == MADE
    for block in document.blocks:
        if isinstance(block, Table):
            assert all(len(row) == len(block.columns) for row in block.rows), block.caption
            assert block.rows or block.empty
        elif isinstance(block, Chart):
            assert all(len(line.values) == len(block.labels) for line in block.lines), block.caption
    assert all(isinstance(text, str) for text in texts(document))


def test_nothing_that_was_found_is_missing_of_ten_thousand() -> None:
    found = tuple(violation(n) for n in range(10_000))
    document = audit.compose(audit_facts(**numbers(sums(), 10_000), verdicts={"violation": found}))
    rows = table(document, "Violations, newest").rows
    assert len(rows) == 10_000 and {row[2] for row in rows} == {
        f"touches {n} rows Agent: cleaner" for n in range(10_000)
    }
    (figures,) = [b for b in document.blocks if isinstance(b, Figures)]
    assert {one.name: one.value for one in figures.items}["Violations"] == "10,000"
    short = preview(document)
    assert len(table(short, "Violations, newest").rows) == ROWS
    assert f"The first {ROWS} rows; the PDF has all 10,000." in texts(short)
    assert len(msgspec.json.encode(short)) < 200_000


def test_a_violation_stands_with_its_evidence_and_with_what_people_made_of_it() -> None:
    (row,) = table(audit.compose(full_audit()), "Violations, newest").rows
    said = " ".join(row)
    for part in (TRACE, f"{1:016x}", f"{2:016x}", "bulk-delete-prevention", "f" * 12, "critical", "word"):
        assert part in said
    assert row[4] == "resolved by rita@example.org, 2024-10-05 00:00:00: word"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "denied, by rita@example.org, 2024-10-04 00:00:00: too many rows"),
        ({"status": "approved", "reason": ""}, "approved, not used yet, by rita@example.org, 2024-10-04 00:00:00"),
        ({"status": "expired"}, "approved, not used in time, by rita@example.org, 2024-10-04 00:00:00: too many rows"),
        ({"status": "expired", "decided_by": None}, "nobody answered in time; denied, as the rule says"),
        ({"status": "pending", "decided_by": None, "decided_us": None, "reason": ""}, "waiting"),
    ],
    ids=["denied", "approved", "unused", "unanswered", "waiting"],
)
def test_an_approval_says_who_decided_and_why(fields: dict[str, object], said: str) -> None:
    (row,) = table(audit.compose(audit_facts(approvals=(approval(**fields),))), "Approvals").rows
    assert row[3] == said


def test_what_was_deleted_stands_apart_from_what_was_done() -> None:
    document = audit.compose(full_audit())
    purged, made = table(document, "What was deleted").rows, table(document, "The activity log").rows
    assert [row[2:] for row in purged] == [("purged what had grown old", "", "traces: 12")]
    assert [row[2:] for row in made] == [("made a key", "word", "name: word, n: 3")]


@pytest.mark.parametrize("action", ACTIONS)
def test_what_was_done_is_said_as_the_activity_log_says_it(action: Action) -> None:
    detail = {"name": "n", "before": "b", "role": "viewer", "scopes": ["read"], "rules": ["r"], "traces": 3, "more": 7}
    one = Activity(id="1", at_us=FROM, actor="ann", action=action, subject="to it", detail=detail)
    (row,) = activity_table("", [one], "").rows
    assert row[1:4] == ("ann", "".join(piece.text for piece in sentence(one)), "to it")
    assert action not in row[2] and row[4].endswith("more: 7")


def test_what_did_not_fit_is_said() -> None:
    document = audit.compose(audit_facts(left_out={"violation": 12, "activity": 1}))
    said = [block.text for block in document.blocks if isinstance(block, Note)]
    assert [text.split(" of this")[0] for text in said] == ["12 verdicts", "1 entry"]


def test_a_time_that_is_not_over_is_said() -> None:
    for compose, facts in ((audit.compose, audit_facts()), (period.compose, period_facts())):
        early = msgspec.structs.replace(facts, made_us=TO - 1)
        assert not any("was not over" in text for text in texts(compose(facts)))  # type: ignore[operator]
        assert any("was not over" in text for text in texts(compose(early)))  # type: ignore[operator]


def test_steps_stand_below_the_one_that_contains_them() -> None:
    rows = table(sheet.compose(trace_facts("step")), "Steps").rows
    depth = {row[-1]: len(row[1]) - len(row[1].lstrip("\xa0")) for row in rows}
    assert depth == {"1" * 16: 0, "2" * 16: 3, "9" * 16: 0, "3" * 16: 3}
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]


def test_a_conversation_is_written_out_and_a_long_text_is_cut_with_a_word() -> None:
    call = Part("tool_call", name="look_up", value={"what": "age"})
    turns = (Message("user", (Part("text", "How old?"),)), Message("assistant", (call,)))
    assert sheet.plain(turns) == 'user: How old?\n\nassistant: [tool call] look_up {"what":"age"}'
    root = Span(trace_id=TRACE, span_id="1" * 16, input="x" * (sheet.SAID + 5), output={"a": 1})
    document = sheet.compose(trace_facts(root=root))
    asked, answered = (block.text for block in document.blocks if isinstance(block, Source))
    assert asked.endswith("5 more characters are in the trace.") and answered == '{\n  "a": 1\n}'
    short = [block for block in preview(document).blocks if isinstance(block, Source)]
    assert len(short[0].text) == CHARACTERS


@pytest.mark.parametrize(
    ("length", "size", "most"),
    [(1, 1 / 24, 25), (2, 1 / 24, 49), (3, 1, 4), (30, 1, 31), (100, 1, 101), (101, 2, 52), (3_660, 37, 100)],
)
def test_the_buckets_of_a_range(length: int, size: float, most: int) -> None:
    for offset in (0, 5_000_000_001):
        first = FROM + offset
        places = days(first, first + length * DAY, first + 10_000 * DAY)
        assert places.step == round(size * DAY) and len(places) <= most
        assert places[0] <= first < places[0] + places.step
        assert places[-1] < first + length * DAY <= places[-1] + places.step


def test_no_bucket_begins_after_now() -> None:
    assert days(FROM, TO, FROM + DAY)[-1] == FROM + DAY
    assert list(days(FROM, TO, FROM - DAY)) == [FROM]


def test_the_details_of_what_was_done_fit_a_cell() -> None:
    detail = {
        "set": "ab",
        "added": ["one", "two"],
        "removed": [],
        "versions": {"one": "f" * 64},
        "count": 3,
        "on": True,
    }
    done = Activity(id="1", at_us=FROM, actor="system", action="rules.changed", detail=detail)
    (row,) = table(audit.compose(audit_facts(activity=(done,))), "The activity log").rows
    assert row[4] == "set: ab, added: one two, versions: 1 entry, count: 3, on: true"
