"""Serves the application with uvicorn, and stops it politely."""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.config
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from audittrail.app import create_app
from audittrail.model.errors import where
from audittrail.runtime import Runtime
from audittrail.settings import Settings, asset_folder
from audittrail.store.database import Database
from audittrail.store.migrations import migrate

GRACE_SECONDS = 5  # for requests under way when the server is asked to stop


class ContentFree(logging.Formatter):
    """Exceptions as their kind and the lines they came through: their messages may quote what was received."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """One line."""
        return where(ei[1])


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": ContentFree, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "audittrail": {"level": "INFO"},
    },
}


class Protocol(HttpToolsProtocol):
    """A connection; cut off where the client takes nothing of what it asked for, so that no answer waits for ever."""

    STALLED_SECONDS = 30.0
    _stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """64 KiB wait in here, and what the kernel holds is full."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """Over."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class Server(uvicorn.Server):
    """Tells the person who started it where to go, once it answers, and stops when it is asked to."""

    def __init__(self, config: uvicorn.Config, greeting: str, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._stopping = stopping  # lets go of requests that wait for something to happen

    async def startup(self, sockets: Any = None) -> None:
        """Binds, then prints."""
        await super().startup(sockets)
        if not self.should_exit:
            print(self._greeting, file=sys.stderr, flush=True)  # noqa: T201

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM and SIGINT; a second SIGINT does not wait for requests under way.

        The base class raises the signal again when it is done: that would end the process before the writer is drained.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._stopping()


def serve(settings: Settings, host: str, port: int) -> int:
    """Runs until SIGTERM or SIGINT; the exit status. Raises ConfigurationError when it cannot start."""
    logging.config.dictConfig(LOGGING)
    address = settings.base_url or f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104
    runtime = Runtime(msgspec.structs.replace(settings, base_url=address))
    config = uvicorn.Config(
        create_app(runtime),
        host=host,
        port=port,
        http=Protocol,
        lifespan="off",  # the runtime is opened before the port is, and closed after it
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,  # longer than the pauses of exporters and of Caddy, so that they reuse connections
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(runtime, config, address))


async def _serve(runtime: Runtime, config: uvicorn.Config, address: str) -> int:
    async with runtime.running():
        # What is there now stays: the collector need not look through it again, nor so often at what a request makes.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        greeting = "\n".join(filter(None, (f"AuditTrail is at {address}", runtime.setup_link)))
        server = Server(config, greeting, runtime.let_go)
        await server.serve()
    return 0 if server.started else 1


async def _migrate(settings: Settings) -> tuple[str | None, str]:
    async with Database(settings.database_url) as db:
        return await migrate(db, asset_folder("migrations"))


def migrate_only(settings: Settings) -> str:
    """Brings the database to this program's schema; a sentence that says what was done."""
    before, now = asyncio.run(_migrate(settings))
    if before == now:
        return f"The database already has schema {now}."
    return f"The database went from {before or 'nothing'} to schema {now}."
