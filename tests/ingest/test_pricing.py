"""What a call cost: disjoint buckets, in decimals, and unpriced is not free."""

from __future__ import annotations

from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from audittrail.ingest.pricing import price
from audittrail.model.span import Kind, Span, Tokens

STARTED = 1_795_000_000_000_000


def call(model: str = "gpt-4o", kind: Kind = "llm", cost: Decimal | None = None, **tokens: int) -> Span:
    provider = {"gpt": "openai", "cla": "anthropic", "gem": "gcp.gemini", "tex": "openai"}.get(model[:3])
    return Span(
        trace_id="t",
        span_id="s",
        kind=kind,
        model=model,
        provider=provider,
        started_us=STARTED,
        tokens=Tokens(**tokens),
        cost=cost,
    )


def test_cached_tokens_are_paid_for_once() -> None:
    cost = price(call(input=1_000_000, cache_read=400_000, output=100_000, reasoning=50_000))
    assert cost is not None
    assert cost.tokens == {"input": 600_000, "cache_read": 400_000, "output": 100_000}
    assert cost.amount == sum(Decimal(cost.rates[name]) * count for name, count in cost.tokens.items()) / 1_000_000
    assert (cost.source, cost.model, cost.provider) == ("genai-prices", "gpt-4o", "openai")


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4o-mini-2024-07-18", "claude-sonnet-4", "gemini-2.5-pro", "gemini-2.5-flash"]
)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5))
def test_it_agrees_with_the_library(model: str, fresh: int, output: int, read: int) -> None:
    span = call(model, input=fresh + read, output=output, cache_read=read)
    usage = Usage(input_tokens=fresh + read, output_tokens=output, cache_read_tokens=read, cache_write_tokens=0)
    expected = calc_price(usage, model, provider_id=span.provider).total_price
    cost = price(span)
    assert cost is not None
    assert cost.amount == expected


@pytest.mark.parametrize(
    "span",
    [
        call("a-model-nobody-sells", input=5, output=5),
        call(""),
        call("gpt-4o"),
        call("gpt-4o", kind="agent", input=5, output=5),
        call("gpt-4o", kind="chain", input=5, output=5),
    ],
)
def test_unknown_is_unpriced(span: Span) -> None:
    assert price(span) is None


def test_what_the_client_sent_wins() -> None:
    cost = price(call(input=5, output=5, cost=Decimal("1.5")))
    assert cost is not None
    assert (cost.amount, cost.source, cost.rates) == (Decimal("1.5"), "sent", {})


def test_an_embedding_costs_its_input() -> None:
    cost = price(call("text-embedding-3-small", kind="embedding", input=1_000_000, output=7))
    assert cost is not None
    assert cost.amount == Decimal("0.02")


@pytest.mark.parametrize("started", [0, 2**63 - 1])
def test_a_wrong_clock_is_no_reason_to_fail(started: int) -> None:
    span = Span(trace_id="t", span_id="s", kind="llm", model="gpt-4o", started_us=started, tokens=Tokens(input=5))
    assert price(span) is not None
