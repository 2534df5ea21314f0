"""A client that asks and never reads is cut off, by uvicorn with our connection."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import uvicorn

from audittrail.server import Protocol

pytestmark = pytest.mark.anyio


class Impatient(Protocol):
    STALLED_SECONDS = 0.2


async def test_who_takes_nothing_for_a_while_is_cut_off() -> None:
    gone = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        listening = asyncio.create_task(receive())
        while not listening.done() or listening.result()["type"] != "http.disconnect":
            if listening.done():
                listening = asyncio.create_task(receive())
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        gone.set()

    config = uvicorn.Config(endless, port=0, http=Impatient, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    client = socket.create_connection(server.servers[0].sockets[0].getsockname())
    try:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(gone.wait(), 60)
        assert not server.server_state.connections
    finally:
        client.close()
        server.should_exit = True
        await serving
