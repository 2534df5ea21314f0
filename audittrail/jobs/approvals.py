"""Actions that need a person: asked for, waited for, answered, used once, and closed when nobody answers."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from typing import Literal

from audittrail.constitution import action_hash, kept_hash
from audittrail.constitution.decision import answered_record
from audittrail.ingest.pipeline import prepare
from audittrail.jobs.bell import Bell
from audittrail.model.activity import SYSTEM
from audittrail.model.activity import Action as Deed
from audittrail.model.approval import ApprovalRequest
from audittrail.model.batch import Batch
from audittrail.model.errors import Conflict, NotFound
from audittrail.model.record import SpanRecord, decode
from audittrail.model.verdict import Action, Approval, Decision
from audittrail.privacy.redactor import Redactor
from audittrail.store import activity, approvals, locks, spans
from audittrail.store.connection import Connection
from audittrail.store.database import Database
from audittrail.store.writer import Writer

LOOK_SECONDS = 1.0  # how late a request may expire
DEFAULT = Approval()


class Approvals:
    """The desk where actions wait."""

    def __init__(
        self, db: Database, writer: Writer, redactor: Redactor | None, key: bytes, now_us: Callable[[], int]
    ) -> None:
        self._db = db
        self._writer = writer
        self._redactor = redactor
        self._key = key
        self._now_us = now_us
        self._bell = Bell()

    async def ask(
        self, project_id: int, action: Action, kept: Action, decision: Decision, *, by: str, trace_id: str, span_id: str
    ) -> ApprovalRequest:
        """What stands about this exact action: the request that waits, its answer (used up by this call where it
        allows), or a new request. `action` is as it was sent, `kept` as it may be stored.

        Raises Invalid where the arguments are not a JSON value.
        """
        # Keyed: the arguments may hold what was redacted, and a plain hash of it could be guessed.
        bound = hmac.digest(self._key, action_hash(action, decision.versions).encode(), "sha256").hex()
        now_us = self._now_us()
        async with self._db.write() as conn:
            await locks.lock_action(conn, bound)
            found = await approvals.latest(conn, project_id, bound, now_us)
            if found is not None and await self._holds(conn, project_id, found, now_us):
                return found
            policy = decision.approval or DEFAULT
            request = ApprovalRequest(
                id="apr_" + secrets.token_hex(16),
                status="pending",
                kind=kept.kind,
                name=kept.name,
                args=kept.args,
                agent=kept.agent,
                end_user=kept.end_user,
                trace_id=trace_id,
                span_id=span_id,
                reasons=tuple(v for v in decision.reasons if (v.rule_id, v.version) in decision.versions),
                pii=kept.pii,
                requested_us=now_us,
                requested_by=by,
                timeout=policy.timeout,
                on_timeout=policy.on_timeout,
                expires_us=now_us + policy.timeout * 1_000_000,
            )
            known = kept_hash(kept.kind, kept.name, kept.args)
            await approvals.add(conn, project_id, bound, known, request)
        return request

    async def _holds(self, conn: Connection, project_id: int, found: ApprovalRequest, now_us: int) -> bool:
        """Whether the request still says something about the action. One that allows is used up here."""
        window = found.timeout * 1_000_000
        if found.status == "pending":
            return True
        if found.status == "denied" or (found.unanswered and found.on_timeout == "deny"):
            # A refusal is not asked for again and again: it stands for as long as the request would have.
            return now_us < found.expires_us + (0 if found.status == "denied" else window)
        if found.decision == "allow" and now_us < found.expires_us + (0 if found.status == "approved" else window):
            return await approvals.use(conn, project_id, found.id, now_us)
        return False

    async def answer(
        self, project_id: int, id_: str, status: Literal["approved", "denied"], *, by: str, reason: str
    ) -> ApprovalRequest:
        """A person's answer. Raises NotFound, or Conflict when it is too late or somebody was first."""
        now_us = self._now_us()
        async with self._db.write() as conn:
            before = await self._found(conn, project_id, id_, now_us)
            done = await approvals.answer(conn, project_id, id_, status=status, by=by, reason=reason, now_us=now_us)
            found = await self._found(conn, project_id, id_, now_us)
            if not done:
                how = f"{found.status} by {found.decided_by}" if found.decided_by else found.status
                raise Conflict(f"This request is {how} already; nothing was changed.")
            await _note(
                conn, now_us, by, "approval.approved" if status == "approved" else "approval.denied", found, project_id
            )
            record = await self._record(conn, project_id, before)
        self._settle(project_id, found, record, now_us)
        return found

    async def _found(self, conn: Connection, project_id: int, id_: str, now_us: int) -> ApprovalRequest:
        found = await approvals.approval(conn, project_id, id_, now_us)
        if found is None:
            raise NotFound("No approval of this project has that id.")
        return found

    async def expire(self) -> None:
        """Goes on until cancelled: closes what nobody answered in time."""
        while True:
            now_us = self._now_us()
            async with self._db.read() as conn:
                over = await approvals.overdue(conn, now_us)
            for project_id, id_ in over:
                async with self._db.write() as conn:
                    done = await approvals.expire(conn, project_id, id_, now_us)
                    found = await approvals.approval(conn, project_id, id_, now_us)
                    record = None
                    if done and found:
                        await _note(conn, now_us, SYSTEM, "approval.expired", found, project_id)
                        record = await self._record(conn, project_id, found)
                if done and found:
                    self._settle(project_id, found, record, now_us)
            await asyncio.sleep(LOOK_SECONDS)

    async def wait(self, project_id: int, id_: str, seconds: float) -> ApprovalRequest:
        """The request once it is no longer pending, or as it is after so many seconds. Raises NotFound."""

        async def read() -> ApprovalRequest:
            async with self._db.read() as conn:
                return await self._found(conn, project_id, id_, self._now_us())

        return await self._bell.until(read, lambda found: found.status != "pending", seconds)

    def close(self) -> None:
        """Lets everyone go who waits: the server is about to stop."""
        self._bell.close()

    async def _record(self, conn: Connection, project_id: int, request: ApprovalRequest) -> SpanRecord | None:
        stored = await spans.record_of(conn, project_id, request.trace_id, request.span_id)
        return decode(stored.record) if stored else None

    def _settle(self, project_id: int, request: ApprovalRequest, record: SpanRecord | None, now_us: int) -> None:
        if record is not None:
            self._writer.keep(Batch(project_id, prepare([answered_record(record, request, now_us)], self._redactor)))
        self._bell.ring()


async def _note(
    conn: Connection, now_us: int, by: str, action: Deed, request: ApprovalRequest, project_id: int
) -> None:
    # By its rules and not by its name: an agent gives that.
    rules = list(dict.fromkeys(verdict.rule_id for verdict in request.reasons))
    await activity.note(conn, now_us, by, action, request.id, project_id=project_id, rules=rules)
