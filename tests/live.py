"""A real AuditTrail server in its own process, for what only a real server shows: streams, limits, crashes, proxies.

It speaks plain HTTP. Clients of it are made with `verify=False`: else each would read the machine's certificates, which
takes 16 ms of a processor, and there are thousands of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
KEY = "sk-at-" + "k" * 40
EMAIL, PASSWORD = "first@example.org", "correct horse battery staple 9"

# The function behind the console script, not the script: so the tests run from a checkout that nobody has installed.
_MAIN = "import sys; sys.argv[0] = 'audittrail'; from audittrail.cli import main; sys.exit(main())"
COMMAND = (sys.executable, "-c", _MAIN)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """The environment without settings of ours, so that a developer's own .env cannot change a test."""
    return {k: v for k, v in os.environ.items() if not k.startswith("AUDITTRAIL_") and k != "DATABASE_URL"}


def settings(data: Path, database: str | None = None) -> dict[str, str]:
    """What a test server is told: everything inside `data`, one administrator, one project, one key."""
    return {
        "AUDITTRAIL_DATA_DIR": str(data),
        "DATABASE_URL": database or f"sqlite+aiosqlite:///{data}/audittrail.db",
        "AUDITTRAIL_INIT_ADMIN_EMAIL": EMAIL,
        "AUDITTRAIL_INIT_ADMIN_PASSWORD": PASSWORD,
        "AUDITTRAIL_INIT_PROJECT": "tests",
        "AUDITTRAIL_INIT_API_KEY": KEY,
        # A test asks more often than anybody would; tests of the limits set their own.
        "AUDITTRAIL_RATE_LIMIT": "100000/s",
        "AUDITTRAIL_RATE_BURST": "100000",
        "AUDITTRAIL_KEY_RATE_LIMIT": "100000/s",
    }


class Server:
    """`with Server(tmp_path) as server:` gives a healthy server; `start()` after `kill()` keeps data and port."""

    def __init__(
        self,
        data: Path,
        database: str | None = None,
        *,
        command: tuple[str, ...] = COMMAND,
        cwd: Path | None = None,
        port: int | None = None,
        **env: str,
    ) -> None:
        self.data = data
        self.key, self.email, self.password = KEY, EMAIL, PASSWORD
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = command
        # Not the checkout: a path that is relative by mistake shall not write there.
        self.cwd = cwd or data
        self.env = {**clean_environment(), "PYTHONPATH": str(ROOT), **settings(data, database), **env}
        self.process: subprocess.Popen[bytes] | None = None
        self._log = data / "server.log"

    @property
    def log(self) -> str:
        """Everything the server has printed so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """The running process."""
        assert self.process is not None, "the server was not started"
        return self.process.pid

    def start(self, wait: float = 40) -> Server:
        """Returns when `/api/v1/health` answers."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "serve", "--host", "127.0.0.1", "--port", str(self.port)],
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended at start with {self.process.returncode}:\n{self.log[-4000:]}")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/api/v1/health", timeout=5, trust_env=False, verify=False).status_code == 200:
                    return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server was not healthy after {wait:.0f} s:\n{self.log[-4000:]}")

    def kill(self) -> None:
        """As a power cut would: no handler of the server runs."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, wait: float = 20) -> float:
        """Seconds that a polite stop took; a server that does not stop is killed and is an error."""
        began = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server did not stop in {wait:.0f} s:\n{self.log[-4000:]}") from None
        return time.monotonic() - began

    def client(self, **options: object) -> httpx.Client:
        """An HTTP client that presents the project's key; close it, or use it as a context."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, verify=False, **options)  # type: ignore[arg-type]

    def browser(self, **options: object) -> httpx.Client:
        """An HTTP client with the administrator's session cookie."""
        # Two clients, because one that has sent something can no longer be entered with `with`.
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False, verify=False) as first:
            answer = first.post("/api/v1/auth/login", json={"email": self.email, "password": self.password})
        assert answer.status_code == 200, f"sign-in: {answer.status_code} {answer.text[:300]}"
        cookies = first.cookies
        return httpx.Client(base_url=self.url, cookies=cookies, timeout=30, trust_env=False, verify=False, **options)  # type: ignore[arg-type]

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
