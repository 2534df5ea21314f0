"""What a command works with: the database, the clock and the checks, without a server."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from audittrail.identity.keyring import Keyring
from audittrail.identity.passwords import Passwords
from audittrail.model.account import Project, User
from audittrail.model.errors import Invalid, NotFound
from audittrail.settings import Settings, asset_folder
from audittrail.store import projects, users
from audittrail.store.connection import Connection
from audittrail.store.database import Database
from audittrail.store.migrations import migrate


class Desk(msgspec.Struct, frozen=True):
    """Open while a command works."""

    db: Database
    passwords: Passwords
    keyring: Keyring

    def now_us(self) -> int:
        """UTC microseconds since 1970."""
        return time.time_ns() // 1000


async def at_desk(
    settings: Settings, work: Callable[[Desk, argparse.Namespace], Awaitable[str]], args: argparse.Namespace
) -> str:
    """What `work` says it did."""
    passwords = Passwords()
    # No lock on the file: SQLite lets the command line write beside the server, one transaction after the other.
    async with Database(settings.database_url) as db:
        await migrate(db, asset_folder("migrations"))
        return await work(Desk(db, passwords, Keyring(settings.secret_key, passwords)), args)


def read_password(from_stdin: bool) -> str:
    """From standard input, or typed twice. Raises Invalid."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Invalid("There is no terminal to ask for the password; give it on standard input with --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise Invalid("The two passwords differ; nothing was done.")
    return password


async def the_project(conn: Connection, name: str) -> Project:
    """Raises NotFound, naming those that there are."""
    found = await projects.find_project(conn, name)
    if found is None:
        names = ", ".join(each.name for each in await projects.list_projects(conn)) or "none yet"
        raise NotFound(f"There is no project {name!r}. There is: {names}.")
    return found


async def the_user(conn: Connection, email: str) -> User:
    """Raises NotFound."""
    found = await users.find_user(conn, email)
    if found is None:
        raise NotFound(f"There is no account {email!r}; `audittrail user list` shows all.")
    return found


def day(us: int | None) -> str:
    """A UTC date, or a dash."""
    return "-" if us is None else time.strftime("%Y-%m-%d", time.gmtime(us // 1_000_000))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Columns of text, as wide as they need."""
    lines = [head, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
