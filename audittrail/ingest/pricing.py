"""What a model's call cost, in decimals, and how that was computed. The only door to genai-prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import msgspec
from genai_prices import Usage, calc_price
from genai_prices.types import TieredPrices

from audittrail.model.span import Cost, Span, Tokens

VERSION = version("genai-prices")
MILLION = Decimal(1_000_000)
DAY_US = 86_400_000_000
# Prices are looked up by the day of the call; before this nobody sold tokens, and a wrong clock needs no calendar.
FIRST_US = 1_577_836_800_000_000  # 2020-01-01
LAST_US = 4_102_444_800_000_000  # 2100-01-01


class Rates(msgspec.Struct, frozen=True):
    """A model's prices on a day, in US dollars per million tokens."""

    model: str  # as genai-prices calls it
    provider: str
    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    tiered: bool  # depends on how long the input is


def price(span: Span) -> Cost | None:
    """The cost of a model's call or an embedding. None: unpriced, which is not free.

    What the client sent wins. Otherwise: disjoint buckets of tokens (input without cache, cache read, cache write,
    output with reasoning), each at the price that the model had on the day of the call.
    """
    if span.cost is not None:
        return Cost(span.cost, "sent")
    t = span.tokens
    if span.kind not in ("llm", "embedding") or not span.model or (t.input is None and t.output is None):
        return None
    day = min(max(span.started_us, FIRST_US), LAST_US) // DAY_US
    rates = _rates(span.model, span.provider or "", day)
    if rates is None or rates.input is None:
        return None
    counts = buckets(t, rates)
    per_token = {"input": rates.input, "output": rates.output}
    per_token |= {"cache_read": rates.cache_read, "cache_write": rates.cache_write}
    used = {name: count for name, count in counts.items() if count}
    if rates.tiered:
        amount = _by_library(span, day, t)
        shown: Mapping[str, Decimal | None] = {}
    else:
        amount = sum((count * (per_token[name] or Decimal(0)) for name, count in used.items()), Decimal(0)) / MILLION
        shown = {name: per_token[name] for name in used}
    return Cost(
        amount,
        "genai-prices",
        version=VERSION,
        model=rates.model,
        provider=rates.provider,
        rates={name: f"{rate:f}" for name, rate in shown.items() if rate is not None},
        tokens=used,
    )


def buckets(tokens: Tokens, rates: Rates) -> dict[str, int]:
    """The tokens that are paid for, apart. Cached ones count as input where the model has no price for them."""
    read = (tokens.cache_read or 0) if rates.cache_read is not None else 0
    write = (tokens.cache_write or 0) if rates.cache_write is not None else 0
    return {
        "input": max(0, (tokens.input or 0) - read - write),
        "cache_read": read,
        "cache_write": write,
        # An embedding has none; what some libraries report there is its input again.
        "output": (tokens.output or 0) if rates.output is not None else 0,
    }


# A look-up takes 140 microseconds, most of a span's share; a project calls a handful of models.
@lru_cache(maxsize=2048)
def _rates(model: str, provider: str, day: int) -> Rates | None:
    found = _look_up(model, provider, day, Usage(input_tokens=1))
    if found is None:
        return None
    price_list = found.model_price
    rates = {name: getattr(price_list, name + "_mtok") for name in ("input", "output", "cache_read", "cache_write")}
    tiered = any(isinstance(rate, TieredPrices) for rate in rates.values())
    plain = {name: rate.base if isinstance(rate, TieredPrices) else rate for name, rate in rates.items()}
    return Rates(found.model.id, found.provider.id, tiered=tiered, **plain)


def _look_up(model: str, provider: str, day: int, usage: Usage) -> Any:
    at = datetime.fromtimestamp(day * DAY_US / 1_000_000, UTC)
    # A provider that the list does not know may be somebody's name for a known one: the model's name decides then.
    for one in dict.fromkeys((provider or None, None)):
        try:
            return calc_price(usage, model, provider_id=one, genai_request_timestamp=at)
        except (LookupError, ValueError):
            continue
    return None


def _by_library(span: Span, day: int, t: Tokens) -> Decimal:
    usage = Usage(
        input_tokens=t.input, output_tokens=t.output, cache_read_tokens=t.cache_read, cache_write_tokens=t.cache_write
    )
    return Decimal(_look_up(span.model or "", span.provider or "", day, usage).total_price)
