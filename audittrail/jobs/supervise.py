"""Keeps background tasks alive and says how they are."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import msgspec

from audittrail.model.errors import where

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class TaskState(msgspec.Struct):
    """One background task: whether it runs, how often it failed, and what kind of failure was the last."""

    running: bool = False
    failures: int = 0
    last_failure: str = ""


class Supervisor:
    """Starts tasks by name, restarts those that fail, and ends them in reverse order."""

    def __init__(self) -> None:
        self.states: dict[str, TaskState] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Runs `work` until it returns. When it raises, it is started again after a pause that doubles."""
        state = self.states[name] = TaskState()
        task = asyncio.create_task(self._watch(name, state, work), name=name)
        self._tasks.append(task)
        return task

    async def stop(self) -> None:
        """Cancels what still runs, the last started first."""
        while self._tasks:
            task = self._tasks.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, name: str, state: TaskState, work: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            state.running = True
            began = time.monotonic()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the task goes on, and health says so
                state.failures += 1
                state.last_failure = type(error).__name__
                log.error("Background task %s failed and is started again: %s", name, where(error))
            else:
                return
            finally:
                state.running = False
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE  # it was well for a while: this is another fault, not the same one again
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
