"""How often someone may ask: a token bucket for each name, as one number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from audittrail.identity.recent import ENTRIES, Recent


class Allowance:
    """`rate` requests a second of each name, of which `burst` may come at once.

    The clock is one that does not step: time of day may jump back, and nobody shall wait for it to come again.
    """

    def __init__(
        self, rate: float, burst: int, *, clock: Callable[[], float] = time.monotonic, entries: int = ENTRIES
    ) -> None:
        self._each = 1 / rate
        self._slack = (burst - 1) / rate
        self._clock = clock
        # When the bucket will be full again (the generic cell rate algorithm): all that a bucket needs to remember.
        self._full_at: Recent[float] = Recent(entries)
        self.refused = 0  # since the start

    def take(self, name: str) -> int:
        """0: go ahead, and it is counted. Otherwise the whole seconds to wait; asking too early costs nothing."""
        now = self._clock()
        full_at = max(self._full_at.get(name, now), now)
        # A billionth of a second is given away: sums of floats are not exact.
        over = full_at - now - self._slack - 1e-9
        if over > 0:
            self.refused += 1
            return math.ceil(over)
        self._full_at.keep(name, full_at + self._each)
        return 0
