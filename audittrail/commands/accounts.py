"""audittrail user …"""

from __future__ import annotations

import argparse

from audittrail.commands.desk import Desk, day, read_password, table, the_project, the_user
from audittrail.identity.accounts import NewAccount, clean_email
from audittrail.identity.passwords import check_strength
from audittrail.model.errors import Invalid
from audittrail.store import projects, sessions, users


async def add(desk: Desk, args: argparse.Namespace) -> str:
    """Makes an account, and a membership where one is asked for."""
    new = NewAccount.typed(args.email, args.name, read_password(args.password_stdin))
    new.check()
    password_hash = await desk.passwords.hash(new.password)
    async with desk.db.write() as conn:
        project = await the_project(conn, args.project) if args.project else None
        user = await users.add_user(
            conn,
            email=new.email,
            display_name=new.display_name,
            password_hash=password_hash,
            role="admin" if args.admin else "member",
            now_us=desk.now_us(),
        )
        if project is not None:
            await projects.add_member(conn, project.id, user.id, args.role)
    where = f", {args.role} of {project.name}" if project is not None else ""
    return f"Made the account {user.email} ({user.role}{where})."


async def set_password(desk: Desk, args: argparse.Namespace) -> str:
    """For someone who has forgotten theirs."""
    email, password = clean_email(args.email), read_password(args.password_stdin)
    if error := check_strength(password, email):
        raise Invalid(error)
    password_hash = await desk.passwords.hash(password)
    async with desk.db.write() as conn:
        user = await the_user(conn, email)
        await users.set_password_hash(conn, user.id, password_hash)
        ended = await sessions.end_other_sessions(conn, user.id, keep="")
    return f"{user.email} has a new password; sessions ended: {ended}."


async def show(desk: Desk, _: argparse.Namespace) -> str:
    """All accounts."""
    async with desk.db.read() as conn:
        found = await users.list_users(conn)
    return table(
        ("EMAIL", "NAME", "ROLE", "SINCE"),
        ((user.email, user.display_name, user.role, day(user.created_us)) for user in found),
    )
