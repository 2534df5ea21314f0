"""Single values as clients write them: a name, a count, a price."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from audittrail.ingest.jsontext import INT_MAX

_COUNT = re.compile(r"[0-9]{1,19}(?:\.0*)?", re.ASCII)
_PRICE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,30})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_PRICE_LIMIT = Decimal(10) ** 9


def label(value: Any) -> str | None:
    """A name or id as text; None where there is none. Numbers are ids to some clients."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -INT_MAX <= value <= INT_MAX else None
    return None


def count(value: Any) -> int | None:
    """A number of tokens: whole, not negative, within 64 bits, also as text; else None."""
    if isinstance(value, str):
        text = value.strip()
        if not _COUNT.fullmatch(text):
            return None
        value = int(text.partition(".")[0])
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    elif isinstance(value, float):
        if not value.is_integer():  # also false for NaN and the infinities
            return None
        value = int(value)
    return value if 0 <= value <= INT_MAX else None


def price(value: Any) -> Decimal | None:
    """An amount of US dollars, also as text; None where it is no plausible one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int) and not 0 <= value < _PRICE_LIMIT:
        return None
    text = str(value).strip()
    if not _PRICE.fullmatch(text):
        return None
    found = Decimal(text)
    return found if found < _PRICE_LIMIT else None


def first_label(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first of the attributes that is a label."""
    for name in names:
        if name in attributes:
            found = label(attributes[name])
            if found is not None:
                return found
    return None


def first_count(attributes: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of the attributes that is a count."""
    for name in names:
        if name in attributes:
            found = count(attributes[name])
            if found is not None:
                return found
    return None
