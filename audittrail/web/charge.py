"""What a request with a good key or session counts as."""

from __future__ import annotations

from typing import Any

from litestar import Request

from audittrail.model.account import Key
from audittrail.model.errors import TooMany, Unavailable
from audittrail.runtime import Runtime

KNOWN = "audittrail.known"  # of a request's scope


def admitted(request: Request[Any, Any, Any]) -> None:
    """Notes that the request's key or session was found good: its address is not charged for it."""
    request.scope[KNOWN] = True  # type: ignore[literal-required]


def charge_key(runtime: Runtime, key: Key, *, ingest: bool) -> None:
    """Counts a request with this key. Raises TooMany; for ingest Unavailable: exporters send again only after 503."""
    wait = runtime.key_allowance.take(str(key.id))
    if not wait:
        return
    rate = in_words(runtime.settings.key_rate_limit)
    said = f"The API key {key.public} is used more often than {rate}; send it again in {seconds_in_words(wait)}."
    raise Unavailable(said, wait) if ingest else TooMany(said, wait)


def in_words(a_second: float) -> str:
    """A rate."""
    for unit, seconds in (("second", 1), ("minute", 60), ("hour", 3600)):
        often = round(a_second * seconds, 6)
        if often >= 1:
            return f"{'once' if often == 1 else f'{often:,g} times'} a {unit}"
    raise AssertionError("settings allow no rate below one an hour")


def seconds_in_words(count: int) -> str:
    """A wait."""
    return f"{count} second{'' if count == 1 else 's'}"
