"""How old a trace may become: which time retention goes by, and from when on a trace is too old."""

from __future__ import annotations

DAY_US = 86_400_000_000
# A day an hour: what a server that was off for a month had to purge meanwhile is purged in thirty hours, and a clock
# that went wrong has not purged everything by the time somebody looks.
PACE = 24


def trusted(reached_us: int, now_us: int, elapsed_us: int) -> int:
    """The time to go by: the clock's, but no further than PACE times what has really passed (by a clock that cannot be
    set) since retention went by `reached_us`. A clock that is set back is believed: then less is too old."""
    return min(now_us, reached_us + PACE * max(0, elapsed_us))


def horizon(time_us: int, days: int) -> int:
    """What has not changed since then is too old."""
    return time_us - days * DAY_US
