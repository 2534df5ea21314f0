"""Search over what spans say: what is not indexed yet, indexing it, and the condition of a list.

A document is the words of one span. Its number is its trace's number shifted left, and its own in the trace: so the
numbers alone say in which traces a text was found.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Integer, delete, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.errors import Invalid
from audittrail.model.words import words
from audittrail.store import dialect, locks
from audittrail.store.bulk import by_project, write_rows
from audittrail.store.tables import records as r
from audittrail.store.tables import search_progress as p
from audittrail.store.tables import search_spans as d
from audittrail.store.tables import search_traces as x
from audittrail.store.tables import spans as s
from audittrail.store.tables import traces as t

SPAN_BITS = 24  # 16 million spans in a trace, 500 thousand million traces
# A search reads no more numbers than this, the newest: 0.3 microseconds each (measured 2026-11-24).
MOST_FOUND = 500_000
# PostgreSQL reads a document in 10 microseconds to see whether a phrase is in it.
MOST_READ = 10_000
MAX_TEXTS = 16
# `re` begins a word in almost every span, and is not what anybody looks for.
SHORTEST_PREFIX = 3

_Key = tuple[int, str, str]


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A trace of which something came since it was last complete in the index."""

    project_id: int
    trace_id: str
    received_us: int
    span_count: int


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A span whose shown version is not indexed; `was` is the version that is."""

    key: _Key
    version: int
    was: int | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A span's words, ready to be indexed in place of those of another version."""

    key: _Key
    version: int
    words: str
    was: int | None
    words_were: str | None


class Outdated(Exception):
    """The words that a document was put in with can no longer be made: this program reads its record differently."""


async def reached(conn: AsyncConnection) -> int:
    """Every trace received before this was complete when the index was last written."""
    return await conn.scalar(select(p.c.received_us)) or 0


async def find_waiting(conn: AsyncConnection, since_us: int, limit: int) -> list[Waiting]:
    """Traces received since then that are not complete in the index, in the order of their reception."""
    query = (
        select(t.c.project_id, t.c.trace_id, t.c.received_us, t.c.span_count)
        .outerjoin(x, (x.c.project_id == t.c.project_id) & (x.c.trace_id == t.c.trace_id))
        .where(t.c.received_us >= since_us, or_(x.c.no.is_(None), x.c.received_us != t.c.received_us))
        .order_by(t.c.received_us)
        .limit(limit)
    )
    return [Waiting(*row) for row in await conn.execute(query)]


async def find_unread(conn: AsyncConnection, traces: Sequence[Waiting], limit: int) -> list[Unread]:
    """At most so many spans of these traces that are to be indexed.

    Ask after `find_waiting`: then what comes in between is indexed twice rather than never.
    """
    found: list[Unread] = []
    for project_id, trace_ids in by_project((one.project_id, one.trace_id) for one in traces).items():
        query = (
            select(s.c.trace_id, s.c.span_id, s.c.version, d.c.version)
            .select_from(s)
            .outerjoin(x, (x.c.project_id == s.c.project_id) & (x.c.trace_id == s.c.trace_id))
            .outerjoin(d, (d.c.no == x.c.no) & (d.c.span_id == s.c.span_id))
            .where(s.c.project_id == project_id, s.c.trace_id.in_(trace_ids))
            .where(or_(d.c.version.is_(None), d.c.version != s.c.version))
            .limit(limit - len(found))
        )
        found += [Unread((project_id, a, b), version, was) for a, b, version, was in await conn.execute(query)]
    return found


async def find_records(conn: AsyncConnection, unread: Sequence[Unread]) -> dict[tuple[_Key, int], bytes]:
    """Their records by key and version, packed: what is to be indexed, and what was."""
    # Lists of each column, since SQLite answers a list of rows by reading the whole table. What they find beside the
    # keys is not asked for by anybody.
    found: dict[tuple[_Key, int], bytes] = {}
    columns = (r.c.project_id, r.c.trace_id, r.c.span_id, r.c.version)
    for project_id in {one.key[0] for one in unread}:
        ours = [one for one in unread if one.key[0] == project_id]
        query = select(*columns, r.c.record).where(
            r.c.project_id == project_id,
            r.c.trace_id.in_({one.key[1] for one in ours}),
            r.c.span_id.in_({one.key[2] for one in ours}),
            r.c.version.in_({one.version for one in ours} | {one.was for one in ours if one.was is not None}),
        )
        found |= {((a, b, c), version): record for a, b, c, version, record in await conn.execute(query)}
    return found


async def put(
    conn: AsyncConnection, entries: Sequence[Entry], complete: Sequence[Waiting], reached_us: int | None
) -> bool:
    """Indexes the entries; `complete` names the traces that have nothing else to be indexed. `reached_us` is kept where
    it is given. False: nothing was done, another process is indexing.

    Raises Outdated when an entry's earlier words are not those that are indexed: then `clear`.
    """
    if not await locks.lock_search(conn):
        return False
    traces = {entry.key[:2]: 0 for entry in entries} | {(w.project_id, w.trace_id): w.received_us for w in complete}
    known = await _numbered(conn, list(traces))
    # What was erased since its records were read shall not come back by its words.
    entries = [entry for entry in entries if entry.key[:2] in known]
    standing = await _standing(conn, entries, known)
    new: list[tuple[int, str]] = []
    old: list[tuple[int, str]] = []
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        trace, span_id = entry.key[:2], entry.key[2]
        no, size = known[trace]
        at, version, mark = standing.get((no, span_id), (size, None, None))
        if version != entry.was:
            traces[trace] = 0  # another replica was here meanwhile: look again
            continue
        if version is None:
            known[trace] = no, size + 1
        elif dialect.needs_old_words(conn):
            if entry.words_were is None or mark_of(entry.words_were) != mark:
                raise Outdated
            old.append((no << SPAN_BITS | at, entry.words_were))
        new.append((no << SPAN_BITS | at, entry.words))
        rows.append((no, span_id, at, entry.version, mark_of(entry.words)))
    await dialect.put_words(conn, new, old)
    await write_rows(conn, d, rows, over=True)
    numbered = [(no, *trace, traces[trace], size) for trace, (no, size) in known.items()]
    await write_rows(conn, x, numbered, over=True)
    if reached_us is not None:
        await write_rows(conn, p, [(1, reached_us)], over=True)
    return True


def mark_of(text: str) -> int:
    """Knows the words again."""
    return zlib.crc32(text.encode())


async def _numbered(conn: AsyncConnection, traces: Sequence[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, int]]:
    """Number and size of each trace that is still there; new ones get the next numbers."""
    known: dict[tuple[int, str], tuple[int, int]] = {}
    unknown: list[tuple[int, str]] = []
    for project_id, trace_ids in by_project(traces).items():
        query = (
            select(t.c.trace_id, x.c.no, x.c.size)
            .outerjoin(x, (x.c.project_id == t.c.project_id) & (x.c.trace_id == t.c.trace_id))
            .where(t.c.project_id == project_id, t.c.trace_id.in_(trace_ids))
        )
        for trace_id, no, size in await conn.execute(query):
            if no is None:
                unknown.append((project_id, trace_id))
            else:
                known[project_id, trace_id] = no, size
    if not unknown:
        return known
    last = await conn.scalar(select(x.c.no).order_by(x.c.no.desc()).limit(1)) or 0
    return known | {trace: (no, 0) for no, trace in enumerate(unknown, last + 1)}


async def _standing(
    conn: AsyncConnection, entries: Sequence[Entry], known: dict[tuple[int, str], tuple[int, int]]
) -> dict[tuple[int, str], tuple[int, int | None, int | None]]:
    """What is indexed of these spans: number in the trace, version, mark."""
    # Every statement here is a turn of the event loop for which the writer waits.
    ours = [entry for entry in entries if known[entry.key[:2]][1]]
    if not ours:
        return {}
    nos, span_ids = {known[entry.key[:2]][0] for entry in ours}, {entry.key[2] for entry in ours}
    columns = (d.c.no, d.c.span_id, d.c.at, d.c.version, d.c.mark)
    query = select(*columns).where(d.c.no.in_(nos), d.c.span_id.in_(span_ids))
    return {(no, span_id): (at, version, mark) for no, span_id, at, version, mark in await conn.execute(query)}


async def clear(conn: AsyncConnection) -> bool:
    """Forgets everything, so that all is indexed again. False: another process is indexing."""
    if not await locks.lock_search(conn):
        return False
    await dialect.clear_words(conn)
    for table in (d, x, p):
        await conn.execute(delete(table))
    return True


async def begin_wiping(conn: AsyncConnection) -> None:
    """Before `tidy` is asked until it is done: then no word of what was taken out is left in the index."""
    await dialect.begin_wiping(conn)


async def tidy(conn: AsyncConnection, pages: int) -> bool:
    """Merges about so many pages of the index; whether there is more to do."""
    return await dialect.merge_words(conn, pages)


async def prepare(conn: AsyncConnection, texts: Sequence[str]) -> None:
    """Before a list with these texts is read. Raises Invalid when they are too many."""
    if len(texts) > MAX_TEXTS:
        raise Invalid(f"The query has more than {MAX_TEXTS} words; leave some out, or put a sentence in quotes.")
    if texts:
        await dialect.prefer_word_index(conn)


def is_said(conn: AsyncConnection, project_id: int, text: str) -> ColumnElement[bool] | None:
    """The condition that a span of the trace says the text, its last word begun or whole; None for no word at all."""
    typed = words(text)
    if not typed:
        return None
    prefix = len(typed[-1]) >= SHORTEST_PREFIX
    found = dialect.matching(conn, typed, prefix=prefix, most=MOST_FOUND, most_read=MOST_READ).subquery()
    numbers = select(found.c.id.op(">>")(literal(SPAN_BITS, Integer)))
    return t.c.trace_id.in_(select(x.c.trace_id).where(x.c.project_id == project_id, x.c.no.in_(numbers)))
