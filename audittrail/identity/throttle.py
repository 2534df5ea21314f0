"""Slows down whoever guesses passwords."""

from __future__ import annotations

from collections.abc import Callable

from audittrail.identity.address import network
from audittrail.identity.recent import ENTRIES, Recent
from audittrail.model.errors import TooMany

FREE_BY_ACCOUNT = 5
# More than by account: a whole office may sign in from one address.
FREE_BY_ADDRESS = 20
LONGEST_WAIT = 900  # seconds
FORGET_AFTER = 3600  # seconds without an attempt

_SECOND = 1_000_000


class _Failures:
    """Failed attempts by name."""

    def __init__(self, free: int, entries: int) -> None:
        self._free = free
        self._by_name: Recent[tuple[int, int]] = Recent(entries)  # (how many, when the last was)

    def wait(self, name: str, now_us: int) -> int:
        """Seconds until the next attempt is allowed."""
        count, last_us = self._by_name.get(name, (0, 0))
        if count < self._free or now_us - last_us >= FORGET_AFTER * _SECOND:
            return 0
        # 1, 2, 4 … seconds; the exponent is capped because 1 << 1000000 is a number too.
        seconds = min(LONGEST_WAIT, 1 << min(count - self._free, 20))
        return max(0, -((now_us - last_us) // _SECOND - seconds))

    def add(self, name: str, now_us: int) -> None:
        count, last_us = self._by_name.get(name, (0, 0))
        count = 0 if now_us - last_us >= FORGET_AFTER * _SECOND else count
        self._by_name.keep(name, (count + 1, now_us))

    def take_back(self, name: str) -> None:
        count, last_us = self._by_name.get(name, (0, 0))
        if count > 1:
            self._by_name[name] = (count - 1, last_us)
        else:
            self._by_name.pop(name, None)

    def forget(self, name: str) -> None:
        self._by_name.pop(name, None)


class Throttle:
    """Counts failed sign-ins by account and by address. It does not know which accounts exist, so it cannot tell."""

    def __init__(self, clock: Callable[[], int], *, entries: int = ENTRIES) -> None:
        self._clock = clock  # microseconds, of a clock that does not step: a wait must end when it was said to
        self._accounts = _Failures(FREE_BY_ACCOUNT, entries)
        self._addresses = _Failures(FREE_BY_ADDRESS, entries)

    def attempt(self, account: str, address: str) -> None:
        """Before each check of a password. Raises TooMany while the account or the address has to wait.

        It counts as failed until `succeeded`: a hundred at once shall not all be checked before one has failed.
        """
        account, address, now_us = _short(account), network(address), self._clock()
        wait = max(self._accounts.wait(account, now_us), self._addresses.wait(address, now_us))
        if wait:
            raise TooMany(f"Too many attempts to sign in; try again in {_duration(wait)}.", wait)
        self._accounts.add(account, now_us)
        self._addresses.add(address, now_us)

    def succeeded(self, account: str, address: str) -> None:
        """After the right password: the account starts anew, and the address is not charged for this attempt."""
        self._accounts.forget(_short(account))
        self._addresses.take_back(network(address))


def _short(account: str) -> str:
    # An e-mail address has at most 254 characters: a longer one has no account, and shall not fill memory.
    return account[:254]


def _duration(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
