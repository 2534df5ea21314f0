"""Deletes traces and sessions for good: at once out of sight, then piece by piece out of tables, index and file."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from audittrail.jobs.search import words_of
from audittrail.jobs.whole import whole
from audittrail.model.activity import Action
from audittrail.model.errors import NotFound, Unavailable
from audittrail.store import activity, erasure, retention, search, space
from audittrail.store.connection import Connection
from audittrail.store.database import Database
from audittrail.store.erasure import Changed, Doomed, Piece
from audittrail.store.tombstones import Reason

log = logging.getLogger(__name__)

# A transaction hides so many traces, or as many as have so many spans together.
HIDDEN_TRACES = 16
HIDDEN_SPANS = 1_000
TRIES = 5  # of hiding a trace that spans arrive for meanwhile
# A step of wiping the search index is as long as what it writes, and where all is gone it writes nothing: of 26,000
# erased spans at once it took 480 ms (measured 2026-11-24). So it is wiped each time that so many are gone, or a share
# of those that stay, so that a large index is not written anew for each few thousand.
WIPE_SPANS = 4_000
WIPE_SHARE = 4
MERGE_PAGES = 50
VACUUM_PAGES = 64
# Of the file: what comes in takes the place of what went, so giving back all of it would only be to ask for it again.
KEPT_FREE = 20
REST = 0.002
BUSY_REST = 8.0  # times as long as it has worked, while requests wait for the writer

T = TypeVar("T")


class Deleted(msgspec.Struct, frozen=True):
    """What a deletion took."""

    id: str  # of the receipt: the entry in the activity log
    traces: int
    spans: int
    bytes: int  # of records, as they lay on disk


class Erasure:
    """`delete_trace` and `delete_session` for people, `hide` and `finish` for retention, `wipe` after either."""

    def __init__(self, db: Database, now_us: Callable[[], int], busy: Callable[[], bool]) -> None:
        self._db = db
        self._now_us = now_us
        self._busy = busy
        self._alone = asyncio.Lock()
        self._unwiped = 0  # spans that were erased since the search index was wiped
        self._looked = 0  # as many as these were when it was last asked whether they are enough
        self.wanted = asyncio.Event()  # something was deleted: there is something to wipe

    async def delete_trace(self, project_id: int, trace_id: str, by: str) -> Deleted:
        """Deletes one trace. Raises NotFound when there is none of that id."""
        async with self._db.read() as conn:
            ids = [one.trace_id for one in await erasure.look_at(conn, [(project_id, trace_id)])]
        if not ids:
            raise NotFound("No trace of this project has that id.")
        return await self._delete(project_id, ids, by, trace_id, session=False)

    async def delete_session(self, project_id: int, session_id: str, by: str) -> Deleted:
        """Deletes all traces that the session has now. Raises NotFound when it has none."""
        async with self._db.read() as conn:
            # PostgreSQL takes no NUL, not even to say that there is no such row.
            ids = await erasure.of_session(conn, project_id, session_id) if "\0" not in session_id else []
        if not ids:
            raise NotFound("No trace of this project belongs to that session.")
        return await self._delete(project_id, ids, by, session_id, session=True)

    async def _delete(self, project_id: int, ids: list[str], by: str, subject: str, *, session: bool) -> Deleted:
        found = Deleted("", 0, 0, 0)

        async def note(conn: Connection, hidden: Sequence[Doomed]) -> None:
            nonlocal found
            traces, spans = found.traces + len(hidden), found.spans + sum(one.spans for one in hidden)
            size = found.bytes + sum(one.bytes for one in hidden)
            detail = {"traces": traces, "spans": spans, "bytes": size}
            id_ = found.id
            if id_:
                await activity.go_on(conn, id_, **detail)
            else:
                what: Action = "session.deleted" if session else "trace.deleted"
                id_ = await activity.note(conn, self._now_us(), by, what, subject, project_id=project_id, **detail)
            found = Deleted(id_, traces, spans, size)

        left = [(project_id, trace_id) for trace_id in ids]
        for _ in range(TRIES):
            left = await self.hide(left, "deleted", by, note)
            if not left:
                break
        self.wanted.set()
        await self.finish((project_id, ids))
        if left:
            raise Unavailable("Spans are arriving for it; delete it again when it is quiet.", 5)
        if not found.traces:
            raise NotFound("It was deleted a moment ago.")
        return found

    async def hide(
        self,
        keys: Sequence[tuple[int, str]],
        reason: Reason,
        by: str,
        note: Callable[[Connection, Sequence[Doomed]], Awaitable[None]],
    ) -> list[tuple[int, str]]:
        """Takes these traces out of sight, each transaction with its note; those that changed meanwhile are left."""
        left: list[tuple[int, str]] = []
        for i in range(0, len(keys), HIDDEN_TRACES):
            async with self._db.read() as conn:
                doomed = await erasure.look_at(conn, keys[i : i + HIDDEN_TRACES])
            for group in _groups(doomed):
                began = time.perf_counter()
                hidden = await self._write(lambda conn, group=group: self._hide(conn, group, reason, by, note))  # type: ignore[misc]
                gone = {(one.project_id, one.trace_id) for one in hidden}
                left += [key for one in group if (key := (one.project_id, one.trace_id)) not in gone]
                await self._rest(began)
        return left

    async def _hide(
        self,
        conn: Connection,
        group: Sequence[Doomed],
        reason: Reason,
        by: str,
        note: Callable[[Connection, Sequence[Doomed]], Awaitable[None]],
    ) -> list[Doomed]:
        hidden = await erasure.hide(conn, group, reason, by, self._now_us())
        if hidden:
            await note(conn, hidden)
        return hidden

    async def finish(self, only: tuple[int, Sequence[str]] | None = None) -> None:
        """Erases what is left of all hidden traces, or `only` of these of a project; what a killed process left too."""
        while (spans := await self._erase(only)) is not None:
            self._unwiped += spans
            if self._unwiped - self._looked < WIPE_SPANS:
                continue
            self._looked = self._unwiped
            async with self._db.read() as conn:
                staying = await retention.count_all(conn)
            if self._unwiped * WIPE_SHARE >= staying:
                await self.wipe_index()

    async def _erase(self, only: tuple[int, Sequence[str]] | None) -> int | None:
        """Erases a piece; how many spans went with it. None: nothing is left."""
        async with self._alone:
            async with self._db.read() as conn:
                piece = await erasure.next_piece(conn, only)
            if piece is None:
                return None
            said = await asyncio.to_thread(_words, piece)
            began, spans = time.perf_counter(), 0
            try:
                await self._write(lambda conn: erasure.erase(conn, piece, said))
                spans = piece.spans
            except Changed:
                await asyncio.sleep(REST)
            except search.Outdated:
                log.warning("Search is indexed anew: this version reads records differently. Until then it finds less.")
                await self._write(search.clear)
        await self._rest(began)
        return spans

    async def wipe(self) -> bool:
        """Leaves nothing of what was erased in the search index, the file and its log, and gives space back.

        False: somebody was reading what the log still has; try again.
        """
        async with self._db.read() as conn:
            before = await erasure.progress(conn)
        if before.wiped >= before.erased:
            return True
        await self.wipe_index()
        await self._give_back()
        if not await self._db.empty_log():
            return False
        await self._write(lambda conn: erasure.set_progress(conn, wiped=before.erased))
        return True

    async def wipe_index(self) -> None:
        """Leaves no word of what was erased in the search index."""
        self._unwiped = self._looked = 0
        await self.step(search.begin_wiping)
        while await self.step(lambda conn: search.tidy(conn, MERGE_PAGES)):
            pass

    async def _give_back(self) -> None:
        while True:
            async with self._db.read() as conn:
                free, pages = await space.free_pages(conn)
            spare = free - pages // KEPT_FREE
            if spare <= 0:
                return
            began = time.perf_counter()
            await whole(self._db.give_back(min(spare, VACUUM_PAGES)))
            await self._rest(began)

    async def step(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What `work` returns, committed; and then a rest, so that others come to write."""
        began = time.perf_counter()
        done = await self._write(work)
        await self._rest(began)
        return done

    async def _write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What `work` returns, committed."""

        async def within() -> T:
            async with self._db.write() as conn:
                return await work(conn)

        return await whole(within())

    async def _rest(self, began: float) -> None:
        took = time.perf_counter() - began
        await asyncio.sleep(max(REST, took * BUSY_REST if self._busy() else took))


def _groups(doomed: Sequence[Doomed]) -> list[list[Doomed]]:
    groups: list[list[Doomed]] = []
    spans = 0
    for one in doomed:
        spans += one.spans
        if not groups or spans > HIDDEN_SPANS:
            groups.append([])
            spans = one.spans
        groups[-1].append(one)
    return groups


def _words(piece: Piece) -> list[str]:
    return [words_of(one.record, one.key) if one.record is not None else "" for one in piece.gone]
