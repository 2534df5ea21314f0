"""What an export's lines are: each cell, each line read back, and the manifest."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.model.span import Message, Part, Span, SpanError, Tokens, Tool
from audittrail.model.summary import TraceRow
from audittrail.report.export import COLUMNS, Export, cell, row

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
START_US = 1_795_000_000_123_456
SPAN = Span(
    trace_id="a" * 32,
    span_id="b" * 16,
    kind="tool",
    name='=HYPERLINK("http://x")',
    started_us=START_US,
    ended_us=START_US + 1,
    tokens=Tokens(input=0),
    cost=Decimal("0.000001"),
    tool=Tool("@SUM", None, {"a": "=1"}, []),
    input=(Message("user", (Part("text", text='say "hi",\r\nplease'),)),),
    output="-2+3",
    error=SpanError("+1", "T"),
    attributes={"k": [1, None, "é\u2028"]},
)


@pytest.fixture(autouse=True)
def large_cells() -> Any:
    limit = csv.field_size_limit(1 << 28)
    yield
    csv.field_size_limit(limit)


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("start", STARTS, ids=[f"U+{ord(c):04X}" for c in STARTS])
@pytest.mark.parametrize("rest", ["", "1+1", "SUM(A1)", "cmd|' /C calc'!A0", '"', "=", " 1", "1 2", "1e", "٣"])
def test_a_formula_is_text(start: str, rest: str) -> None:
    assert cell(start + rest) == "'" + start + rest
    assert table(row([start + rest, "x"])) == [["'" + start + rest, "x"]]


@pytest.mark.parametrize("number", ["-1", "+1", "-1.5", "-.5", "+1.", "-1e9", "-1.5E-3", "+0", "-00"])
def test_a_number_written_as_text_stays_one(number: str) -> None:
    assert cell(number) == number
    assert cell(number + "\n") == "'" + number + "\n"


@pytest.mark.parametrize("value", [0, -1, 10**30, 1.5, -2.5e-9, Decimal("-0.00000001")], ids=str)
def test_a_number_is_a_number(value: Any) -> None:
    assert Decimal(cell(value)) == Decimal(str(value)) and not cell(value).startswith("'")


def test_what_is_not_text_or_number() -> None:
    assert [cell(v) for v in (None, (), {}, "", [], True, False)] == ["", "", "", "", "[]", "true", "false"]
    assert cell({"=a": "=1"}) == '{"=a":"=1"}' and cell([-1]) == "[-1]"


@pytest.mark.parametrize(
    "inner", [" x", "a=1", "a,b", 'a"b', '"', '""', "a\rb", "a\nb", "a\r\nb", "\u2028", "\x0b\x0c", "'"]
)
def test_a_cell_is_read_back(inner: str) -> None:
    for left, right in itertools.product(("", "x", "é"), repeat=2):
        (read,) = table(row([left + inner + right, inner, 1]))
        assert read == [left + inner + right, inner, "1"]


def test_no_nul_and_no_half_a_character_is_written() -> None:
    written = row(["a\0b", "\ud800x\udfff", {"k": "\0"}])
    assert b"\0" not in written
    assert table(written) == [[r"a\u0000b", r"\ud800x\udfff", r'{"k":"\u0000"}']]


def test_a_megabyte_in_a_cell_is_whole() -> None:
    large = '",\r\n=' * 200_000
    assert table(row([large, {"k": large}])) == [[large, json.dumps({"k": large}, separators=(",", ":"))]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=5))
def test_any_text_is_read_back_and_none_is_a_formula(texts: list[str]) -> None:
    (read,) = table(row(texts))
    for text, found in zip(texts, read, strict=True):
        assert found.removeprefix("'") == text.replace("\0", r"\u0000").removeprefix("'")
        assert not found.startswith(STARTS) or Decimal(found) is not None


def test_a_span_as_ndjson_is_what_the_api_gives() -> None:
    export = Export("ndjson", "spans", 'p"\n')
    assert export.opening() == b""
    line = export.span(SPAN)
    assert line.count(b"\n") == 1 and line.endswith(b"}\n")
    ours = {"project": 'p"\n', "started": "2026-11-18T11:06:40.123456Z", "ended": "2026-11-18T11:06:40.123457Z"}
    assert json.loads(line) == ours | json.loads(msgspec.json.encode(SPAN))
    assert list(json.loads(line))[:3] == ["project", "started", "ended"]


def test_a_running_trace_has_no_end() -> None:
    read = json.loads(Export("ndjson", "traces", "p").trace(TraceRow("t", name="n")))
    assert read["ended"] is None and read["ended_us"] is None and read["started"] == "1970-01-01T00:00:00.000000Z"


def test_a_span_as_csv() -> None:
    export = Export("csv", "spans", "=p")
    written = export.opening() + export.span(SPAN)
    assert written.startswith("\ufefftype,project,started,ended,trace_id,".encode())
    head, values = table(written)
    assert tuple(head) == COLUMNS["spans"] and len(set(head)) == len(head)
    found = dict(zip(head, values, strict=True))
    assert (found["type"], found["project"], found["name"]) == ("span", "'=p", '\'=HYPERLINK("http://x")')
    assert (found["tool_name"], found["tool_args"], found["tool_result"]) == ("'@SUM", '{"a":"=1"}', "[]")
    assert (found["input_tokens"], found["output_tokens"], found["cost"]) == ("0", "", "0.000001")
    assert (found["output"], found["error_message"], found["ended_us"]) == ("'-2+3", "+1", str(START_US + 1))
    assert json.loads(found["input"])[0]["parts"][0]["text"] == 'say "hi",\r\nplease'
    assert json.loads(found["attributes"]) == SPAN.attributes


def test_every_field_of_a_trace_and_of_a_span_has_a_column() -> None:
    assert set(TraceRow.__struct_fields__) <= set(COLUMNS["traces"])
    assert set(Span.__struct_fields__) - {"tokens", "tool", "error"} <= set(COLUMNS["spans"])


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_the_manifest_closes_the_file(form: Any) -> None:
    export = Export(form, "spans", "p")
    other = msgspec.structs.replace(SPAN, trace_id="c" * 32)
    before = export.opening() + b"".join(export.span(s) for s in (SPAN, SPAN, other))
    last = export.closing()
    said = json.loads(last if form == "ndjson" else table(last)[0][1])
    digest = hashlib.sha256(before).hexdigest()
    assert said == {"manifest": {"traces": 2, "spans": 3, "sha256": digest, "complete": True}}
    if form == "csv":
        assert table(last)[0][0] == "manifest" and len(table(last)[0]) == len(COLUMNS["spans"])


def test_nothing_is_a_whole_file_too() -> None:
    assert json.loads(Export("ndjson", "traces", "p").closing())["manifest"]["traces"] == 0
