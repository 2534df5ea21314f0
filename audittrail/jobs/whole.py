"""Work that is not left in its middle: whoever cancels it waits for its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """What it returns. A transaction of SQLite that is left in the middle holds the file's lock until its connection is
    collected, and whoever writes next waits for that; a thread goes on, and writes after others have cleared up."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
