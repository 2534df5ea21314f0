"""What a report is made from, read in small transactions: none is held while something is composed or drawn."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec

from audittrail import __version__
from audittrail.constitution import Constitution
from audittrail.ingest.pipeline import read
from audittrail.model.activity import COMMAND_LINE, SHARED, SOMEBODY, SYSTEM, Activity, ActivityFilter
from audittrail.model.analytics import BYS, days
from audittrail.model.approval import ApprovalFilter, ApprovalRequest
from audittrail.model.errors import Invalid, NotFound
from audittrail.model.filters import MAX_PAGE_SIZE, Cursor, Page
from audittrail.model.report import Report
from audittrail.model.summary import SpanRow
from audittrail.model.tree import root_of
from audittrail.model.verdict import OUTCOMES, Outcome
from audittrail.model.violation import RuleCount, Violation, ViolationFilter
from audittrail.report import audit, period, sheet
from audittrail.report.document import Document
from audittrail.report.facts import AuditFacts, PeriodFacts, RecordMark, RuleFact, TraceFacts
from audittrail.report.measured import MOST_GROUPS
from audittrail.store import activity, approvals, projects, spans, tally, traces, verdicts
from audittrail.store.analytics import Window
from audittrail.store.connection import Connection
from audittrail.store.database import Database

T = TypeVar("T")
Found = dict[tuple[str, str], dict[str, int]]  # verdicts by (rule id, version) and outcome
# Of one list in a report: a row is about 1 kB in memory and 500 bytes in the PDF.
MAX_ROWS = 50_000
MAX_REASONS = 1_000
MAX_SPANS = 20_000
_RECORDS = 50  # read at a time: of up to a megabyte each
# What concerns the whole installation and every project in it.
_EVERYONE = ("server.", "rules.", "retention.", "backup.")


class Gathering:
    """`document(project_id, report)` is the report as blocks."""

    def __init__(
        self,
        db: Database,
        constitution: Constitution,
        now_us: Callable[[], int],
        *,
        retention_days: int,
        redaction: bool,
        most_rows: int = MAX_ROWS,
    ) -> None:
        self._db = db
        self._constitution = constitution
        self._now_us = now_us
        self._retention_days, self._redaction = retention_days, redaction
        self._most_rows = most_rows

    async def document(self, project_id: int, report: Report) -> Document:
        """Raises NotFound where its trace is gone, and Invalid where that is too large."""
        if report.kind == "trace":
            return await asyncio.to_thread(sheet.compose, await self.trace(project_id, report))
        if report.kind == "audit":
            return await asyncio.to_thread(audit.compose, await self.audit(project_id, report))
        return await asyncio.to_thread(period.compose, await self.period(project_id, report))

    async def period(self, project_id: int, report: Report) -> PeriodFacts:
        """The numbers of a range."""
        return (await self._numbers(project_id, report))[0]

    async def _numbers(self, project_id: int, report: Report) -> tuple[PeriodFacts, Found]:
        made_us = self._now_us()
        where = (project_id, report.from_us, report.to_us)
        async with self._db.read() as conn:
            window = Window(conn, project_id, report.from_us, report.to_us, made_us)
            totals = await window.totals()
            series = await window.steps(days(report.from_us, report.to_us, made_us))
            groups = {by: tuple(await window.groups(by, MOST_GROUPS + 1)) for by in BYS}
            received = await tally.received(conn, *where)
            found = await tally.found_by_rule(conn, *where)
            name = await self._project(conn, project_id)
        counts: Counter[str] = Counter()
        for (rule_id, _), outcomes in found.items():
            counts[rule_id] += outcomes.get("violation", 0)
        titles = {rule.id: rule.title for rule in self._constitution.rules.rules}
        facts = PeriodFacts(
            report=report,
            project=name,
            version=__version__,
            made_us=made_us,
            totals=totals,
            received=received,
            series=series,
            groups=groups,
            top=tuple(
                (rule_id, titles.get(rule_id, ""), n)
                for rule_id, n in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
                if n
            ),
        )
        return facts, found

    async def audit(self, project_id: int, report: Report) -> AuditFacts:
        """Everything about a range."""
        basis, found = await self._numbers(project_id, report)
        left_out: dict[str, int] = {}
        said: dict[Outcome, tuple[Violation, ...]] = {}
        for outcome in OUTCOMES:
            said[outcome] = await self._verdicts(project_id, report, outcome, left_out)
        within = ApprovalFilter(from_us=report.from_us, until_us=report.to_us)
        asked, left_out["approvals"] = await self._approvals(project_id, within)
        done = await self._activity(project_id, report, left_out)
        redacted, redacted_traces = await self._redacted(project_id, report)
        where = (project_id, report.from_us, report.to_us)
        async with self._db.read() as conn:
            refused = await tally.refused(conn, *where, MAX_REASONS)
            rules = self._rules(found, await tally.judged(conn, *where))
        return AuditFacts(
            **{name: getattr(basis, name) for name in PeriodFacts.__struct_fields__},
            rules=rules,
            verdicts=said,
            approvals=asked,
            refused=tuple(refused),
            redacted=dict(redacted),
            redacted_traces=redacted_traces,
            activity=done,
            left_out=left_out,
            retention_days=self._retention_days,
            redaction=self._redaction,
        )

    async def trace(self, project_id: int, report: Report) -> TraceFacts:
        """One trace."""
        made_us, trace_id = self._now_us(), report.trace_id
        async with self._db.read() as conn:
            row = await traces.trace(conn, project_id, trace_id, made_us)
            if row is None:
                raise NotFound("The trace is not there any more.")
            if row.span_count > MAX_SPANS:
                raise Invalid(
                    f"A sheet is made of traces of up to {MAX_SPANS:,} steps; this one has {row.span_count:,}."
                )
            rows = await spans.rows_of_trace(conn, project_id, trace_id)
            found = await verdicts.of_trace(conn, project_id, trace_id)
            top = root_of(rows)
            stored = await spans.record_of(conn, project_id, trace_id, top.span_id) if top else None
            name = await self._project(conn, project_id)
        asked, _ = await self._approvals(project_id, ApprovalFilter(trace=trace_id))
        return TraceFacts(
            report=report,
            project=name,
            version=__version__,
            made_us=made_us,
            trace=row,
            spans=tuple(rows),
            root=read(stored.record, stored.cost_basis) if stored else None,
            verdicts=tuple(found),
            approvals=asked,
            records=tuple([mark async for mark in self._marks(project_id, trace_id)]),
        )

    async def _marks(self, project_id: int, trace_id: str) -> AsyncIterator[RecordMark]:
        after: tuple[int, str] | None = None
        while True:
            async with self._db.read() as conn:
                page = await spans.records_of_trace(conn, project_id, trace_id, after, _RECORDS)
            for row, one in page:
                digest = hashlib.sha256(one.record).hexdigest()
                yield RecordMark(row.span_id, one.version, one.versions, one.received_us, len(one.record), digest)
            if len(page) < _RECORDS:
                return
            last: SpanRow = page[-1][0]
            after = (last.started_us, last.span_id)

    async def _project(self, conn: Connection, project_id: int) -> str:
        found = await projects.get_project(conn, project_id)
        return found.name if found else ""

    async def _every(
        self,
        page: Callable[[Connection, Cursor | None], Awaitable[Page[T]]],
        belongs: Callable[[T], bool] = lambda _: True,
    ) -> tuple[list[T], int]:
        """All of a list that belongs here, page by page, and how many were left out."""
        found: list[T] = []
        left, after = 0, None
        while True:
            async with self._db.read() as conn:
                part = await page(conn, after)
            mine = [one for one in part.items if belongs(one)]
            room = self._most_rows - len(found)
            found += mine[:room]
            left += max(0, len(mine) - room)
            if part.next is None:
                return found, left
            after = Cursor.parse(part.next)

    async def _verdicts(
        self, project_id: int, report: Report, outcome: Outcome, left_out: dict[str, int]
    ) -> tuple[Violation, ...]:
        want = ViolationFilter(outcome=outcome, from_us=report.from_us, until_us=report.to_us, size=MAX_PAGE_SIZE)

        async def page(conn: Connection, after: Cursor | None) -> Page[Violation]:
            asked = msgspec.structs.replace(want, after=after)
            return await verdicts.list_violations(conn, project_id, asked, self._now_us())

        found, left_out[outcome] = await self._every(page)
        return tuple(found)

    async def _approvals(self, project_id: int, want: ApprovalFilter) -> tuple[tuple[ApprovalRequest, ...], int]:
        async def page(conn: Connection, after: Cursor | None) -> Page[ApprovalRequest]:
            asked = msgspec.structs.replace(want, after=after, size=MAX_PAGE_SIZE)
            return await approvals.list_approvals(conn, project_id, asked, self._now_us())

        found, left = await self._every(page)
        return tuple(found), left

    async def _activity(self, project_id: int, report: Report, left_out: dict[str, int]) -> tuple[Activity, ...]:
        """What was done in the project, and of the whole installation what changed for all and when its own people
        signed in or their accounts changed: who is a member of other projects alone is not told here."""
        want = ActivityFilter(from_us=report.from_us, to_us=report.to_us, size=MAX_PAGE_SIZE)

        def pages(whole: bool) -> Callable[[Connection, Cursor | None], Awaitable[Page[Activity]]]:
            return lambda conn, after: activity.list_activity(
                conn,
                () if whole else (project_id,),
                msgspec.structs.replace(want, after=after),
                self._now_us(),
                instance=whole,
            )

        mine, left = await self._every(pages(False))
        async with self._db.read() as conn:
            people = {member.user.email for member in await projects.list_members(conn, project_id)}
        people |= {one.actor for one in mine if one.actor not in (SYSTEM, COMMAND_LINE, SOMEBODY)}
        people |= {one.subject for one in mine if one.action.startswith("member.")}

        def belongs(one: Activity) -> bool:
            # What is shared is among the project's own already.
            return one.action not in SHARED and (one.action.startswith(_EVERYONE) or one.subject in people)

        for_all, more = await self._every(pages(True), belongs)
        # From where somebody signed in is for administrators.
        told = [one if one.action.startswith(_EVERYONE) else msgspec.structs.replace(one, detail={}) for one in for_all]
        found = sorted((*mine, *told), key=lambda one: (one.at_us, one.id), reverse=True)
        left_out["activity"] = left + more + max(0, len(found) - self._most_rows)
        return tuple(found[: self._most_rows])

    async def _redacted(self, project_id: int, report: Report) -> tuple[Counter[str], int]:
        counts: Counter[str] = Counter()
        with_some, after = 0, None
        while True:
            async with self._db.read() as conn:
                part, number, after = await tally.redacted(conn, project_id, report.from_us, report.to_us, after)
            counts.update(part)
            with_some += number
            if after is None:
                return counts, with_some

    def _rules(self, found: Found, judged: dict[str, RuleCount]) -> tuple[RuleFact, ...]:
        rules = self._constitution.rules
        mine = [
            RuleFact(
                id=rule.id,
                title=rule.title,
                version=rule.version,
                in_force=True,
                severity=rule.severity,
                mode=rule.mode,
                effect=rule.effect,
                controls=rule.controls,
                found=found.get((rule.id, rule.version), {}),
                judged=judged.get(rule.id),
            )
            for rule in rules.rules
        ]
        versions = {(rule.id, rule.version) for rule in rules.rules}
        titles = {rule.id: rule.title for rule in rules.rules}
        older = [
            RuleFact(
                id=rule_id,
                title=titles.get(rule_id, ""),
                version=version,
                in_force=False,
                found=outcomes,
                judged=None if rule_id in rules.ids else judged.get(rule_id),
            )
            for (rule_id, version), outcomes in sorted(found.items())
            if (rule_id, version) not in versions
        ]
        return (*mine, *older)
