"""Work that whoever cancels it waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from audittrail.jobs.whole import whole


async def test_who_cancels_waits_until_a_thread_is_done() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []

    def work() -> None:
        begun.set()
        go_on.wait(30)
        done.append(1)

    task = asyncio.create_task(whole(asyncio.to_thread(work)))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    task.cancel()
    assert not (await asyncio.wait([task], timeout=0.05))[0]
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [1]


async def test_it_returns_and_raises_what_the_work_does() -> None:
    async def work(number: int) -> int:
        return 12 // number

    assert await whole(work(4)) == 3
    with pytest.raises(ZeroDivisionError):
        await whole(work(0))
