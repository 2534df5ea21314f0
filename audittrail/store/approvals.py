"""Approvals: asked for by a check, answered by a person, used once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, Update, and_, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.approval import ID, ApprovalFilter, ApprovalRequest
from audittrail.model.filters import Page
from audittrail.model.verdict import Verdict
from audittrail.model.violation import OPEN_LIMIT
from audittrail.store.notify import changed
from audittrail.store.tables import approvals as a

_FIELDS = ApprovalRequest.__struct_fields__
_SELECT = select(*(a.c[name] for name in _FIELDS))
_encode = msgspec.json.Encoder().encode
_verdicts = msgspec.json.Decoder(tuple[Verdict, ...])


def _request(row: Row[Any], now_us: int) -> ApprovalRequest:
    values = dict(zip(_FIELDS, row, strict=True))
    values["args"] = msgspec.json.decode(values["args"])
    values["reasons"] = _verdicts.decode(values["reasons"])
    return ApprovalRequest(**values).at(now_us)


async def latest(conn: AsyncConnection, project_id: int, action_hash: str, now_us: int) -> ApprovalRequest | None:
    """The newest request for this exact action."""
    query = _SELECT.where(a.c.project_id == project_id, a.c.action_hash == action_hash)
    row = (await conn.execute(query.order_by(a.c.requested_us.desc(), a.c.id.desc()).limit(1))).first()
    return _request(row, now_us) if row else None


async def add(
    conn: AsyncConnection, project_id: int, action_hash: str, kept_hash: str, request: ApprovalRequest
) -> None:
    """A new one, pending."""
    values = {name: getattr(request, name) for name in _FIELDS} | {
        "args": _encode(request.args).decode(),
        "reasons": _encode(request.reasons).decode(),
    }
    hashes = {"action_hash": action_hash, "kept_hash": kept_hash}
    await conn.execute(a.insert().values(project_id=project_id, **hashes, **values))
    _tell(conn, project_id, request.id)


def _tell(conn: AsyncConnection, project_id: int, id_: str) -> None:
    changed(conn, project_id, "approvals", [id_])
    changed(conn, project_id, "counts")


async def _change(conn: AsyncConnection, project_id: int, id_: str, change: Update) -> bool:
    done = (await conn.execute(change)).rowcount == 1
    if done:
        _tell(conn, project_id, id_)
    return done


async def approval(conn: AsyncConnection, project_id: int, id_: str, now_us: int) -> ApprovalRequest | None:
    """One of a project."""
    if not ID.fullmatch(id_):
        return None  # PostgreSQL takes no NUL, not even to say that there is no such row
    row = (await conn.execute(_SELECT.where(a.c.project_id == project_id, a.c.id == id_))).first()
    return _request(row, now_us) if row else None


async def answer(
    conn: AsyncConnection,
    project_id: int,
    id_: str,
    *,
    status: Literal["approved", "denied"],
    by: str,
    reason: str,
    now_us: int,
) -> bool:
    """A person's answer, which then has as long to be used as there was to give it. False: it is not pending now."""
    change = (
        update(a)
        .where(a.c.project_id == project_id, a.c.id == id_, a.c.status == "pending", a.c.expires_us > now_us)
        .values(
            status=status,
            decided_us=now_us,
            decided_by=by,
            reason=reason,
            expires_us=now_us + a.c.timeout * 1_000_000,
        )
    )
    return await _change(conn, project_id, id_, change)


async def use(conn: AsyncConnection, project_id: int, id_: str, now_us: int) -> bool:
    """Uses it up. False: somebody else was first."""
    change = update(a).where(a.c.project_id == project_id, a.c.id == id_, a.c.used_us.is_(None)).values(used_us=now_us)
    return await _change(conn, project_id, id_, change)


async def overdue(conn: AsyncConnection, now_us: int, limit: int = 100) -> list[tuple[int, str]]:
    """(project, id) of those that nobody answered in time."""
    query = select(a.c.project_id, a.c.id).where(a.c.status == "pending", a.c.expires_us <= now_us).limit(limit)
    return [(project_id, id_) for project_id, id_ in await conn.execute(query)]


async def expire(conn: AsyncConnection, project_id: int, id_: str, now_us: int) -> bool:
    """Closes one that nobody answered. False: somebody else was first."""
    change = (
        update(a)
        .where(a.c.project_id == project_id, a.c.id == id_, a.c.status == "pending")
        .values(status="expired", decided_us=now_us)
    )
    return await _change(conn, project_id, id_, change)


async def claim(conn: AsyncConnection, actions: Mapping[tuple[int, str, str], str]) -> set[tuple[int, str, str]]:
    """Of the steps (project, trace, span) that needed a person, by the hash of what was done: those that have one's
    approval. Each approval serves one step."""
    found = set()
    for key, action in actions.items():
        project_id, step = key[0], f"{key[1]}/{key[2]}"
        mine = and_(a.c.project_id == project_id, a.c.kept_hash == action, a.c.used_us.is_not(None))
        query = select(a.c.id, a.c.done_by).where(mine, or_(a.c.done_by.is_(None), a.c.done_by == step))
        # The one that this step claimed before, else the oldest that nobody has.
        row = (await conn.execute(query.order_by(a.c.done_by.is_(None), a.c.used_us).limit(1))).first()
        if row is None:
            continue
        if row.done_by is None:
            take = update(a).where(a.c.project_id == project_id, a.c.id == row.id, a.c.done_by.is_(None))
            if (await conn.execute(take.values(done_by=step))).rowcount != 1:
                continue
        found.add(key)
    return found


def _where(project_id: int, want: ApprovalFilter, now_us: int) -> ColumnElement[bool]:
    unused, over = a.c.used_us.is_(None), a.c.expires_us <= now_us
    by_status: dict[str, ColumnElement[bool]] = {
        "pending": and_(a.c.status == "pending", a.c.expires_us > now_us),
        "approved": and_(a.c.status == "approved", unused, a.c.expires_us > now_us),
        "denied": a.c.status == "denied",
        "expired": and_(unused, or_(a.c.status == "expired", and_(a.c.status.in_(("pending", "approved")), over))),
        "used": a.c.used_us.is_not(None),
    }
    conditions = [a.c.project_id == project_id]
    if want.status:
        conditions.append(by_status[want.status])
    if want.trace:
        conditions.append(a.c.trace_id == want.trace)
    if want.from_us is not None:
        conditions.append(a.c.requested_us >= want.from_us)
    if want.until_us is not None:
        conditions.append(a.c.requested_us < want.until_us)
    return and_(*conditions)


async def list_approvals(
    conn: AsyncConnection, project_id: int, want: ApprovalFilter, now_us: int
) -> Page[ApprovalRequest]:
    """Newest first, one page after `want.after`."""
    query = (
        _SELECT.where(_where(project_id, want, now_us))
        .order_by(a.c.requested_us.desc(), a.c.id.desc())
        .limit(want.size + 1)
    )
    if want.after:
        query = query.where(tuple_(a.c.requested_us, a.c.id) < want.after.key)
    rows = [_request(row, now_us) for row in await conn.execute(query)]
    return Page.cut(rows, want.size, lambda one: (one.requested_us, one.id))


async def count_pending(conn: AsyncConnection, project_id: int, now_us: int) -> int:
    """How many wait for an answer; counted no further than OPEN_LIMIT."""
    some = select(a.c.id).where(_where(project_id, ApprovalFilter(status="pending"), now_us)).limit(OPEN_LIMIT)
    return int(await conn.scalar(select(func.count()).select_from(some.subquery())) or 0)
