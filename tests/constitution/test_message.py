"""The sentence of a verdict: values are data, whatever they look like."""

import pytest

from audittrail.constitution.message import MAX_MESSAGE, fill, mistakes, shortened
from audittrail.constitution.sql import ALL_ROWS


@pytest.mark.parametrize(
    ("template", "values", "want"),
    [
        ("{a} touches {b}", {"a": "x", "b": 1250}, "x touches 1,250"),
        ("{a}", {"a": "{b} {a} {0} {a.__class__}"}, "{b} {a} {0} {a.__class__}"),
        ("{{a}} {a}", {"a": "x"}, "{a} x"),
        ("{span.affected_rows} rows", {"span.affected_rows": ALL_ROWS}, "all rows"),
        ("{a}", {"a": 1.5}, "1.5"),
        ("{a}", {"a": 2.0}, "2"),
        ("{a}", {"a": True}, "yes"),
        ("{a}", {"a": ["x", "y"]}, "x, y"),
        ("{a}", {"a": {"email": 2, "iban": 1}}, "email 2, iban 1"),
        ("{a}", {"a": "two\n  lines\tand more"}, "two lines and more"),
        ("{a}", {}, ""),
        ("no placeholders", {"a": 1}, "no placeholders"),
    ],
)
def test_values_are_put_in(template: str, values: dict[str, object], want: str) -> None:
    assert fill(template, values) == want


def test_a_message_is_bounded() -> None:
    assert len(fill("{a}" * 50, {"a": "x" * 1000})) <= MAX_MESSAGE


def test_mistakes_have_their_place() -> None:
    assert [at for at, _ in mistakes("ok {a} {nope} }", {"a"})] == [7, 14]
    assert mistakes("{{}} {a}", {"a"}) == []


def test_kept_values_are_bounded() -> None:
    assert len(shortened("x" * 1000)) == 160
    assert len(shortened(["x"] * 1000)) == 20
    assert len(shortened({str(n): n for n in range(1000)})) == 20
