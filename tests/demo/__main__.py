"""`make demo`: a server of its own with a week of data in it, and new runs until Ctrl-C."""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from tests.demo.filling import fill
from tests.demo.people import People
from tests.demo.trickle import Trickle
from tests.demo.wire import Wire
from tests.live import ROOT, Server

PORT = 8010
EMAIL, PASSWORD = "ida.berg@nordfell.example", "a week of nordfell"
MARK = ".audittrail-demo"  # in a folder that this program made and may empty


def folder_of(path: Path) -> Path:
    """The data folder, empty. A folder that was not made here is left alone."""
    if path.exists() and any(path.iterdir()):
        if not (path / MARK).exists():
            raise SystemExit(f"{path} holds something else than a demo; name an empty folder with --data.")
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / MARK).touch()
    return path


def require_free(port: int) -> None:
    """Ends the program with a sentence when somebody listens there."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise SystemExit(f'Port {port} is taken; another one: make demo ARGS="--port {port + 1}"')


def run(server: Server, seed: int, days: float, stop: threading.Event, *, trickle: bool) -> None:
    """Fills the server and goes on until `stop`."""
    began = time.monotonic()
    with People(server) as people:
        wire = Wire(server.url, server.key, seed)
        try:
            filled = fill(wire, people, seed, days, say=lambda line: print(line, flush=True))
            print(
                f"\nReady after {time.monotonic() - began:.0f} s."
                f"\n\n  {server.url}\n  E-mail    {server.email}\n  Password  {server.password}"
                f"\n  API key   {server.key}\n\n"
                + ("A new run begins every few seconds. " if trickle else "")
                + "Ctrl-C stops everything.",
                flush=True,
            )
            if trickle:
                Trickle(seed, wire, people, filled.waiting).run(stop)
            stop.wait()
        finally:
            wire.close()


def main() -> int:
    """The command line."""
    ask = argparse.ArgumentParser(prog="make demo", description=__doc__)
    ask.add_argument("--days", type=float, default=7, help="how long the past is (7)")
    ask.add_argument("--seed", type=int, default=1, help="another seed, another week")
    ask.add_argument("--port", type=int, default=PORT)
    ask.add_argument(
        "--data", type=Path, default=ROOT / ".cache" / "demo", help="where it keeps its data; emptied first"
    )
    ask.add_argument("--no-trickle", action="store_true", help="nothing new after the past")
    asked = ask.parse_args()
    require_free(asked.port)
    stop = threading.Event()

    def stopped(*_: object) -> None:
        # The first time whatever is going on ends; after that the ending is left in peace.
        if not stop.is_set():
            stop.set()
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stopped)
    signal.signal(signal.SIGTERM, stopped)
    account = {
        "AUDITTRAIL_INIT_ADMIN_EMAIL": EMAIL,
        "AUDITTRAIL_INIT_ADMIN_PASSWORD": PASSWORD,
        "AUDITTRAIL_INIT_PROJECT": "Nordfell",
    }
    server = Server(folder_of(asked.data), port=asked.port, **account)
    server.email, server.password = EMAIL, PASSWORD
    print(f"AuditTrail starts with an empty folder, {asked.data}", flush=True)
    try:
        with server:
            run(server, asked.seed, asked.days, stop, trickle=not asked.no_trickle)
    except KeyboardInterrupt:
        print("\nStopped. The data is still there; the next demo begins anew.", flush=True)
    finally:
        server.stop()  # it may have been starting
    return 0


if __name__ == "__main__":
    sys.exit(main())
