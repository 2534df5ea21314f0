"""How many rows, records or files a tool's call is about, as far as its arguments and result say.

Tools have no common schema, so this reads what people commonly write. The greatest number found counts: a rule that
asks a person too often is mended in a minute, one that asks too seldom is noticed when the data is gone.
"""

from __future__ import annotations

import re
from typing import Any

from audittrail.constitution.sql import ALL_ROWS, NOT_SQL, Sql, read_sql


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Names are compared without case, `_` and `-`: rowCount, row_count and ROW-COUNT are one.
_COUNTS = word_set(
    "count limit rows rowcount numrows nrows maxrows affectedrows rowsaffected total totalrows totalcount maxcount "
    "batchsize quantity num number n numberofrows records recordcount numrecords itemcount documentcount filecount "
    "size top max maximum expectedcount estimatedrows"
)
_RESULT_COUNTS = word_set(
    "deleted deletedcount deletedrows removed removedcount purged purgedcount dropped erased updated updatedcount "
    "modifiedcount affected affectedcount affectedrows rowsaffected rowcount ndeleted nremoved numdeleted numremoved "
    "numaffected deletions count rows total records"
)
_TOLD = word_set("message result data stats summary status detail text content")
_LISTS = word_set(
    "ids keys rows records items documents entries files paths uris urls names users customers orders messages emails "
    "rowids recordids uuids objects accounts tickets targets list"
)
_SQL = word_set("sql statement statements sqlquery sqlstatement")
# What these hold is SQL only to a tool that runs some: `search_docs(query="delete from a cart")` searches.
_MAYBE_SQL = word_set("query queries command cmd script code text q input")
_RUNS_SQL = word_set(
    "sql query queries db database exec execute run postgres postgresql pg psql mysql mariadb sqlite duckdb bigquery "
    "snowflake redshift oracle mssql warehouse statement"
)
_SELECTORS = word_set("where filter filters condition conditions predicate selector criteria query match")
_EVERYTHING = frozenset(("*", "all", "everything", "any", "/*", "**", "**/*", "%"))
_ALL_FLAGS = word_set("all deleteall everything removeall purgeall truncate")
_WHOLE_VERBS = word_set("truncate drop wipe purge erase delete remove destroy clear empty")
_WHOLE_NOUNS = word_set(
    "all table tables database databases schema schemas collection collections bucket buckets index indexes indices "
    "keyspace volume volumes namespace namespaces everything"
)
_CONTAINERS = word_set(
    "table tablename collection collectionname database databasename schema bucket bucketname index indexname "
    "namespace dataset"
)
# "Deleted 250 stale rows", "DELETE 250", "250 records were removed".
_SAID = re.compile(
    r"\b(?:deleted?|removed|purged|erased|dropped|truncated|wiped|updated?)\s{1,5}(?:all\s{1,5})?"
    r"(\d{1,3}(?:,\d{3}){1,5}|\d{1,18})\b"
    r"|(?<![\w,.])(\d{1,3}(?:,\d{3}){1,5}|\d{1,18})\s{1,5}(?:\w{1,30}\s{1,5}){0,3}?(?:were|was|have\sbeen|are|now)?\s{0,5}"
    r"(?:deleted|removed|purged|erased|dropped|wiped)\b"
)
_SAID_WITHIN = 4_000  # a result that counts says so at its beginning; the rest is the rows themselves
_MAX_DEPTH = 3
_MAX_KEYS = 200
_SQL_WITHIN = 200_000

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words_of(name: str) -> list[str]:
    """The lower-case words of a name: `bulkDelete_rows` is bulk, delete, rows. `undelete_note` has no `delete`."""
    return [word.lower() for word in _WORD.findall(name[:300])][:20]


def sql_of(words: list[str], args: Any) -> Sql:
    """The gravest SQL among the arguments of a tool of that name."""
    found = NOT_SQL
    for text in _sql_texts(args, bool(_RUNS_SQL & set(words))):
        sql = read_sql(text[:_SQL_WITHIN])
        if sql.verb and (found is NOT_SQL or (sql.rows or 0) > (found.rows or 0)):
            found = sql
    return found


def affected_rows(words: list[str], args: Any, result: Any, sql: Sql) -> int | None:
    """The greatest number that name, arguments, SQL or result tell; ALL_ROWS where all; None where nothing tells."""
    found = [n for n in (sql.rows, _asked(args, 0), _answered(result)) if n is not None]
    if not found and _WHOLE_VERBS & set(words) and _takes_whole(words, args):
        return ALL_ROWS
    return min(max(found), ALL_ROWS) if found else None


def _sql_texts(args: Any, runs_sql: bool) -> list[str]:
    if isinstance(args, str):
        return [args] if runs_sql else []
    if not isinstance(args, dict):
        return []
    found: list[str] = []
    for key, value in list(args.items())[:_MAX_KEYS]:
        if (name := _bare(key)) in _SQL or (runs_sql and name in _MAYBE_SQL):
            found += [item for item in (value if isinstance(value, list) else [value])[:50] if isinstance(item, str)]
    return found


def _asked(args: Any, depth: int) -> int | None:
    if isinstance(args, list | tuple):
        return len(args)
    if not isinstance(args, dict) or depth > _MAX_DEPTH:
        return None
    found: list[int] = []
    for key, value in list(args.items())[:_MAX_KEYS]:
        name = _bare(key)
        if name in _ALL_FLAGS and value is True:
            found.append(ALL_ROWS)
        if (
            isinstance(value, str)
            and value.strip().lower() in _EVERYTHING
            and (name in _LISTS | _SELECTORS | {"id", "path", "pattern", "scope", "target", "key", "name"})
        ):
            found.append(ALL_ROWS)
        elif name in _COUNTS and (number := _whole(value)) is not None:
            found.append(number)
        elif isinstance(value, list) and (name in _LISTS or name.endswith(("ids", "keys", "list"))):
            found.append(len(value))
        elif isinstance(value, dict) and (inner := _asked(value, depth + 1)) is not None:
            found.append(inner)
    return max(found, default=None)


def _answered(result: Any, depth: int = 0) -> int | None:
    if isinstance(result, str):
        said = [_digits(a or b) for a, b in _SAID.findall(result[:_SAID_WITHIN].lower())[:20]]
        return max((n for n in said if n is not None), default=None)
    if not isinstance(result, dict) or depth > _MAX_DEPTH:
        return None
    found: list[int] = []
    for key, value in list(result.items())[:_MAX_KEYS]:
        name = _bare(key)
        if name in _RESULT_COUNTS:
            number = len(value) if isinstance(value, list) else _whole(value)
        elif name in _TOLD and isinstance(value, str | dict):
            number = _answered(value, depth + 1)
        else:
            continue
        if number is not None:
            found.append(number)
    return max(found, default=None)


def _takes_whole(words: list[str], args: Any) -> bool:
    """Whether a table (or the like) is all that the call names: `drop_table(name)`, `delete_records(table)`."""
    named = {_bare(key): value for key, value in list(args.items())[:_MAX_KEYS]} if isinstance(args, dict) else {}
    told = {key for key, value in named.items() if value not in (None, "", [], {}) and not isinstance(value, bool)}
    if _WHOLE_NOUNS & set(words):
        return not any(key in _SELECTORS or key.endswith(("id", "key")) for key in told)
    return bool(told & _CONTAINERS) and told <= _CONTAINERS


def _bare(key: Any) -> str:
    return str(key)[:60].replace("_", "").replace("-", "").lower()


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return max(value, 0)
    if isinstance(value, float):
        return max(int(value), 0) if abs(value) < 2**63 else None
    return _digits(value) if isinstance(value, str) else None


def _digits(text: str) -> int | None:
    bare = text[:30].strip().replace(",", "").replace("_", "")
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) < 19 else None
