"""How a cost is known, line by line."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from audittrail.model.span import Cost

WORDS = {"input": "Input", "cache_read": "Cache read", "cache_write": "Cache write", "output": "Output"}
MILLION = Decimal(1_000_000)


class Line(msgspec.Struct, frozen=True):
    """One bucket of tokens, or the total. Amounts are exact US dollars; "" where the price depends on the length."""

    label: str
    tokens: int
    rate: str  # per million tokens
    amount: str


def lines(cost: Cost) -> tuple[Line, ...]:
    """The buckets and their total; none where the client sent the cost."""
    found = []
    for bucket, tokens in cost.tokens.items():
        rate = Decimal(cost.rates[bucket]) if bucket in cost.rates else None
        amount = "" if rate is None else dollars(tokens * rate / MILLION)
        found.append(Line(WORDS.get(bucket, bucket), tokens, "by length" if rate is None else dollars(rate), amount))
    if found:
        found.append(Line("Together", sum(cost.tokens.values()), "", dollars(cost.amount)))
    return tuple(found)


def dollars(amount: Decimal) -> str:
    """All its digits, and no more."""
    return f"${amount.normalize():f}"
