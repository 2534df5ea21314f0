"""Everywhere a client can put text is looked at, and nothing else of a record changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from audittrail.model.record import Event, Link, Scope, SpanRecord, encode
from audittrail.privacy import redactor as module
from audittrail.privacy.leaves import MAX_DEPTH
from audittrail.privacy.redactor import Redactor
from tests.make import TRACE, llm, record, span_id

REDACTOR = Redactor(b"a key of the tests")
MAIL = "canary@example.org"
MARK = REDACTOR.redact_text(MAIL)[0]


def deep(levels: int) -> Any:
    value: Any = MAIL
    for _ in range(levels):
        value = [value]
    return value


PLACES: dict[str, dict[str, Any]] = {
    "name": {"name": f"ask {MAIL}"},
    "status message": {"status_message": MAIL},
    "trace state": {"trace_state": f"vendor={MAIL}"},
    "attribute": {"attributes": {"a": MAIL}},
    "attribute key": {"attributes": {MAIL: 1}},
    "attribute key of a text": {"attributes": {f"to {MAIL}": "x"}},
    "key of nothing": {"attributes": {MAIL: None}},
    "key of an empty list": {"attributes": {MAIL: []}},
    "key of a truth": {"attributes": {MAIL: True}},
    "list": {"attributes": {"a": ["x", MAIL]}},
    "object": {"attributes": {"a": {"b": [{"c": MAIL}]}}},
    "key of an object": {"attributes": {"a": {MAIL: {MAIL: [0.5]}}}},
    "JSON in a text": {"attributes": {"a": json.dumps([{"content": f"x\n{MAIL}\n"}])}},
    "JSON in JSON": {"attributes": {"a": json.dumps({"b": json.dumps({"c": f"\n{MAIL}"})})}},
    "event name": {"events": (Event(MAIL),)},
    "event attribute": {"events": (Event("e", 5, {"exception.message": MAIL}),)},
    "link attribute": {"links": (Link(TRACE, span_id(9), {"a": MAIL}),)},
    "resource": {"resource": {"host": MAIL}},
    "scope name": {"scope": Scope(MAIL)},
    "scope version": {"scope": Scope("s", MAIL)},
    "scope attribute": {"scope": Scope("s", "1", {"a": MAIL})},
    "after a NUL": {"attributes": {"a": f"x\0{MAIL}"}},
    "beside a lone surrogate": {"attributes": {"a": f"\ud800 {MAIL}", "b": "\udfff"}},
    "very deep": {"attributes": {"a": deep(60)}},
}


@pytest.mark.parametrize("place", PLACES)
def test_every_place(place: str) -> None:
    sent = record(**PLACES[place])
    kept, counts = REDACTOR.redact(sent)
    assert MAIL not in repr(kept)
    assert repr(kept).replace(MARK, MAIL) == repr(sent)
    assert set(counts) == {"EMAIL"}
    assert REDACTOR.redact(kept) == (kept, {})


def test_a_record_without_finds_is_the_same_object() -> None:
    sent = llm(attributes={"x": [1, {"y": "z"}], "n": None, "f": 0.5, "big": 10**30})
    kept, counts = REDACTOR.redact(sent)
    assert kept is sent
    assert counts == {}


def test_what_did_not_change_is_shared() -> None:
    sent = record(attributes={"mail": MAIL, "list": [1, 2]}, resource={"a": "b"})
    kept, _ = REDACTOR.redact(sent)
    assert kept.attributes["list"] is sent.attributes["list"]
    assert kept.resource is sent.resource


def test_ids_and_times_are_never_touched() -> None:
    digits = "4111111111111111" * 2
    sent = SpanRecord(
        trace_id=digits, span_id=digits[:16], parent_id=digits[:16], started_ns=4111111111111111, name=MAIL
    )
    kept, _ = REDACTOR.redact(sent)
    assert kept == replace(sent, name=MARK)


def test_the_key_says_what_the_value_is() -> None:
    sent = {
        "password": "two words",
        "http.request.header.authorization": ["Bearer abc"],
        "user": {"phone": 5551234567, "dob": "1990-04-05", "ssn": 460899847},
        "fields": [{"name": "password", "value": "hunter2"}, {"key": "x-api-key", "value": {"stringValue": "abc"}}],
        "command": ["mysql", "--password", "hunter2", "-h", "db"],
        "credentials": {"login": "bob", "hash": "x9"},
        "gen_ai.usage.input_tokens": 512,
        "llm.token_count.prompt": 12,
        "max_tokens": 1024,
        "api_key": None,
        "password_set": True,
    }
    kept, counts = REDACTOR.redact_value(sent)
    assert counts == {"PASSWORD": 3, "SECRET": 4, "PHONE": 1, "BIRTHDATE": 1, "SSN": 1}
    assert kept["http.request.header.authorization"][0].startswith("Bearer <SECRET:")
    for same in ("gen_ai.usage.input_tokens", "llm.token_count.prompt", "max_tokens", "api_key", "password_set"):
        assert kept[same] == sent[same]


def test_a_field_of_a_single_text_says_what_it_is() -> None:
    assert REDACTOR.redact_text("swordfish", field="password")[1] == {"PASSWORD": 1}
    assert REDACTOR.redact_value(["swordfish"], ("user", "password"))[1] == {"PASSWORD": 1}
    assert REDACTOR.redact_text("swordfish")[1] == {}


def test_two_keys_that_become_one_are_both_kept() -> None:
    kept, _ = REDACTOR.redact_value({MAIL: 1, MAIL.upper(): 2})
    assert kept == {MARK: 1, f"{MARK}#2": 2}


def test_json_in_a_text_stays_json() -> None:
    secret = 'a "quoted" \\ back\\\\slash\n\t\u2028é'
    inner = json.dumps({"password": secret, "mail": f"é\n{MAIL}", "n": 1})
    for text in (inner, json.dumps({"args": inner}), json.dumps({"x": json.dumps({"args": inner})})):
        kept, counts = REDACTOR.redact_text(text)
        assert counts == {"PASSWORD": 1, "EMAIL": 1}
        value = json.loads(kept)
        while "args" in value or "x" in value:
            value = json.loads(value.get("args") or value["x"])
        assert value["n"] == 1
        assert value["mail"] == f"é\n{MARK}"
        assert value["password"].startswith("<PASSWORD:")


@pytest.mark.parametrize(
    "value",
    [
        {"pin": 1, "password": -1000.5, "x": [4111111111111111, 4242424242424242]},
        [4111111111111111, {"phone": 5551234567}],
        ["a", 4111111111111111],
        {"cards": [1, 4111111111111111]},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_number_in_json_becomes_a_text_in_quotes(value: Any, indent: int | None) -> None:
    plain = json.dumps(value, indent=indent)
    for text in (plain, json.dumps({"args": plain}), json.dumps({"args": json.dumps({"args": plain})})):
        kept = REDACTOR.redact_text(text)[0]
        assert "4111111111111111" not in kept
        found: Any = json.loads(kept)
        while "args" in found:
            found = json.loads(found["args"])
        assert type(found) is type(value)


def test_what_is_too_large_is_withheld_and_the_rest_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2000)
    kept, counts = REDACTOR.redact(record(attributes={"big": "x" * 3000, "small": MAIL}))
    assert kept.attributes == {"big": "<WITHHELD:3000 bytes>", "small": MARK}
    assert counts == {"WITHHELD": 1, "EMAIL": 1}


def test_a_text_of_nothing_but_finds_is_withheld_and_the_rest_kept() -> None:
    kept, counts = REDACTOR.redact(record(attributes={"list": "a@b.co " * 10_000, "small": MAIL}))
    assert kept.attributes == {"list": "<WITHHELD:70000 bytes>", "small": MARK}
    assert counts == {"WITHHELD": 1, "EMAIL": 1}


def test_what_is_nested_too_deeply_is_withheld() -> None:
    kept, counts = REDACTOR.redact_value({"a": deep(MAX_DEPTH + 5), "b": MAIL})
    assert MAIL not in repr(kept)
    assert counts == {"WITHHELD": 1, "EMAIL": 1}


def test_a_redacted_record_can_be_encoded() -> None:
    kept, _ = REDACTOR.redact(record(attributes={"a": f"é {MAIL} \N{GRINNING FACE}"}))
    assert MARK.encode() in encode(kept)
