"""Refused sign-ins, as they come into the activity log: never so many that they fill a disk."""

from __future__ import annotations

import hmac

from audittrail.identity.address import network
from audittrail.model.activity import SOMEBODY, Activity

_MINUTE_US = 60_000_000
MOST = 60  # a minute, of a process: 25 MB a day at the most, for as long as somebody goes on


class RefusedSignIns:
    """Says which are worth a line: the first of a minute that names this account from this network."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._minute = 0
        self._seen: set[str] = set()

    def first(self, typed: str, address: str, now_us: int) -> str:
        """The id of the line, or "" where there is none to write. It is the same in every process, so one is kept.

        By what was typed, whether that has an account or not: a guesser shall not learn which has from how long the
        answer takes. Keyed, because people type passwords there too.
        """
        minute = now_us // _MINUTE_US
        if minute != self._minute:
            self._minute, self._seen = minute, set()
        if len(self._seen) >= MOST:
            return ""
        said = "\0".join((str(minute), typed, network(address))).encode("utf-8", "surrogatepass")
        id_ = hmac.digest(self._key, said, "sha256").hex()[:24]
        if id_ in self._seen:
            return ""
        self._seen.add(id_)
        return id_


def refused(id_: str, account: str, address: str, now_us: int, *, wanted: str, waiting: bool) -> Activity:
    """The line. `account` is an existing account's address or ""; `waiting`: the password was not even looked at."""
    return Activity(
        id=id_,
        at_us=now_us,
        actor=SOMEBODY,
        action="auth.sign_in_refused",
        subject=account,
        detail={"address": address, "wanted": wanted, "reason": "too many attempts" if waiting else "wrong"},
    )
