"""Which API key a presented secret is, without an Argon2 at each request."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from audittrail.identity.keys import Presented, derived_public, lookup, new_key
from audittrail.identity.passwords import Passwords
from audittrail.model.account import Key, Scope
from audittrail.model.errors import Forbidden, NotSignedIn
from audittrail.store.connection import Connection
from audittrail.store.keys import find_candidates, get_key

KNOWN_SECONDS = 300.0
UNKNOWN_SECONDS = 30.0
ENTRIES = 10_000  # of each kind: about 3 MB


class Minted(msgspec.Struct, frozen=True):
    """A new secret and what is stored of it."""

    public: str
    secret: str
    lookup: str
    secret_hash: str

    def __repr__(self) -> str:
        return f"Minted({self.public})"


class _Known(msgspec.Struct, frozen=True):
    key_id: int
    public: str  # SQLite may give a deleted row's id to a new one; a public part is never given again
    until: float


class _Turn:
    """Those who ask about one secret that is not known yet go one after the other; the first does the work."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.askers = 0


class Keyring:
    """Remembers for a few minutes which key a secret is.

    It never decides whether the key is good: that is read from the database at each request, so a key that any process
    revokes is refused at once.
    """

    def __init__(
        self,
        secret_key: bytes,
        passwords: Passwords,
        *,
        clock: Callable[[], float] = time.monotonic,
        entries: int = ENTRIES,
    ) -> None:
        self._secret_key = secret_key
        self._passwords = passwords
        self._clock = clock
        self._entries = entries
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()  # until when it is taken for unknown
        self._turns: dict[bytes, _Turn] = {}
        self._used: dict[int, int] = {}

    async def mint(self, chosen: str = "") -> Minted:
        """A new key's parts; of a secret that was chosen elsewhere, always with the same public part."""
        public, secret = (derived_public(self._secret_key, chosen), chosen) if chosen else new_key()
        return Minted(public, secret, lookup(self._secret_key, secret), await self._passwords.hash(secret))

    async def identify(self, conn: Connection, presented: Presented) -> Key | None:
        """The key as it is now, which may be revoked or expired; None when the secret is of no key. See `admit`."""
        digest = hmac.digest(self._secret_key, b"keyring:" + presented.secret.encode(), "sha256")
        known = self._recall(digest)
        if known is None and not self._refused_lately(digest):
            known = await self._learn(conn, digest, presented.secret)
        if known is None:
            return None
        key = await get_key(conn, known.key_id)
        if key is None or key.public != known.public:
            self._known.pop(digest, None)
            return None
        if presented.public is not None and presented.public != key.public:
            return None
        return key

    async def admit(self, conn: Connection, presented: Presented, scopes: tuple[Scope, ...], now_us: int) -> Key:
        """The key, when it is good now and has one of the scopes, if any is named.

        Raises NotSignedIn or Forbidden, saying why it is not.
        """
        key = await self.identify(conn, presented)
        if key is None:
            raise NotSignedIn(
                "The API key is not one of this server's. Check it, or make another under Settings, API keys."
            )
        # Only whoever holds the whole secret gets this far, so saying why tells nothing to anyone else.
        if key.revoked_us is not None:
            raise NotSignedIn(f"The API key {key.public} was revoked. Make another under Settings, API keys.")
        if not key.usable(now_us):
            raise NotSignedIn(f"The API key {key.public} has expired. Make another under Settings, API keys.")
        if scopes and not set(scopes) & set(key.scopes):
            wanted = " or ".join(f"“{scope}”" for scope in scopes)
            raise Forbidden(
                f"The API key {key.public} has no scope {wanted}. Make one that has it under Settings, API keys."
            )
        self._used[key.id] = max(now_us, self._used.get(key.id, 0))
        return key

    @property
    def used(self) -> dict[int, int]:
        """When each key was last admitted, since the last `take_used`."""
        return dict(self._used)

    def take_used(self) -> dict[int, int]:
        """`used`, and starts anew: for `store.keys.touch_keys`, every now and then."""
        used, self._used = self._used, {}
        return used

    def _recall(self, digest: bytes) -> _Known | None:
        known = self._known.get(digest)
        if known is None:
            return None
        if known.until <= self._clock():
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return known

    def _refused_lately(self, digest: bytes) -> bool:
        until = self._unknown.get(digest)
        if until is not None and until <= self._clock():
            del self._unknown[digest]
            return False
        return until is not None

    async def _learn(self, conn: Connection, digest: bytes, secret: str) -> _Known | None:
        turn = self._turns.setdefault(digest, _Turn())
        turn.askers += 1
        try:
            async with turn.lock:
                # Whoever had the turn before may have found it out.
                if (known := self._recall(digest)) or self._refused_lately(digest):
                    return known
                return await self._search(conn, digest, secret)
        finally:
            turn.askers -= 1
            if not turn.askers:
                del self._turns[digest]

    async def _search(self, conn: Connection, digest: bytes, secret: str) -> _Known | None:
        for candidate in await find_candidates(conn, lookup(self._secret_key, secret)):
            if await self._passwords.verify(candidate.secret_hash, secret):
                known = _Known(candidate.key.id, candidate.key.public, self._clock() + KNOWN_SECONDS)
                self._known[digest] = known
                if len(self._known) > self._entries:
                    self._known.popitem(last=False)
                return known
        self._unknown[digest] = self._clock() + UNKNOWN_SECONDS
        if len(self._unknown) > self._entries:
            self._unknown.popitem(last=False)
        return None
