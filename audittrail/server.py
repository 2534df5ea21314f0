"""Serves the application with uvicorn, and stops it politely."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from audittrail import __version__
from audittrail.app import create_app
from audittrail.disk import check_privacy
from audittrail.logs import start_logging
from audittrail.model.errors import ConfigurationError, Unavailable
from audittrail.runtime import Runtime
from audittrail.settings import Settings, asset_folder
from audittrail.store.database import Database
from audittrail.store.migrations import migrate
from audittrail.web.headers import security_headers

log = logging.getLogger(__name__)

GRACE_SECONDS = 5  # for requests under way when the server is asked to stop


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

    def __init__(self, config: uvicorn.Config, greeting: list[str], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._stopping = stopping  # lets go of requests that wait for something to happen

    async def startup(self, sockets: Any = None) -> None:
        """Listens, then tells."""
        self.server_state.default_headers = self.config.encoded_headers  # a request may come before the first tick
        await super().startup(sockets)
        if not self.should_exit:
            for line in self._greeting:
                log.info("%s", line)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM and SIGINT; a second SIGINT does not wait for requests under way.

        The base class raises the signal again when it is done: that would end the process before the writer is drained.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._stopping()


def serve(settings: Settings, host: str, port: int) -> int:
    """Runs until SIGTERM or SIGINT; the exit status. Raises ConfigurationError when it cannot start."""
    start_logging(json=settings.log_json)
    try:
        return _serve(settings, host, port)
    except (ConfigurationError, Unavailable) as error:
        if not settings.log_json:
            raise
        log.critical("%s", error)
        return 2


def _serve(settings: Settings, host: str, port: int) -> int:
    warnings = check_privacy(settings.data_dir)
    listening = bind(host, port)
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    address = settings.base_url or f"http://{shown}:{listening[0].getsockname()[1]}"
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
        headers=security_headers(address),  # here, so that what uvicorn answers by itself has them too
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,  # longer than the pauses of exporters and of Caddy, so that they reuse connections
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_run(runtime, config, listening, warnings))
    finally:
        for each in listening:
            each.close()


def bind(host: str, port: int) -> list[socket.socket]:
    """The addresses that `host` names, taken before anything else is done; nobody can connect yet."""
    taken: list[socket.socket] = []
    try:
        if not 0 <= port <= 65535:
            raise OverflowError("ports are 1 to 65535")
        kinds = dict.fromkeys(socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
        for family, kind, protocol, _, address in kinds:
            taken.append(one := socket.socket(family, kind, protocol))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except (OSError, OverflowError) as error:
        for one in taken:
            one.close()
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"Port {port} of {host or 'this machine'} cannot be listened on: {why}. Another program may have it, which "
            "`ss -ltnp` shows; or choose other values for --host and --port."
        ) from None
    return taken


async def _run(runtime: Runtime, config: uvicorn.Config, listening: list[socket.socket], warnings: list[str]) -> int:
    async with runtime.running():
        for warning in warnings:
            log.warning("%s", warning)
        # What is there now stays: the collector need not look through it again, nor so often at what a request makes.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        greeting = [f"AuditTrail {__version__} is at {runtime.settings.base_url}", *filter(None, [runtime.setup_link])]
        server = Server(config, greeting, runtime.let_go)
        await server.serve(sockets=listening)
        log.info("Stopping: what was taken is being written")
    log.info("AuditTrail has stopped")
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
