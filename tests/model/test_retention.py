"""Which time retention goes by."""

from __future__ import annotations

import pytest

from audittrail.model.retention import DAY_US, PACE, horizon, trusted

HOUR = DAY_US // 24


@pytest.mark.parametrize(
    ("reached", "now", "elapsed", "goes_by"),
    [
        (100 * DAY_US, 100 * DAY_US + 5, 5, 100 * DAY_US + 5),  # as it should be
        (100 * DAY_US, 4_000 * DAY_US, 0, 100 * DAY_US),  # the clock leapt, or the server was off: nothing is sure yet
        (100 * DAY_US, 4_000 * DAY_US, HOUR, 101 * DAY_US),  # it is followed, a day an hour
        (100 * DAY_US, 100 * DAY_US + HOUR, HOUR, 100 * DAY_US + HOUR),
        (100 * DAY_US, 50 * DAY_US, HOUR, 50 * DAY_US),  # it was set back
        (100 * DAY_US, 4_000 * DAY_US, -HOUR, 100 * DAY_US),
    ],
)
def test_a_clock_is_followed_no_faster_than_time_passes_by_far(
    reached: int, now: int, elapsed: int, goes_by: int
) -> None:
    assert PACE == 24
    assert trusted(reached, now, elapsed) == goes_by


def test_the_horizon_lies_so_many_days_back() -> None:
    assert horizon(100 * DAY_US, 90) == 10 * DAY_US
