import math
from decimal import Decimal

import pytest

from audittrail.ingest.scalars import count, label, price


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (5, 5),
        (0, 0),
        ("412", 412),
        (" 7 ", 7),
        ("12.0", 12),
        (12.0, 12),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (str(2**63), None),
        ("9" * 10_000, None),
        (-1, None),
        ("-1", None),
        (True, None),
        (1.5, None),
        (math.nan, None),
        (math.inf, None),
        ("many", None),
        ("٣", None),
        ("", None),
        (None, None),
        ([5], None),
        ({}, None),
    ],
)
def test_counts(value, wanted):
    assert count(value) == wanted
    assert not isinstance(count(value), bool)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (7.44e-05, Decimal("0.0000744")),
        ("0.12", Decimal("0.12")),
        (3, Decimal(3)),
        (0, Decimal(0)),
        (-1, None),
        (math.nan, None),
        (math.inf, None),
        (10**400, None),
        ("1e999999", None),
        ("1e99", None),
        ("NaN", None),
        (True, None),
        (None, None),
    ],
)
def test_prices(value, wanted):
    assert price(value) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a", "a"),
        (" a ", "a"),
        ("", None),
        ("  ", None),
        (5, "5"),
        (True, None),
        (1.5, None),
        pytest.param(10**5000, None, id="long"),
        (["a"], None),
    ],
)
def test_labels(value, wanted):
    assert label(value) == wanted
