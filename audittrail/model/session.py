"""A person's sign-in, and how long it lasts."""

from __future__ import annotations

import msgspec

from audittrail.model.account import User

_DAY = 86_400 * 1_000_000
SESSION_IDLE_US = 7 * _DAY  # unused for so long: over
SESSION_LIFE_US = 30 * _DAY  # however much it is used
SESSION_TOUCH_US = 300 * 1_000_000  # `seen_us` is written at most so often: a page view shall not be a write
INVITATION_LIFE_US = 7 * _DAY


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that is still good."""

    token_hash: str
    user: User
    project_id: int | None  # the project looked at; the person may have left it since
    created_us: int
    seen_us: int

    def stale(self, now_us: int) -> bool:
        """Whether `seen_us` is old enough to be written anew."""
        return now_us - self.seen_us >= SESSION_TOUCH_US
