"""What a text of SQL would do, as far as can be told without its database: the gravest verb, and how many rows.

A heuristic and not a parser: dialects differ, and the answer is only asked for to decide who should look at it. Every
pattern is linear in the text: an unclosed quote or comment runs to the end once, and is never tried again.
"""

from __future__ import annotations

import re

import msgspec

# More rows than any table has: the statement names no limit.
ALL_ROWS = 1_000_000_000
_MOST_STATEMENTS = 200

# Comments, and the contents of literals and quoted names: none of them is an instruction.
_INERT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|`[^`]*(?:`|\Z)", re.DOTALL)
_OPENS = re.compile(
    r"\s{0,200}\(?(?:select\b|with\s+\w|explain\s+\w|delete\s+(?:\w+\s+)?from\s|truncate\s+\S|drop\s+\w+\s+\S|"
    r"update\s+\S+\s+(?:as\s+)?(?:\w+\s+)?set\s|insert\s+into\s|merge\s+into\s|alter\s+\w+\s+\S|begin\b|start\s+transaction\b)",
    re.IGNORECASE,
)
# A verb as a statement's own word: `select ... for update` and `on conflict do update` change nothing unbounded.
_VERBS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "drop",
        re.compile(
            r"\bdrop\s{1,20}(?:table|database|schema|view|materialized|index|collection|keyspace|tablespace|user|role)\b",
            re.I,
        ),
    ),
    ("truncate", re.compile(r"(?:\A|\()\s{0,20}truncate\b", re.I)),
    ("delete", re.compile(r"\bdelete\s{1,20}(?:\w{1,60}\s{1,20})?from\b", re.I)),
    (
        "update",
        re.compile(
            r"\bupdate\s{1,20}(?:only\s{1,20})?[\w.\x00]{1,120}\s{1,20}(?:as\s{1,20})?(?:\w{1,60}\s{1,20})?set\b", re.I
        ),
    ),
    ("alter", re.compile(r"(?:\A|\()\s{0,20}alter\b", re.I)),
    ("insert", re.compile(r"\binsert\s{1,20}into\b", re.I)),
    ("select", re.compile(r"\bselect\b", re.I)),
)
_WHERE = re.compile(r"\bwhere\b(.*)", re.I | re.DOTALL)
# Conditions that hold for every row: 1=1, true, and two equal literals (which stand here as NULs).
_ALWAYS = re.compile(r"\s*\(?\s*(?:(\d+)\s*=\s*\1\b|true\b|1\b(?!\s*[=<>])|\x00\s*=\s*\x00)(?!\s*and\b)", re.I)
_LIMIT = re.compile(
    r"\b(?:limit|fetch\s{1,20}(?:first|next))\s{1,20}(\d{1,18})\b|\btop\s{0,20}\(?\s{0,20}(\d{1,18})\b", re.I
)
_IN = re.compile(r"\b(not\s{1,20})?in\s{0,20}\(([^()]*)\)", re.I)
_EQUALS_KEY = re.compile(r"\s*\(?\s*[\w.\x00]{0,120}id\s{0,20}=\s{0,20}[\d\x00?:$%@]", re.I)


class Sql(msgspec.Struct, frozen=True):
    """The gravest verb of the text ('' where it is no SQL), and the rows that its writing statements name.

    `rows` is None where they cannot be told, ALL_ROWS where nothing limits them.
    """

    verb: str = ""
    rows: int | None = None


NOT_SQL = Sql()


def read_sql(text: str) -> Sql:
    """What the text would do, or NOT_SQL where it does not begin as SQL does."""
    bare = _INERT.sub(_blank, text)
    if not _OPENS.match(bare):
        return NOT_SQL
    gravest = len(_VERBS)
    rows: int | None = None
    # After so many, the rest is read as one statement: nothing hides behind semicolons.
    for statement in filter(str.strip, bare.split(";", _MOST_STATEMENTS)):
        rank, verb = next(((i, name) for i, (name, p) in enumerate(_VERBS) if p.search(statement.strip())), (99, ""))
        gravest = min(gravest, rank)
        named = _rows(verb, statement)
        if named is not None:
            rows = max(rows or 0, named)
    return Sql(_VERBS[gravest][0] if gravest < len(_VERBS) else "", rows)


def _blank(match: re.Match[str]) -> str:
    # A NUL stands for a literal or a quoted name, so that `= '…'` still has a right-hand side.
    return " " if match[0][0] in "-/" else "\0"


def _rows(verb: str, statement: str) -> int | None:
    if verb in ("drop", "truncate"):
        return ALL_ROWS
    if verb not in ("delete", "update"):
        return None
    limit = _LIMIT.search(statement)
    if limit:
        return int(limit[1] or limit[2])
    where = _WHERE.search(statement)
    if where is None or _ALWAYS.match(where[1]):
        return ALL_ROWS
    listed = _IN.search(where[1])
    if listed and not listed[1] and "select" not in listed[2].lower():
        return listed[2].count(",") + 1
    return 1 if _EQUALS_KEY.match(where[1]) and not re.search(r"\bor\b", where[1], re.I) else None
