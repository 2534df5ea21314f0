"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from audittrail import __version__
from audittrail.commands import accounts, backup, keys, projects, redact, remap, restore, rules
from audittrail.commands.desk import Desk, at_desk
from audittrail.model.account import PROJECT_ROLES, SCOPES
from audittrail.model.errors import AuditTrailError
from audittrail.settings import Settings, load

Command = Callable[[argparse.Namespace, Settings], int]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failed, 2 not understood or refused."""
    args = parser().parse_args(argv)
    os.umask(0o077)  # the database, its journal and the keys are for this user alone
    command: Command = args.command
    try:
        return command(args, load(new_key=args.new_key))
    except AuditTrailError as error:
        print(f"audittrail: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    top = argparse.ArgumentParser(prog="audittrail", description="The flight recorder and governor for AI agents.")
    top.add_argument("--version", action="version", version=f"audittrail {__version__}")
    top.set_defaults(new_key=True)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run everything")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serve.set_defaults(command=_serve)

    migrate = commands.add_parser("migrate", help="bring the database to this program's schema")
    migrate.set_defaults(command=_migrate)

    _add_users(commands.add_parser("user", help="people's accounts").add_subparsers(required=True, metavar="COMMAND"))
    _add_keys(commands.add_parser("key", help="API keys").add_subparsers(required=True, metavar="COMMAND"))
    _add_projects(commands.add_parser("project", help="projects").add_subparsers(required=True, metavar="COMMAND"))
    remap_command = commands.add_parser("remap", help="understand stored traces as this version does")
    remap_command.add_argument("--project", help="only of this project")
    remap_command.set_defaults(command=remap.run)
    rules_command = commands.add_parser("rules", help="check rule files by their own tests")
    rules_command.add_argument("folder", nargs="?", type=Path, help="default: the rules that come with AuditTrail")
    rules_command.set_defaults(command=rules.check)
    redact_command = commands.add_parser("redact", help="print a text as it would be kept, without what is redacted")
    redact_command.add_argument("file", nargs="?", type=Path, help="default: standard input")
    redact_command.set_defaults(command=redact.show)
    _add_backups(commands)
    return top


def _add_backups(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    make = commands.add_parser("backup", help="copy everything, as of one moment, while the server runs")
    which = make.add_mutually_exclusive_group(required=True)
    which.add_argument("--to", type=Path, metavar="DIR", help="the folder in which the backup becomes a folder")
    which.add_argument("--verify", type=Path, metavar="BACKUP", help="check a backup, and restore nothing")
    make.set_defaults(command=backup.run, new_key=False)
    back = commands.add_parser("restore", help="put a backup into an empty place")
    back.add_argument("--from", dest="source", type=Path, metavar="BACKUP", required=True)
    back.set_defaults(command=restore.run, new_key=False)


def _add_users(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = commands.add_parser("add", help="make an account")
    add.add_argument("email")
    add.add_argument("--name", default="", help="what others see (default: the part before the @)")
    add.add_argument("--admin", action="store_true", help="may manage accounts and make projects")
    add.add_argument("--project", help="a project to belong to")
    add.add_argument("--role", choices=PROJECT_ROLES, default="viewer", help="in that project (default: %(default)s)")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add.set_defaults(command=_at_desk(accounts.add))

    password = commands.add_parser("password", help="set a new password and end the person's sessions")
    password.add_argument("email")
    password.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    password.set_defaults(command=_at_desk(accounts.set_password))

    commands.add_parser("list", help="all accounts").set_defaults(command=_at_desk(accounts.show))


def _add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    create = commands.add_parser("create", help="make a key and print its secret once")
    create.add_argument("name", help="what or who will use it")
    create.add_argument("--project", required=True)
    create.add_argument("--scope", action="append", choices=SCOPES, help="may be repeated (default: ingest)")
    create.add_argument("--expires-days", type=int, metavar="N", help="default: it does not expire")
    create.set_defaults(command=_at_desk(keys.create))

    show = commands.add_parser("list", help="a project's keys")
    show.add_argument("--project", required=True)
    show.set_defaults(command=_at_desk(keys.show))

    revoke = commands.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("public", help="its public part, pk-at-…")
    revoke.set_defaults(command=_at_desk(keys.revoke))


def _add_projects(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = commands.add_parser("add", help="make a project")
    add.add_argument("name")
    add.add_argument("--owner", metavar="EMAIL", help="who owns it")
    add.set_defaults(command=_at_desk(projects.add))

    commands.add_parser("list", help="all projects").set_defaults(command=_at_desk(projects.show))


def _serve(args: argparse.Namespace, settings: Settings) -> int:
    # Imported late: the other commands do without the web server.
    from audittrail.server import serve

    return serve(settings, args.host, args.port)


def _migrate(_: argparse.Namespace, settings: Settings) -> int:
    from audittrail.server import migrate_only

    print(migrate_only(settings))
    return 0


def _at_desk(work: Callable[[Desk, argparse.Namespace], Awaitable[str]]) -> Command:
    """A command that works on the database and says what it did."""

    def command(args: argparse.Namespace, settings: Settings) -> int:
        print(asyncio.run(at_desk(settings, work, args)))
        return 0

    return command
