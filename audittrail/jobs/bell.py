"""A bell for those who wait in this process until something has changed, which another process may change as well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_SECONDS = 1.0  # how soon what another process has written is seen


class Bell:
    """`ring()` when something has changed; `until` reads again each time, and now and then without."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._closing = False

    def ring(self) -> None:
        """Everyone who waits looks again."""
        self._rung.set()
        self._rung = asyncio.Event()

    def close(self) -> None:
        """Lets everyone go who waits: the server is about to stop."""
        self._closing = True
        self.ring()

    def listen(self) -> asyncio.Event:
        """What the next ring sets: taken before looking, so that no ring is missed between looking and waiting."""
        return self._rung

    async def pause(self, rung: asyncio.Event, seconds: float = LOOK_SECONDS) -> None:
        """Until it has rung, or so long."""
        try:
            async with asyncio.timeout(seconds):
                await rung.wait()
        except TimeoutError:
            return

    async def until(self, read: Callable[[], Awaitable[T]], over: Callable[[T], bool], seconds: float) -> T:
        """What is read once it is over, or as it is after so many seconds or when the server stops."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            rung = self.listen()
            found = await read()
            left = deadline - asyncio.get_running_loop().time()
            if over(found) or left <= 0 or self._closing:
                return found
            await self.pause(rung, min(left, LOOK_SECONDS))
