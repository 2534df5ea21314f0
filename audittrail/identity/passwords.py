"""Passwords and secrets as Argon2 hashes, made in few threads: each takes 19 MiB and 20 ms of a processor."""

from __future__ import annotations

import asyncio
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from audittrail.model.account import MAX_PASSWORD, MIN_PASSWORD
from audittrail.model.errors import Unavailable

T = TypeVar("T")

THREADS = 2
# Running and waiting together: the last in line waits about a third of a second. Beyond it, saying no is kinder than a
# line that grows until every client has given up.
PLACES = 32

# Of the most used passwords those that are long enough to be allowed otherwise.
_COMMON = frozenset(
    """
    123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 0123456789012 123123123123 123456123456
    1q2w3e4r5t6y 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv qwertyuiop12 qwertyuiop123 qwertyuiop[]
    qwertyuiopasdfgh qwertyqwerty qwerty123456 qwerty12345678 asdfghjkl123 asdfghjklzxcvbnm zxcvbnm12345 abcdefghijkl
    abcdefghijklmnop abcdefghijklmnopqrstuvwxyz abc123abc123 abcd1234abcd password1234 password12345 password123456
    password123! passw0rd1234 passwordpassword password1password mypassword123 mypassword1234 yourpassword
    thisismypassword thisisapassword p@ssw0rd1234 p@ssword1234 p@ssw0rd123! administrator administrator1
    adminadminadmin admin1234567 admin12345678 administrator123 letmeinletmein letmein12345 letmeinplease welcome12345
    welcome123456 welcomewelcome changemechangeme changeme1234 changeme12345 changemenow! pleasechangeme iloveyou1234
    iloveyou12345 iloveyouforever iloveyousomuch correcthorsebatterystaple trustno1trustno1 sunshine1234 princess1234
    football1234 baseball1234 superman1234 dragondragon michael12345 computer1234 internet1234 test12345678
    testtesttest testtest1234 testpassword secretsecret secretpassword supersecret1 supersecret123 supersecretpassword
    defaultpassword temporary123 password2024 password2025 password2026 winter2025!! summer2025!! audittrail
    audittrail12 audittrail123 audittrailadmin
    """.split()  # noqa: SIM905 - a list of one word a line is four screens long
)


def check_strength(password: str, email: str) -> str:
    """What is wrong with a new password, as a sentence; "" when nothing is.

    As NIST SP 800-63B: its length and whether it is guessed first, no rules on the kinds of characters.
    """
    if len(password) < MIN_PASSWORD:
        return f"The password is too short: use at least {MIN_PASSWORD} characters, such as a few random words."
    if len(password) > MAX_PASSWORD:
        return f"The password is too long: use at most {MAX_PASSWORD} characters."
    plain = password.casefold().strip()
    if email and plain in (email.casefold(), email.casefold().partition("@")[0]):
        return "The password is the e-mail address; choose one that nobody can guess from it."
    squeezed = "".join(plain.split())
    if squeezed in _COMMON or any(squeezed == (squeezed[:n] * len(squeezed))[: len(squeezed)] for n in (1, 2, 3)):
        return "The password is one of those that are tried first; choose another, such as a few random words."
    return ""


class Passwords:
    """Hashes and checks without holding up the event loop. Raises Unavailable when too many wait already."""

    def __init__(self, *, threads: int = THREADS, places: int = PLACES) -> None:
        # OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        # An executor of our own: the number of threads is the limit, also when who asked has gone away meanwhile.
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._places = threading.BoundedSemaphore(places)
        self._nobody = self._hasher.hash(secrets.token_bytes(16))

    async def hash(self, password: str) -> str:
        """The PHC string to store."""
        return await self._run(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, hashed: str, password: str) -> bool:
        """Whether `hashed` was made of this password."""
        return await self._run(lambda: self._verify(hashed, _bytes(password)))

    async def verify_nobody(self, password: str) -> None:
        """Takes as long as `verify`: an address without an account shall not answer sooner than one with."""
        await self.verify(self._nobody, password)

    def needs_rehash(self, hashed: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _verify(self, hashed: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise Unavailable(
                "Too many passwords or new keys are being checked at once; try again in a few seconds.", 2
            )
        future = self._threads.submit(work)
        # The place is free when the work is over or was taken out of the line, not when its asker stops waiting.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)


def _bytes(password: str) -> bytes:
    # The same letters typed on two systems may be composed differently.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
