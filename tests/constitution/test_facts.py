"""What is read out of calls, SQL and texts: rows, verbs, words, citations."""

import time

import pytest

from audittrail.constitution.affected import affected_rows, sql_of, words_of
from audittrail.constitution.citations import citations, sources
from audittrail.constitution.sql import ALL_ROWS, read_sql
from audittrail.constitution.text import json_text, sound, text_of
from audittrail.model.span import Message, Part


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("delete_records", ["delete", "records"]),
        ("bulkDelete_rows", ["bulk", "delete", "rows"]),
        ("DELETE-ALL", ["delete", "all"]),
        ("HTTPDeleteV2", ["http", "delete", "v", "2"]),
        ("undelete_note", ["undelete", "note"]),
        ("crm.deleteCustomer", ["crm", "delete", "customer"]),
        ("", []),
        ("___", []),
    ],
)
def test_a_name_falls_into_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


def rows(name: str, args: object, result: object = None) -> int | None:
    return affected_rows(words_of(name), args, result, sql_of(words_of(name), args))


@pytest.mark.parametrize(
    ("name", "args", "result", "want"),
    [
        ("delete_records", {"table": "customers", "count": 250}, None, 250),
        ("delete_records", {"table": "customers", "rowCount": "1,250"}, None, 1250),
        ("delete_records", {"limit": 20.0}, None, 20),
        ("delete_records", {"count": True}, None, None),
        ("delete_records", {"count": -5}, None, 0),
        ("delete_records", {"count": 1e300}, None, None),
        ("delete_records", {"count": 10**30}, None, ALL_ROWS),
        ("delete_records", {"ids": [1, 2, 3]}, None, 3),
        ("delete_records", {"customer_ids": [1, 2, 3, 4]}, None, 4),
        ("delete_records", [1, 2], None, 2),
        ("delete_records", {"options": {"limit": 7}}, None, 7),
        ("delete_records", {"id": 90210}, None, None),
        ("delete_records", {"table": "customers"}, None, ALL_ROWS),
        ("delete_records", {"table": "customers", "where": "id = 3"}, None, None),
        ("delete_records", {"table": "customers", "row": 7}, None, None),
        ("delete_records", {"all": True}, None, ALL_ROWS),
        ("delete_records", {"ids": "*"}, None, ALL_ROWS),
        ("drop_table", {"name": "customers"}, None, ALL_ROWS),
        ("delete_all_notes", {}, None, ALL_ROWS),
        ("delete_all_notes", {"user_id": 3}, None, None),
        ("purge_cache", {}, None, None),
        ("purge", {}, {"deleted": 12}, 12),
        ("purge", {}, {"deleted": [1, 2]}, 2),
        ("purge", {}, {"result": {"rows_affected": 9}}, 9),
        ("purge", {}, "Deleted 250 stale records", 250),
        ("purge", {}, "1,250 rows were deleted", 1250),
        ("purge", {}, {"message": "250 stale records deleted"}, 250),
        ("run", {}, "DELETE 31", 31),
        ("purge", {"count": 5}, {"deleted": 50}, 50),
        ("purge", {}, "deleted since 2024", None),
        ("purge", None, None, None),
        ("run", {"sql": "DELETE FROM a"}, None, ALL_ROWS),
        ("run", {"sql": "DELETE FROM a"}, "DELETE 3", ALL_ROWS),
        ("notes", {"sql": "DELETE FROM a"}, None, ALL_ROWS),
        ("run_query", {"query": "DELETE FROM a"}, None, ALL_ROWS),
        ("run_query", "DELETE FROM a", None, ALL_ROWS),
        ("search_docs", {"query": "delete from a"}, None, None),
        ("search_docs", "delete from a", None, None),
    ],
)
def test_the_rows_of_a_call(name: str, args: object, result: object, want: int | None) -> None:
    assert rows(name, args, result) == want


@pytest.mark.parametrize(
    ("text", "verb", "count"),
    [
        ("DELETE FROM customers", "delete", ALL_ROWS),
        ("delete from customers where 1=1", "delete", ALL_ROWS),
        ("delete from customers where (true)", "delete", ALL_ROWS),
        ("delete from customers where 'a'='a'", "delete", ALL_ROWS),
        ("delete from customers where id = 4", "delete", 1),
        ("delete from customers where customer_id = $1", "delete", 1),
        ("delete from customers where id = 4 or true", "delete", None),
        ("delete from customers where id in (1, 2,3)", "delete", 3),
        ("delete from customers where id in (select id from old)", "delete", None),
        ("delete from customers where last_order < '2020-01-01'", "delete", None),
        ("delete from customers where stale limit 50", "delete", 50),
        ("/* tidy */ TRUNCATE customers", "truncate", ALL_ROWS),
        ("drop table if exists customers", "drop", ALL_ROWS),
        ("update customers set plan = 'free'", "update", ALL_ROWS),
        ('update "public"."customers" set plan = 1 where id = 3', "update", 1),
        ("with old as (select 1) delete from customers", "delete", ALL_ROWS),
        ("select 1; drop table customers", "drop", ALL_ROWS),
        ("begin; delete from a where id = 1; delete from b where id in (1,2); commit", "delete", 2),
        ("select * from orders where deleted_at is null", "select", None),
        ("select 'delete from customers'", "select", None),
        ("select 1 -- drop table customers", "select", None),
        ("select /* drop table customers", "select", None),
        ("select truncate(price, 2) from orders", "select", None),
        ("select * from orders for update", "select", None),
        ("insert into a values (1) on conflict do update set b = 1", "insert", None),
        ("alter table a drop column b", "alter", None),
        ("explain delete from a", "delete", ALL_ROWS),
        ("please delete the customer from the list", "", None),
        ("delete old mails", "", None),
        ("update me on the set", "", None),
        ("drop me a line", "", None),
        ("", "", None),
    ],
)
def test_what_sql_would_do(text: str, verb: str, count: int | None) -> None:
    found = read_sql(text)
    assert (found.verb, found.rows) == (verb, count)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("kept for two years [1].", 1),
        ("kept [1, 3] and [2–4] and [^2]", 3),
        ("as 【4:0†policy.pdf】 says", 1),
        ("[doc 3] and [source: handbook]", 2),
        ("(policy 4.2)", 1),
        ("(see the Handbook, section 3)", 1),
        ("(Handbook, § 3)", 1),
        ("(Meyer et al., 2024)", 1),
        ("see https://example.org/a", 1),
        ("done.\nSources: a, b", 1),
        ("According to the retention policy, yes", 1),
        ("two years (24 months)", 0),
        ("a list [of things]", 0),
        ("array[10000]", 0),
        ("it (perhaps) works", 0),
        ("according to my mood", 0),
        ("the source: water", 0),
        ("http:// is a scheme", 0),
        ("", 0),
    ],
)
def test_citations_are_counted_in_their_many_forms(text: str, count: int) -> None:
    assert citations(text) == count


def turn(role: str, *parts: Part) -> Message:
    return Message(role, parts)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ((turn("tool", Part("tool_result", name="search_docs", value="x")),), 1),
        ((turn("tool", Part("tool_result", name="list_orders", value="x")),), 0),
        (
            (
                turn("assistant", Part("tool_call", id="c1", name="kb_lookup")),
                turn("tool", Part("tool_result", id="c1", value="x")),
            ),
            1,
        ),
        ((turn("user", Part("text", "Q?\nContext: a text")),), 1),
        ((turn("user", Part("text", "<documents>a</documents>")),), 1),
        ((turn("assistant", Part("text", "Context: a text")),), 0),
        ((turn("user", Part("text", "In this context: write")),), 0),
        ("Sources:\n1. a", 1),
        (None, 0),
        ({"a": 1}, 0),
    ],
)
def test_sources_that_a_model_was_given(value: object, count: int) -> None:
    assert sources(value, {}) == count


def test_text_of_values() -> None:
    assert text_of(None) == ""
    assert text_of("a\ud800b") == "a\ufffdb"
    assert text_of({"a": [1, "é"]}) == '{"a":[1,"é"]}'
    assert text_of((turn("user", Part("text", "a")), turn("tool", Part("tool_result", value={"b": 1})))) == 'a\n{"b":1}'
    assert text_of((turn("assistant", Part("tool_call", name="x", value={"secret": 1})),)) == ""
    assert sound("plain") == "plain"
    assert sound("a\0b") == "a\ufffdb" and sound("é\0\ud800") == "é\ufffd\ufffd"


def test_a_value_nested_beyond_the_encoder_still_gives_its_texts() -> None:
    deep: object = "needle"
    for _ in range(100_000):
        deep = [deep]
    assert "needle" in json_text(deep)
    while isinstance(deep, list):  # taken apart by hand: CPython's own deallocation of it is not what is tested
        deep = deep[0]


@pytest.mark.parametrize(
    "unit",
    ["(", "[", "(a", "[1,", "'", '"', "/*", "--", "-- \n", "\n \t", "select (", ";", "delete from ", "where ", "in (",
     "<", "【", "http", "according to ", "1,111", "deleted ", "a ", "(Aa ", "\n#", "update a ", "9", "1 a b c "],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_linear_time(unit: str) -> None:
    text = "select " + unit * (1_000_000 // len(unit))
    began = time.process_time()
    citations(text)
    sources(text, {})
    sql = sql_of([], {"sql": text})
    affected_rows(words_of(text), {"sql": text}, text, sql)
    assert time.process_time() - began < 30, "what looks at every pair of a million letters takes days"
